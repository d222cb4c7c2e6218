//! `SIGSTOP`: alive to the eye, and silent.

use std::time::Duration;

use cafe_failures::{Fault, process, tried};
use cafe_system_tests::{Cafe, Rush, Service};

use crate::{PAID, RATE, ROBOT};

/// Shorter than what `up` takes for dead, so that the frozen one itself has to go on.
const LENGTH: Duration = Duration::from_secs(10);

#[test]
#[ignore = "run by cargo xtask test"]
fn order_frozen_for_ten_seconds_goes_on_where_it_was() {
    let cafe = Cafe::up(&ROBOT);
    let rush = Rush::start(&cafe, RATE, &PAID);
    rush.wait_for_customers(RATE);
    let before = cafe.pids();
    tried(&process::ORDER_FROZEN);
    let outage = cafe.freeze(Service::Order, LENGTH);
    rush.wait_for_customers(RATE);
    rush.stop().demand_all_well(&cafe, &[outage]);
    assert_eq!(cafe.pids(), before, "nothing is started again");
}

#[test]
#[ignore = "run by cargo xtask test"]
fn payment_frozen_for_ten_seconds_stops_no_customer() {
    frozen_behind_the_counter(Service::Payment, &process::PAYMENT_FROZEN);
}

#[test]
#[ignore = "run by cargo xtask test"]
fn barista_frozen_for_ten_seconds_stops_no_customer() {
    frozen_behind_the_counter(Service::Barista, &process::BARISTA_FROZEN);
}

fn frozen_behind_the_counter(service: Service, fault: &Fault) {
    let cafe = Cafe::up(&ROBOT);
    let rush = Rush::start(&cafe, RATE, &PAID);
    rush.wait_for_customers(RATE);
    let before = cafe.pids();
    tried(fault);
    cafe.freeze(service, LENGTH);
    rush.wait_for_customers(RATE);
    rush.stop().demand_all_well(&cafe, &[]);
    assert_eq!(cafe.pids(), before, "nothing is started again");
}
