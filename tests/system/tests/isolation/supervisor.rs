//! `cafe up` itself.

use cafe_failures::{process, tried};
use cafe_system_tests::{Cafe, Rush, Service};

use crate::{PAID, RATE, ROBOT};

#[test]
#[ignore = "run by cargo xtask test"]
fn up_is_killed_its_children_go_on_and_the_next_up_adopts_them() {
    let mut cafe = Cafe::up(&ROBOT);
    let rush = Rush::start(&cafe, RATE, &PAID);
    rush.wait_for_customers(RATE);
    let before = Service::ALL.map(|service| cafe.pid(service));

    tried(&process::UP_KILLED);
    cafe.kill_supervisor();
    rush.wait_for_customers(RATE);
    assert_eq!(Service::ALL.map(|service| cafe.pid(service)), before, "the children go on");
    cafe.open();
    rush.wait_for_customers(RATE);
    assert_eq!(Service::ALL.map(|service| cafe.pid(service)), before, "the next up leaves them at work");

    // Only who watches over a service starts it again.
    let outages = Service::ALL.map(|service| cafe.kill(service));
    rush.wait_for_customers(RATE);
    rush.stop().demand_all_well(&cafe, &outages[..1]);
    assert!(cafe.close().success(), "Ctrl-C ends it in order");
    assert_eq!(Service::ALL.map(|service| cafe.pid(service)), [None; 3], "its adopted children too");
}
