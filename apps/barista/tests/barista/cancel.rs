//! Payment forwarded a wish to cancel.

use cafe_events::TicketEvent;
use cafe_failures::{customer, tried};

use crate::service::Cafe;

#[tokio::test]
async fn a_cancel_is_honoured_until_making_starts() {
    tried(&customer::CANCELS);
    let cafe = Cafe::open().await;
    let order_id = cafe.queued(1).await;
    cafe.cancel_requested(order_id).await;
    cafe.until_said(order_id, |event| matches!(event, TicketEvent::Cancelled(_))).await;
    assert_eq!(cafe.ticket(order_id).await["status"], "cancelled");
    let refused = cafe.staff(order_id, "start").await;
    assert_eq!(refused.status, 409);
    assert_eq!(refused.body["detail"], "the ticket is cancelled; possible now: nothing");
    cafe.close().await;
}

#[tokio::test]
async fn a_cancel_is_refused_once_making_has_started() {
    tried(&customer::CANCELS);
    let cafe = Cafe::open().await;
    let order_id = cafe.queued(1).await;
    cafe.staff(order_id, "start").await;
    cafe.cancel_requested(order_id).await;
    let refused = cafe.until_said(order_id, |event| matches!(event, TicketEvent::CancelRefused(_))).await;
    assert!(
        matches!(refused, TicketEvent::CancelRefused(refused) if refused.reason == "the ticket is making")
    );
    assert_eq!(cafe.ticket(order_id).await["status"], "making");
    cafe.close().await;
}
