//! `tok_timeout`: the vendor charges, but its answer never comes.

use std::time::Duration;

use cafe_events::PaymentEvent;
use cafe_failures::{log, tried, vendor};

use crate::service::Cafe;

#[tokio::test]
async fn a_charge_without_an_answer_is_unknown_until_it_is_found() {
    tried(&vendor::SILENT);
    let log = log();
    let cafe = Cafe::open().await;
    let order_id = cafe.place("tok_timeout");
    cafe.until("the charge", || async { (!cafe.charges(order_id).is_empty()).then_some(()) }).await;
    cafe.clock.advance(Duration::from_secs(11));
    cafe.until_seen(order_id, |payment| payment["status"] == "unknown" && payment["open"] == true).await;
    assert!(cafe.said(order_id).is_empty(), "unknown is no outcome");
    let told = ["a charge is unknown; it is looked up until settled", &order_id.to_string()];
    assert!(log.says(&told), "{}", log.text());

    cafe.in_time_said(order_id, |event| matches!(event, PaymentEvent::Approved(_))).await;
    assert_eq!(cafe.charges(order_id).len(), 1, "looked up, not asked again");
    assert_eq!(cafe.said(order_id).len(), 1);
    cafe.close().await;
}
