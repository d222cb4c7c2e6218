//! The same key at several replicas.

use std::collections::BTreeSet;

use cafe_failures::{customer, tried};
use cafe_system_tests::{MOMENT, Rung, Service};

use crate::customers::{all_at_once, place};
use crate::three_of_order;

#[test]
#[ignore = "run by cargo xtask test"]
fn a_hundred_requests_with_one_key_at_three_replicas_are_one_order() {
    let cafe = three_of_order(Rung::Postgres);
    let requests = vec![place(&[("idempotency-key", "the-one")]); 100];
    tried(&customer::SENDS_A_HUNDRED_TIMES);
    let told = all_at_once(&cafe.ports_of(Service::Order), requests);
    let odd = told.iter().find(|told| told.status != 201);
    assert!(odd.is_none(), "{odd:?}");
    let ids: BTreeSet<&str> = told.iter().filter_map(|told| told.order["id"].as_str()).collect();
    assert_eq!(ids.len(), 1, "{ids:?}");
    assert_eq!(cafe.settle(MOMENT).len(), 1);
    cafe.audit();
}
