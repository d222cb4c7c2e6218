//! `tok_never`: no answer, and never a charge.

use std::time::Duration;

use cafe_clock::{after, since};
use cafe_events::PaymentEvent;
use cafe_failures::{tried, vendor};

use crate::service::Cafe;

#[tokio::test]
async fn a_request_that_was_lost_expires_the_order_but_not_before_it_can_no_longer_arrive() {
    tried(&vendor::NOT_REACHED);
    let cafe = Cafe::open().await;
    let placed_at = cafe.clock.now();
    let pay_by = after(placed_at, Duration::from_secs(15));
    let order_id = cafe.place_with("tok_never", |order| order.pay_by = pay_by);
    cafe.until_seen(order_id, |payment| payment["status"] == "asking").await;

    cafe.in_time_said(order_id, |event| matches!(event, PaymentEvent::Expired(_))).await;
    let waited = since(cafe.clock.now(), placed_at);
    assert!(waited >= Duration::from_secs(35), "{waited:?}");
    let payment = cafe.payment(order_id).await;
    assert_eq!(payment["attempts"].as_array().unwrap().len(), 1, "nothing was asked late");
    assert_eq!((&payment["attempts"][0]["state"], &payment["open"]), (&"not_charged".into(), &false.into()));
    assert!(cafe.charges(order_id).is_empty());
    cafe.close().await;
}

#[tokio::test]
async fn with_time_left_it_is_tried_again_once_the_first_attempt_is_closed() {
    tried(&vendor::NOT_REACHED);
    let cafe = Cafe::open().await;
    let order_id = cafe.place("tok_never");
    let payment =
        cafe.in_time_seen(order_id, |payment| payment["attempts"].as_array().unwrap().len() == 2).await;
    assert_eq!(payment["attempts"][0]["state"], "not_charged", "the old one is closed first");
    assert!(cafe.said(order_id).is_empty());
    cafe.close().await;
}
