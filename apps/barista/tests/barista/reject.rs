//! `POST /tickets/{order_id}/reject`.

use cafe_events::TicketEvent;

use crate::service::Cafe;

#[tokio::test]
async fn a_ticket_of_which_nothing_can_be_made_ends() {
    let cafe = Cafe::open().await;
    let order_id = cafe.queued(2).await;
    let rejected = cafe.staff_with(order_id, "reject", r#"{"reason":"power cut"}"#).await;
    assert_eq!((rejected.status, &rejected.body["status"]), (200, &"rejected".into()));
    let said = cafe.until_said(order_id, |event| matches!(event, TicketEvent::Rejected(_))).await;
    assert!(matches!(said, TicketEvent::Rejected(said) if said.all && said.lines == [1, 2]));
    let repeated = cafe.staff(order_id, "reject").await;
    assert_eq!((repeated.status, repeated.body), (200, rejected.body));
    cafe.close().await;
}

#[tokio::test]
async fn a_line_that_is_made_is_not_rejected() {
    let cafe = Cafe::open().await;
    let order_id = cafe.queued(2).await;
    cafe.staff(order_id, "lines/1/ready").await;
    assert_eq!(cafe.staff(order_id, "reject").await.status, 409);
    let rejected = cafe.staff_with(order_id, "reject", r#"{"lines":[2]}"#).await;
    assert_eq!((rejected.status, &rejected.body["status"]), (200, &"ready".into()));
    cafe.close().await;
}
