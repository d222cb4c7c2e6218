//! An order without the customer's proof of payment waits for it.

use std::time::Duration;

use cafe_events::{OrderId, Party, PaymentEvent};

use crate::service::Cafe;

fn without_proof(cafe: &Cafe) -> OrderId {
    cafe.place_with("", |order| order.payment.token = None)
}

#[tokio::test]
async fn nobody_is_asked_and_it_stays_due_until_it_expires() {
    let cafe = Cafe::open().await;
    let order_id = without_proof(&cafe);
    cafe.until_seen(order_id, |payment| payment["status"] == "due").await;
    cafe.clock.advance(Duration::from_secs(598));
    // What was placed later is paid meanwhile: nobody waits behind it.
    let later = cafe.place("tok_ok");
    cafe.until_said(later, |event| matches!(event, PaymentEvent::Approved(_))).await;
    assert_eq!(cafe.payment(order_id).await["status"], "due");
    assert!(cafe.said(order_id).is_empty());

    let event = cafe.in_time_said(order_id, |_| true).await;
    assert!(matches!(event, PaymentEvent::Expired(_)), "{event:?}");
    assert_eq!(cafe.payment(order_id).await["attempts"], serde_json::json!([]));
    assert!(cafe.charges(order_id).is_empty());
    cafe.close().await;
}

#[tokio::test]
async fn it_can_be_cancelled() {
    let cafe = Cafe::open().await;
    let order_id = without_proof(&cafe);
    cafe.until_seen(order_id, |payment| payment["status"] == "due").await;
    cafe.cancel(order_id);
    let event = cafe.until_said(order_id, |_| true).await;
    assert!(matches!(event, PaymentEvent::Cancelled(cancelled) if cancelled.by == Party::Customer));
    cafe.close().await;
}
