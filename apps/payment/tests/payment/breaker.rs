//! The vendor fails for everybody.

use cafe_events::PaymentEvent;
use cafe_failures::{log, tried, vendor};

use crate::service::Cafe;

#[tokio::test]
async fn orders_wait_while_the_vendor_fails_and_all_are_paid_when_it_works_again() {
    tried(&vendor::FAILS);
    let log = log();
    let cafe = Cafe::closed();
    cafe.outage("error");
    let cafe = cafe.started().await;
    let first = cafe.place_many("tok_ok", 40);
    cafe.until("the breaker", || async {
        let second = cafe.place("tok_ok");
        let payment = cafe.until_seen(second, |_| true).await;
        (payment["status"] == "due").then_some(())
    })
    .await;
    assert!(log.says(&["the vendor's breaker changed", "after=Open"]), "{}", log.text());
    let waiting = cafe.place_many("tok_ok", 20);
    for order_id in &waiting {
        cafe.until_seen(*order_id, |payment| payment["attempts"].as_array().unwrap().is_empty()).await;
    }

    cafe.outage("");
    for order_id in first.into_iter().chain(waiting) {
        cafe.in_time_said(order_id, |event| matches!(event, PaymentEvent::Approved(_))).await;
        assert_eq!(cafe.charges(order_id).len(), 1);
    }
    cafe.close().await;
}

#[tokio::test]
async fn a_vendor_that_approves_in_silence_charges_nobody_twice() {
    tried(&vendor::SILENT);
    let cafe = Cafe::closed();
    cafe.outage("silent");
    let cafe = cafe.started().await;
    let orders = cafe.place_many("tok_ok", 10);
    for order_id in &orders {
        cafe.in_time_seen(*order_id, |payment| payment["status"] == "unknown").await;
    }
    cafe.outage("");
    for order_id in orders {
        cafe.in_time_said(order_id, |event| matches!(event, PaymentEvent::Approved(_))).await;
        assert_eq!(cafe.charges(order_id).len(), 1);
    }
    cafe.close().await;
}
