//! Every replica is replaced while customers come.

use cafe_failures::{replica, tried};
use cafe_system_tests::{Cafe, Rung, Rush, Service};

use crate::{NAMES, ROBOT, opened};

const RATE: u32 = 50;
/// A customer who is refused by a replica that ends asks the next one, which takes the order.
const TRIES: u32 = 2;

#[test]
#[ignore = "run by cargo xtask test"]
fn every_replica_is_restarted_in_turn_and_nobody_is_refused_twice() {
    let cafe = Cafe::closed_on(Rung::Chain, &ROBOT);
    let mut cafe = opened(cafe, [&NAMES, &["a", "b"], &["a", "b"]]);
    let rush = Rush::start_at(&cafe.ports_of(Service::Order), RATE, &["tok_ok"]);
    for (service, names) in Service::ALL.into_iter().zip([&NAMES[..], &["a", "b"], &["a", "b"]]) {
        for name in names {
            rush.wait_for_customers(RATE / 2);
            tried(&replica::ROLLED);
            assert!(cafe.stop_replica(service, name).success(), "{} {name} ends in order", service.name());
            cafe.open_replica(service, name);
            cafe.wait_until_replica_serves(service, name);
        }
    }
    rush.wait_for_customers(RATE);
    let rushed = rush.stop();
    let again = rushed.posts.iter().filter(|post| post.tries > 1).count();
    println!("{again} of {} customers had to ask again", rushed.posts.len());
    let refused = rushed.posts.iter().find(|post| post.tries > TRIES);
    assert!(refused.is_none(), "{refused:?}");
    rushed.demand_all_served(&cafe);
}
