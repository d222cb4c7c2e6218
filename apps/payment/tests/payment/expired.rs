//! Not paid in time.

use std::time::Duration;

use cafe_clock::after;
use cafe_events::PaymentEvent;
use cafe_failures::{tried, vendor};

use crate::service::Cafe;

#[tokio::test]
async fn an_order_heard_after_its_pay_by_expires_and_nobody_is_asked() {
    tried(&vendor::HEARD_LATE);
    let cafe = Cafe::closed();
    let order_id = cafe.place("tok_ok");
    cafe.clock.advance(Duration::from_mins(11));
    let cafe = cafe.started().await;
    cafe.until_said(order_id, |event| matches!(event, PaymentEvent::Expired(_))).await;
    assert!(cafe.charges(order_id).is_empty());
    assert_eq!(cafe.said(order_id).len(), 1);
    cafe.close().await;
}

#[tokio::test]
async fn an_order_heard_just_before_its_pay_by_is_not_asked_late_and_expires() {
    tried(&vendor::HEARD_LATE);
    let cafe = Cafe::closed();
    let order_id = cafe.place("tok_ok");
    cafe.clock.advance(Duration::from_secs(600 - 14));
    let cafe = cafe.started().await;
    let payment = cafe.until_seen(order_id, |payment| payment["status"] == "due").await;
    assert_eq!(payment["attempts"].as_array().map(Vec::len), Some(0), "{payment}");
    assert!(cafe.said(order_id).is_empty(), "not before its time");
    cafe.in_time_said(order_id, |event| matches!(event, PaymentEvent::Expired(_))).await;
    assert!(cafe.charges(order_id).is_empty());
    assert_eq!(cafe.said(order_id).len(), 1);
    cafe.close().await;
}

#[tokio::test]
async fn of_fifteen_seconds_the_first_ten_are_for_asking() {
    let cafe = Cafe::closed();
    let pay_by = after(cafe.clock.now(), Duration::from_secs(15));
    let order_id = cafe.place_with("tok_ok", |order| order.pay_by = pay_by);
    cafe.clock.advance(Duration::from_secs(10));
    let cafe = cafe.started().await;
    cafe.until_said(order_id, |event| matches!(event, PaymentEvent::Approved(_))).await;
    cafe.close().await;
}
