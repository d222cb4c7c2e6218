//! Order, with nobody to hear it.

use cafe_failures::{process, tried};
use cafe_system_tests::{Cafe, Rung, Rush, Service};
use rustix::process::Signal;

use crate::{PAID, RATE, ROBOT};

/// Customers who come meanwhile.
const MEANWHILE: u32 = 10 * RATE;

/// With both, because the neighbours read what they have missed from Kafka, and their place in it from the server.
#[test]
#[ignore = "run by cargo xtask test"]
fn orders_are_taken_while_both_neighbours_are_dead_and_made_once_they_are_back() {
    let mut cafe = Cafe::closed_on(Rung::Chain, &ROBOT);
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
    rush.wait_for_customers(MEANWHILE);
    assert_eq!(cafe.pid(Service::Payment).or(cafe.pid(Service::Barista)), None, "nobody starts them again");
    let orders = cafe.all(Service::Order, "orders");
    let placed = orders.iter().filter(|order| order["status"] == "placed").count();
    assert!(placed >= MEANWHILE as usize, "{placed} of {} are placed", orders.len());
    for neighbour in [Service::Payment, Service::Barista] {
        cafe.open_alone(neighbour);
        cafe.wait_until_serving(neighbour);
    }
    rush.stop().demand_all_well(&cafe, &[]);
}
