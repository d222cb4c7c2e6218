//! The vendor, or a rule, clearly refuses.

use cafe_events::PaymentEvent;
use cafe_failures::{tried, vendor};

use crate::service::Cafe;

async fn reason(cafe: &Cafe, order_id: cafe_events::OrderId) -> String {
    match cafe.until_said(order_id, |_| true).await {
        PaymentEvent::Declined(declined) => declined.reason,
        other => panic!("not declined: {other:?}"),
    }
}

#[tokio::test]
async fn a_declined_card_is_declined() {
    tried(&vendor::DECLINES);
    let cafe = Cafe::open().await;
    let order_id = cafe.place("tok_declined");
    assert_eq!(reason(&cafe, order_id).await, "card_declined");
    let payment = cafe.payment(order_id).await;
    assert_eq!((&payment["status"], &payment["open"]), (&"declined".into(), &false.into()));
    assert_eq!(payment["charged"], 0);
    assert_eq!(cafe.said(order_id).len(), 1, "of nothing to be made");
    cafe.close().await;
}

#[tokio::test]
async fn what_cannot_be_paid_at_all_says_why() {
    tried(&vendor::DECLINES);
    let cafe = Cafe::open().await;
    let invalid = cafe.place("tok_of_another_vendor");
    let unknown = cafe.place_with("tok_ok", |order| order.payment.vendor = "shells".to_owned());
    assert_eq!(reason(&cafe, invalid).await, "invalid_token");
    assert_eq!(reason(&cafe, unknown).await, "unknown_vendor");
    assert!(cafe.charges(unknown).is_empty(), "nobody was asked");
    cafe.close().await;
}
