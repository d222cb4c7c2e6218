//! The trace of what a person asked for goes on through what the vendor is asked and what is announced of it.

use cafe_events::PaymentEvent;

use crate::service::Cafe;

const ORDERED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const CANCELLED: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[tokio::test]
async fn the_orders_trace_goes_on_through_the_charge_and_the_approval() {
    let cafe = Cafe::open().await;
    let order_id = cafe.place_traced("tok_ok", ORDERED);
    cafe.until_said(order_id, |event| matches!(event, PaymentEvent::Approved(_))).await;
    assert_eq!(cafe.vendor_traces(order_id), [ORDERED]);
    assert_eq!(cafe.records(order_id)[0].traceparent.as_deref(), Some(ORDERED));
    cafe.close().await;
}

#[tokio::test]
async fn the_orders_trace_goes_on_through_a_charge_that_was_looked_up_after_a_restart() {
    let cafe = Cafe::open().await;
    let order_id = cafe.place_traced("tok_timeout", ORDERED);
    cafe.until_seen(order_id, |payment| payment["status"] == "asking").await;
    let cafe = cafe.restarted().await;
    cafe.in_time_said(order_id, |event| matches!(event, PaymentEvent::Approved(_))).await;
    assert_eq!(cafe.records(order_id)[0].traceparent.as_deref(), Some(ORDERED));
    cafe.close().await;
}

#[tokio::test]
async fn the_wish_to_cancels_trace_goes_on_through_the_refund() {
    let cafe = Cafe::open().await;
    let order_id = cafe.place_traced("tok_slow", ORDERED);
    cafe.until_seen(order_id, |payment| payment["status"] == "asking").await;
    cafe.cancel_traced(order_id, CANCELLED);
    cafe.in_time_said(order_id, |event| matches!(event, PaymentEvent::Refunded(_))).await;
    assert_eq!(cafe.vendor_traces(order_id), [ORDERED, CANCELLED]);
    let refunded = cafe.records(order_id).pop().unwrap();
    assert_eq!(refunded.traceparent.as_deref(), Some(CANCELLED));
    cafe.close().await;
}

#[tokio::test]
async fn staffs_trace_goes_on_through_the_goodwill_they_give() {
    let cafe = Cafe::open().await;
    let order_id = cafe.place_traced("tok_ok", ORDERED);
    cafe.until_said(order_id, |event| matches!(event, PaymentEvent::Approved(_))).await;
    cafe.refund(order_id, r#"{"reason":"it was cold","amount":500}"#).await;
    cafe.until_said(order_id, |event| matches!(event, PaymentEvent::Refunded(_))).await;
    let traces = cafe.vendor_traces(order_id);
    let refunded = cafe.records(order_id).pop().unwrap();
    assert_eq!(refunded.traceparent.as_ref(), traces.get(1));
    assert!(traces[0] == ORDERED && !traces[1].contains(&ORDERED[3..35]), "a trace of its own: {traces:?}");
    cafe.close().await;
}
