//! Programs of others on our topics.

use std::collections::BTreeSet;

use cafe_failures::{event, tried_times};
use cafe_system_tests::{Cafe, MOMENT, Nest, Rung, Rush, Service, http, wait_until};
use serde_json::Value;

use crate::{PAID, RATE, ROBOT};

#[test]
#[ignore = "run by cargo xtask test"]
fn a_listener_in_nestjs_reads_our_orders_and_what_one_writes_to_our_topic_stops_nobody() {
    let nest = Nest::install().unwrap_or_else(|why| panic!("{why:#}"));
    let cafe = Cafe::up_on(Rung::Kafka, &ROBOT);
    let bootstrap = cafe.site().kafka.clone().unwrap();
    let rush = Rush::start(&cafe, RATE, &PAID);
    rush.wait_for_seconds(1);
    let known = cafe.all(Service::Order, "orders")[0]["id"].as_str().map(str::to_owned);
    let foreign =
        [nest.produce_foreign(&bootstrap, None), nest.produce_foreign(&bootstrap, known.as_deref())].concat();
    tried_times(&event::STRANGERS, foreign.len() as u64);
    rush.wait_for_seconds(1);
    let rushed = rush.stop();
    rushed.demand_taken_throughout();
    rushed.demand_all_served(&cafe);

    let parked =
        || http::get(cafe.port(Service::Payment), "/parked", Some(&cafe.staff_key())).unwrap().json();
    let count = |list: &Value| list["parked"].as_array().map_or(0, Vec::len);
    wait_until(MOMENT, "all of it is set aside", || (count(&parked()) == foreign.len()).then_some(()));
    let mut written: Vec<i64> = foreign.iter().map(|it| it.offset).collect();
    let list = parked();
    let set_aside = list["parked"].as_array().into_iter().flatten();
    let mut set_aside: Vec<i64> = set_aside.filter_map(|it| it["position"].as_i64()).collect();
    written.sort_unstable();
    set_aside.sort_unstable();
    assert_eq!(set_aside, written);

    let orders: BTreeSet<String> = rushed.posts.iter().filter_map(|post| post.order_id.clone()).collect();
    let mut listener = nest.consumer(&bootstrap);
    let placed = |heard: &[Value]| -> BTreeSet<String> {
        let is_placed = |it: &&Value| {
            it["headers"]["ce_type"] == "cafe.order.placed.v1" && it["key"] == it["value"]["order_id"]
        };
        heard.iter().filter(is_placed).filter_map(|it| it["key"].as_str().map(str::to_owned)).collect()
    };
    listener.wait_until("it has heard every order", |heard| (placed(heard) == orders).then_some(()));
    let one =
        listener.heard().into_iter().find(|it| it["headers"]["ce_type"] == "cafe.order.placed.v1").unwrap();
    let id = format!("order/{}/1", one["key"].as_str().unwrap());
    assert_eq!((&one["headers"]["ce_id"], &one["headers"]["ce_source"]), (&Value::from(id), &"order".into()));
}
