//! The customer wants an order undone, at each stage of paying.

use cafe_events::{Party, PaymentEvent};
use cafe_failures::{customer, tried};

use crate::samples::TOTAL;
use crate::service::Cafe;

#[tokio::test]
async fn before_anything_was_asked_it_is_cancelled_and_nothing_is_charged() {
    tried(&customer::CANCELS);
    let cafe = Cafe::closed();
    let order_id = cafe.place("tok_ok");
    // Too late to ask, too early to expire: it waits.
    cafe.clock.advance(std::time::Duration::from_secs(590));
    let cafe = cafe.started().await;
    cafe.until_seen(order_id, |payment| payment["status"] == "due").await;
    cafe.cancel(order_id);
    let event = cafe.until_said(order_id, |_| true).await;
    assert!(matches!(event, PaymentEvent::Cancelled(cancelled) if cancelled.by == Party::Customer));
    assert!(cafe.charges(order_id).is_empty());
    cafe.close().await;
}

#[tokio::test]
async fn while_the_vendor_is_asked_it_waits_and_the_charge_is_given_back() {
    tried(&customer::CANCELS);
    let cafe = Cafe::open().await;
    let order_id = cafe.place("tok_slow");
    cafe.until_seen(order_id, |payment| payment["status"] == "asking").await;
    cafe.cancel(order_id);
    cafe.in_time_said(order_id, |event| matches!(event, PaymentEvent::Refunded(_))).await;
    let said = cafe.said(order_id);
    assert!(matches!(said[0], PaymentEvent::Cancelled(_)), "{said:?}");
    assert_eq!(said.len(), 2, "no approval was announced: {said:?}");
    assert_eq!(cafe.refunds(order_id)[0].amount, TOTAL);
    let payment = cafe.payment(order_id).await;
    assert_eq!((&payment["status"], &payment["refunded"]), (&"cancelled".into(), &TOTAL.into()));
    cafe.close().await;
}

#[tokio::test]
async fn while_the_outcome_is_unknown_it_waits_for_the_truth() {
    tried(&customer::CANCELS);
    let cafe = Cafe::open().await;
    let order_id = cafe.place("tok_timeout");
    cafe.in_time_seen(order_id, |payment| payment["status"] != "due").await;
    cafe.cancel(order_id);
    cafe.in_time_said(order_id, |event| matches!(event, PaymentEvent::Refunded(_))).await;
    assert!(matches!(cafe.said(order_id)[0], PaymentEvent::Cancelled(_)));
    cafe.close().await;
}

#[tokio::test]
async fn an_attempt_that_was_lost_is_closed_first_and_then_it_is_cancelled() {
    tried(&customer::CANCELS);
    let cafe = Cafe::open().await;
    let order_id = cafe.place("tok_never");
    cafe.until_seen(order_id, |payment| payment["status"] == "asking").await;
    cafe.cancel(order_id);
    cafe.in_time_said(order_id, |event| matches!(event, PaymentEvent::Cancelled(_))).await;
    let payment = cafe.payment(order_id).await;
    assert_eq!(payment["attempts"].as_array().unwrap().len(), 1, "it is not asked again");
    assert_eq!(payment["attempts"][0]["state"], "not_charged");
    cafe.close().await;
}

#[tokio::test]
async fn after_the_approval_it_is_forwarded_and_the_barista_decides() {
    tried(&customer::CANCELS);
    let cafe = Cafe::open().await;
    let order_id = cafe.place("tok_ok");
    cafe.until_said(order_id, |event| matches!(event, PaymentEvent::Approved(_))).await;
    cafe.cancel(order_id);
    let forwarded =
        cafe.until_said(order_id, |event| matches!(event, PaymentEvent::CancelRequested(_))).await;
    assert!(matches!(forwarded, PaymentEvent::CancelRequested(wish) if wish.by == Party::Customer));
    assert!(cafe.refunds(order_id).is_empty());

    cafe.ticket_cancelled(order_id);
    cafe.until_said(order_id, |event| matches!(event, PaymentEvent::Refunded(_))).await;
    assert_eq!(cafe.refunds(order_id)[0].amount, TOTAL);
    assert_eq!(cafe.payment(order_id).await["goodwill"], 0);
    cafe.close().await;
}

#[tokio::test]
async fn a_customer_whose_cancel_is_refused_pays() {
    let cafe = Cafe::open().await;
    let order_id = cafe.place("tok_ok");
    cafe.until_said(order_id, |event| matches!(event, PaymentEvent::Approved(_))).await;
    cafe.cancel(order_id);
    cafe.until_said(order_id, |event| matches!(event, PaymentEvent::CancelRequested(_))).await;
    cafe.cancel_refused(order_id, Party::Customer);
    cafe.ticket_rejected(order_id, &[1], false);
    // What comes after shows that the refusal was heard and gave nothing back.
    cafe.until_said(order_id, |event| matches!(event, PaymentEvent::Refunded(_))).await;
    assert_eq!(cafe.payment(order_id).await["refunded"], 3_500);
    cafe.close().await;
}
