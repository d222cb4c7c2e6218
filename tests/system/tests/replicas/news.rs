//! Customers who wait at a replica that does not listen: what it tells them, another has heard.

use std::time::Duration;

use cafe_system_tests::{Cafe, MOMENT, Rung, Service, http, wait_until};

use crate::customers::{all_at_once, place};
use crate::{NAMES, three_of_order};

/// What such a customer would wait for if nobody told.
const WAIT: Duration = Duration::from_secs(20);
/// What they wait at most for an answer that is there: far less.
const TOLD: Duration = Duration::from_secs(5);

#[test]
#[ignore = "run by cargo xtask test"]
fn who_prefers_to_wait_is_answered_by_a_replica_that_did_not_hear_the_news() {
    let cafe = three_of_order(Rung::Chain);
    for port in followers(&cafe) {
        let told = all_at_once(&[port], vec![place(&[("prefer", "wait=20")])]).remove(0);
        println!("answered after {:?}: {}", told.took, told.order["status"]);
        assert_ne!(told.order["status"], "placed", "{:?}", told.order);
        assert!(told.took < TOLD, "after {:?} of {WAIT:?}", told.took);
    }
    cafe.settle(MOMENT);
    cafe.audit();
}

#[test]
#[ignore = "run by cargo xtask test"]
fn who_follows_an_order_sees_all_of_it_at_a_replica_that_did_not_hear_the_news() {
    let cafe = three_of_order(Rung::Postgres);
    for port in followers(&cafe) {
        let order = all_at_once(&[port], vec![place(&[])]).remove(0).order;
        let [id, token] = ["id", "token"].map(|name| order[name].as_str().expect("a new order has it"));
        let is_over = |came: &str| came.contains(r#""status":"picked_up""#);
        let came = http::follow(port, &format!("/orders/{id}/events"), token, is_over);
        let came = came.expect("the stream tells of the end");
        assert!(came.starts_with("HTTP/1.1 200"), "{came}");
    }
    cafe.settle(MOMENT);
    cafe.audit();
}

/// The ports of the two replicas of order that do not lead.
fn followers(cafe: &Cafe) -> Vec<u16> {
    let (leader, _) = wait_until(MOMENT, "a replica of order leads", || cafe.leader(Service::Order));
    let rest = NAMES.iter().filter(|name| **name != leader);
    rest.map(|name| cafe.port_of(Service::Order, name)).collect()
}
