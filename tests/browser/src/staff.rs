//! What staff do, as a test that has no screen for it does it.

use cafe_system_tests::{Cafe, Service, http};
use serde_json::Value;

/// Something with an order's ticket: `start`, `ready`, …; what is answered.
#[track_caller]
pub(crate) fn does(cafe: &Cafe, order: &str, what: &str) -> Value {
    let path = format!("/tickets/{order}/{what}");
    let answer = http::post(cafe.port(Service::Barista), &path, Some(&cafe.staff_key()), "{}");
    let answer = answer.expect("an answer");
    assert_eq!(answer.status, 200, "{what}: {answer:?}");
    answer.json()
}

/// The ticket of an order, if there is one.
pub(crate) fn ticket(cafe: &Cafe, order: &str) -> Option<Value> {
    let answer =
        http::get(cafe.port(Service::Barista), &format!("/tickets/{order}"), Some(&cafe.staff_key()));
    answer.ok().filter(|answer| answer.status == 200).map(|answer| answer.json())
}
