//! Orders go all the way.

use cafe_system_tests::{Cafe, MOMENT, Rung, Rush};

use crate::ROBOT;

#[test]
#[ignore = "run by cargo xtask test"]
fn orders_go_all_the_way_with_databases_on_a_server() {
    all_the_way_on(Rung::Postgres);
}

#[test]
#[ignore = "run by cargo xtask test"]
fn orders_go_all_the_way_through_kafka() {
    all_the_way_on(Rung::Kafka);
}

#[test]
#[ignore = "run by cargo xtask test"]
fn orders_go_all_the_way_through_kafka_with_databases_on_a_server() {
    all_the_way_on(Rung::Chain);
}

fn all_the_way_on(rung: Rung) {
    let mut cafe = Cafe::up_on(rung, &ROBOT);
    let rush = Rush::start(&cafe, 50, &["tok_ok", "tok_declined"]);
    rush.wait_for_customers(50);
    rush.stop().demand_all_well(&cafe, &[]);
    let statuses: Vec<_> = cafe.settle(MOMENT).iter().map(|order| order["status"].clone()).collect();
    assert!(statuses.contains(&"picked_up".into()) && statuses.contains(&"declined".into()), "{statuses:?}");
    assert!(cafe.close().success());
    assert!(cafe.pids().is_empty());
}
