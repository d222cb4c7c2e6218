//! `POST /webhooks/{vendor}`.

use std::time::Duration;

use cafe_events::PaymentEvent;
use cafe_failures::{tried, vendor};

use crate::service::Cafe;

#[tokio::test]
async fn news_of_an_unknown_attempt_has_it_looked_up_at_once() {
    tried(&vendor::SILENT);
    let cafe = Cafe::open().await;
    let order_id = cafe.place("tok_timeout");
    cafe.until("the charge", || async { (!cafe.charges(order_id).is_empty()).then_some(()) }).await;
    cafe.clock.advance(Duration::from_secs(11));
    cafe.until_seen(order_id, |payment| payment["status"] == "unknown").await;
    let news = format!(r#"{{"key":"{order_id}/1","status":"DONE"}}"#);
    assert_eq!(cafe.without_key("POST", "/webhooks/simulator", &news).await.status, 202);
    // No time passes.
    cafe.until_said(order_id, |event| matches!(event, PaymentEvent::Approved(_))).await;
    cafe.close().await;
}

#[tokio::test]
async fn nothing_is_believed() {
    tried(&vendor::FALSE_NEWS);
    let cafe = Cafe::open().await;
    let order_id = cafe.place("tok_never");
    cafe.until_seen(order_id, |payment| payment["status"] == "asking").await;
    let news = format!(r#"{{"key":"{order_id}/1","status":"DONE"}}"#);
    assert_eq!(cafe.without_key("POST", "/webhooks/simulator", &news).await.status, 202);
    assert_eq!(cafe.without_key("POST", "/webhooks/simulator", r#"{"key":"?"}"#).await.status, 202);
    assert!(cafe.said(order_id).is_empty());
    assert_eq!(cafe.without_key("POST", "/webhooks/shells", &news).await.status, 404);
    assert_eq!(cafe.without_key("POST", "/webhooks/simulator", "{}").await.status, 422);
    cafe.close().await;
}
