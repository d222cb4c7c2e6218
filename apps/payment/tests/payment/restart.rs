//! The service ends while the vendor is being asked.

use std::time::Duration;

use cafe_events::PaymentEvent;
use cafe_failures::{process, tried};

use crate::service::Cafe;

#[tokio::test]
async fn an_open_attempt_is_looked_up_at_once_and_found() {
    tried(&process::PAYMENT_ENDS_ASKING);
    let cafe = Cafe::open().await;
    let order_id = cafe.place("tok_timeout");
    cafe.until("the charge", || async { (!cafe.charges(order_id).is_empty()).then_some(()) }).await;
    let cafe = cafe.restarted().await;
    // No time passes.
    cafe.until_said(order_id, |event| matches!(event, PaymentEvent::Approved(_))).await;
    assert_eq!(cafe.charges(order_id).len(), 1);
    cafe.close().await;
}

#[tokio::test]
async fn not_found_right_after_a_restart_proves_nothing() {
    tried(&process::PAYMENT_ENDS_ASKING);
    let cafe = Cafe::open().await;
    let order_id = cafe.place("tok_late");
    cafe.until("the request", || async { (!cafe.charges(order_id).is_empty()).then_some(()) }).await;
    cafe.clock.advance(Duration::from_secs(2));
    let cafe = cafe.restarted().await;
    cafe.until_seen(order_id, |payment| payment["status"] == "unknown").await;
    assert!(cafe.said(order_id).is_empty(), "unknown is no outcome");
    cafe.in_time_said(order_id, |event| matches!(event, PaymentEvent::Approved(_))).await;
    assert_eq!(cafe.charges(order_id).len(), 1, "it was not asked a second time");
    cafe.close().await;
}

#[tokio::test]
async fn what_was_placed_while_it_was_away_is_paid_when_it_is_back() {
    tried(&process::NEIGHBOURS_DEAD);
    let mut cafe = Cafe::open().await;
    cafe.stop().await;
    let orders = cafe.place_many("tok_ok", 30);
    let cafe = cafe.started().await;
    for order_id in orders {
        cafe.until_said(order_id, |event| matches!(event, PaymentEvent::Approved(_))).await;
    }
    cafe.close().await;
}
