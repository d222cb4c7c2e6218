//! `tok_slow`: the vendor takes 5 s.

use std::time::Duration;

use cafe_clock::since;
use cafe_events::PaymentEvent;
use cafe_failures::{tried, vendor};

use crate::service::Cafe;

#[tokio::test]
async fn a_slow_vendor_is_waited_for_and_holds_up_nobody() {
    tried(&vendor::SLOW);
    let cafe = Cafe::open().await;
    let placed_at = cafe.clock.now();
    let slow = cafe.place("tok_slow");
    cafe.until_seen(slow, |payment| payment["status"] == "asking").await;
    let quick = cafe.place("tok_ok");
    cafe.until_said(quick, |event| matches!(event, PaymentEvent::Approved(_))).await;
    assert!(cafe.said(slow).is_empty());

    cafe.in_time_said(slow, |event| matches!(event, PaymentEvent::Approved(_))).await;
    let waited = since(cafe.clock.now(), placed_at);
    assert!(waited >= Duration::from_secs(5), "{waited:?}");
    assert_eq!(cafe.charges(slow).len(), 1);
    cafe.close().await;
}
