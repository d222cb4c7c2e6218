//! `tok_error`: an error of the vendor's, then approved on a new attempt.

use cafe_events::PaymentEvent;
use cafe_failures::{tried, vendor};

use crate::service::Cafe;

#[tokio::test]
async fn after_an_error_one_look_closes_the_attempt_and_a_new_one_is_approved() {
    tried(&vendor::FAILS);
    let cafe = Cafe::open().await;
    let order_id = cafe.place("tok_error");
    cafe.in_time_said(order_id, |event| matches!(event, PaymentEvent::Approved(_))).await;
    let payment = cafe.payment(order_id).await;
    assert_eq!(payment["attempts"][0]["state"], "not_charged");
    assert_eq!(payment["attempts"][1]["state"], "charged");
    let charges = cafe.charges(order_id);
    assert_eq!(charges.len(), 1);
    assert_eq!(charges[0].key, format!("{order_id}/2"), "a new attempt has a new key");
    cafe.close().await;
}
