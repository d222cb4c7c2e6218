//! `kill -9`.

use std::time::Duration;

use cafe_failures::{Fault, process, tried};
use cafe_system_tests::{Cafe, MOMENT, Outage, Rush, Service, wait_until};

use crate::{PAID, RATE, ROBOT};

/// From the kill to the first request served by its successor.
const BACK_IN: Duration = Duration::from_millis(500);
/// Customers after whom a service counts as healthy again, so that its next restart is at once: 5 s, and some.
const HEALTHY: u32 = 550;
/// Moments at which each is killed.
const KILLS: u32 = 5;

#[test]
#[ignore = "run by cargo xtask test"]
fn order_killed_at_five_moments_is_back_in_half_a_second_each_time() {
    let outages = killed_at_random_moments(Service::Order, &process::ORDER_KILLED);
    for outage in outages {
        assert!(outage.length() <= BACK_IN, "back after {:?}", outage.length());
    }
}

#[test]
#[ignore = "run by cargo xtask test"]
fn payment_killed_at_five_moments_stops_no_customer() {
    killed_at_random_moments(Service::Payment, &process::PAYMENT_KILLED);
}

#[test]
#[ignore = "run by cargo xtask test"]
fn barista_killed_at_five_moments_stops_no_customer() {
    killed_at_random_moments(Service::Barista, &process::BARISTA_KILLED);
}

#[test]
#[ignore = "run by cargo xtask test"]
fn all_three_killed_at_once_come_back_with_everything() {
    let cafe = Cafe::up(&ROBOT);
    let rush = Rush::start(&cafe, RATE, &PAID);
    rush.wait_for_customers(RATE);
    tried(&process::ALL_KILLED);
    let outage = cafe.kill_all();
    rush.wait_for_customers(RATE);
    rush.stop().demand_all_well(&cafe, &[outage]);
    for service in Service::ALL {
        let told = format!("the {} service was ended by signal 9; starting it again", service.name());
        assert_eq!(cafe.log().matches(&told).count(), 1, "{told}");
    }
}

/// A random number of customers apart, so that each kill hits another moment of the work.
fn killed_at_random_moments(service: Service, fault: &Fault) -> Vec<Outage> {
    let cafe = Cafe::up(&ROBOT);
    let rush = Rush::start(&cafe, RATE, &PAID);
    let outages: Vec<Outage> = (0..KILLS)
        .map(|_| {
            rush.wait_for_customers(HEALTHY + cafe.draw(1..2 * RATE));
            tried(fault);
            cafe.kill(service)
        })
        .collect();
    rush.wait_for_customers(RATE);
    let rushed = rush.stop();
    match service {
        Service::Order => rushed.demand_all_well(&cafe, &outages),
        Service::Payment | Service::Barista => rushed.demand_all_well(&cafe, &[]),
    }
    wait_until(MOMENT, "all three are ready", || cafe.is_open().then_some(()));
    outages
}
