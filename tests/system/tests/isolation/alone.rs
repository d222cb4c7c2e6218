//! Order, with nobody to hear it.

use std::time::Duration;

use cafe_failures::{process, tried};
use cafe_system_tests::{Cafe, Rush, Service};
use rustix::process::Signal;

use crate::{PAID, RATE, ROBOT};

const LENGTH: Duration = Duration::from_secs(20);

#[test]
#[ignore = "run by cargo xtask test"]
fn orders_are_taken_while_both_neighbours_are_dead_and_made_once_they_are_back() {
    let mut cafe = Cafe::closed(&ROBOT);
    for service in Service::ALL {
        cafe.open_alone(service);
    }
    cafe.wait_until_ready();
    let rush = Rush::start(&cafe, RATE, &PAID);
    rush.wait_for_customers(RATE);

    tried(&process::NEIGHBOURS_DEAD);
    for neighbour in [Service::Payment, Service::Barista] {
        cafe.signal(neighbour, Signal::KILL);
    }
    rush.wait_for_customers(RATE * LENGTH.as_secs() as u32);
    assert_eq!(cafe.pid(Service::Payment).or(cafe.pid(Service::Barista)), None, "nobody starts them again");
    let orders = cafe.all(Service::Order, "orders");
    let placed = orders.iter().filter(|order| order["status"] == "placed").count();
    assert!(placed >= (RATE * LENGTH.as_secs() as u32) as usize, "{placed} of {} are placed", orders.len());
    for neighbour in [Service::Payment, Service::Barista] {
        cafe.open_alone(neighbour);
        cafe.wait_until_serving(neighbour);
    }
    rush.stop().demand_all_well(&cafe, &[]);
}
