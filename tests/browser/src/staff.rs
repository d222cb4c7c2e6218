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

/// Whether there is a ticket of an order.
pub(crate) fn has(cafe: &Cafe, order: &str) -> bool {
    let answer =
        http::get(cafe.port(Service::Barista), &format!("/tickets/{order}"), Some(&cafe.staff_key()));
    answer.is_ok_and(|answer| answer.status == 200)
}
