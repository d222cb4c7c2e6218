//! `kill -9` of each service, one after the other.

use cafe_failures::{process, tried};
use cafe_system_tests::{Cafe, Outage, Rung, Rush, Service};

use crate::{PAID, RATE, ROBOT};

#[test]
#[ignore = "run by cargo xtask test"]
fn each_service_is_killed_with_databases_on_a_server() {
    each_is_killed_on(Rung::Postgres);
}

#[test]
#[ignore = "run by cargo xtask test"]
fn each_service_is_killed_with_kafka_between_them() {
    each_is_killed_on(Rung::Kafka);
}

#[test]
#[ignore = "run by cargo xtask test"]
fn all_three_are_killed_at_once_with_both() {
    let cafe = Cafe::up_on(Rung::Chain, &ROBOT);
    let rush = Rush::start(&cafe, RATE, &PAID);
    rush.wait_for_customers(RATE);
    tried(&process::ALL_KILLED);
    let outage = cafe.kill_all();
    rush.wait_for_customers(RATE);
    rush.stop().demand_all_well(&cafe, &[outage]);
}

fn each_is_killed_on(rung: Rung) {
    let cafe = Cafe::up_on(rung, &ROBOT);
    let rush = Rush::start(&cafe, RATE, &PAID);
    let outages = Service::ALL.map(|service| {
        rush.wait_for_customers(RATE + cafe.draw(1..RATE));
        tried(match service {
            Service::Order => &process::ORDER_KILLED,
            Service::Payment => &process::PAYMENT_KILLED,
            Service::Barista => &process::BARISTA_KILLED,
        });
        let outage: Outage = cafe.kill(service);
        println!("{} was back after {:?}", service.name(), outage.length());
        outage
    });
    rush.wait_for_customers(RATE);
    rush.stop().demand_all_well(&cafe, &outages[..1]);
}
