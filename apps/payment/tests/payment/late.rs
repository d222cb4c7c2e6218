//! `tok_late`: no answer, "not found" for 30 s, then a charge after all.

use std::time::Duration;

use cafe_clock::after;
use cafe_events::PaymentEvent;
use cafe_failures::{tried, vendor};

use crate::samples::TOTAL;
use crate::service::Cafe;

#[tokio::test]
async fn a_charge_that_lands_in_time_is_approved() {
    tried(&vendor::LATE);
    let cafe = Cafe::open().await;
    let order_id = cafe.place("tok_late");
    cafe.until_seen(order_id, |payment| payment["status"] == "asking").await;
    cafe.in_time_seen(order_id, |payment| payment["status"] == "unknown").await;
    cafe.in_time_said(order_id, |event| matches!(event, PaymentEvent::Approved(_))).await;
    assert_eq!(cafe.charges(order_id).len(), 1, "it was not asked a second time meanwhile");
    cafe.close().await;
}

#[tokio::test]
async fn a_charge_that_lands_after_pay_by_is_given_back() {
    tried(&vendor::LATE);
    let cafe = Cafe::open().await;
    let pay_by = after(cafe.clock.now(), Duration::from_secs(15));
    let order_id = cafe.place_with("tok_late", |order| order.pay_by = pay_by);
    cafe.until_seen(order_id, |payment| payment["status"] == "asking").await;

    cafe.in_time_said(order_id, |event| matches!(event, PaymentEvent::Refunded(_))).await;
    let said = cafe.said(order_id);
    assert!(matches!(&said[0], PaymentEvent::Expired(expired) if expired.pay_by == pay_by), "{said:?}");
    assert!(matches!(&said[1], PaymentEvent::Refunded(refunded) if refunded.amount == TOTAL), "{said:?}");
    let given: i64 = cafe.refunds(order_id).iter().map(|refund| refund.amount).sum();
    assert_eq!(given, TOTAL);
    let payment = cafe.payment(order_id).await;
    assert_eq!((&payment["status"], &payment["goodwill"]), (&"expired".into(), &0.into()));
    assert_eq!(payment["open"], false);
    cafe.close().await;
}
