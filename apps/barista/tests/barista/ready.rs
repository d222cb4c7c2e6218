//! `POST /tickets/{order_id}/ready`.

use cafe_events::TicketEvent;

use crate::service::Cafe;

#[tokio::test]
async fn everything_that_was_left_becomes_ready_at_once() {
    let cafe = Cafe::open().await;
    let order_id = cafe.queued(3).await;
    cafe.staff(order_id, "lines/2/ready").await;
    let ready = cafe.staff(order_id, "ready").await;
    assert_eq!((ready.status, &ready.body["status"]), (200, &"ready".into()));
    cafe.until_said(order_id, |event| matches!(event, TicketEvent::Ready(_))).await;
    let said = cafe.payment.heard_about(order_id);
    assert!(matches!(
        &said[..],
        [
            TicketEvent::Queued(_),
            TicketEvent::Started(_),
            TicketEvent::LineReady(second),
            TicketEvent::LineReady(first),
            TicketEvent::LineReady(third),
            TicketEvent::Ready(_),
        ] if (first.line_id, second.line_id, third.line_id) == (1, 2, 3)
    ));
    cafe.close().await;
}

#[tokio::test]
async fn a_ticket_that_is_ready_stays_ready() {
    let cafe = Cafe::open().await;
    let order_id = cafe.queued(1).await;
    let ready = cafe.staff(order_id, "ready").await;
    let repeated = cafe.staff(order_id, "ready").await;
    assert_eq!((repeated.status, repeated.body), (200, ready.body));
    cafe.close().await;
}
