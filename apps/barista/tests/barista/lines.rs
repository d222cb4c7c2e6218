//! `POST /tickets/{order_id}/lines/{line_id}/…`.

use cafe_events::TicketEvent;

use crate::service::Cafe;

#[tokio::test]
async fn the_last_line_that_is_made_makes_the_ticket_ready() {
    let cafe = Cafe::open().await;
    let order_id = cafe.queued(2).await;
    let first = cafe.staff(order_id, "lines/2/ready").await;
    assert_eq!((first.status, &first.body["status"]), (200, &"making".into()));
    assert_eq!(first.body["lines"][1]["state"], "ready");
    let second = cafe.staff(order_id, "lines/1/ready").await;
    assert_eq!(second.body["status"], "ready");
    let repeated = cafe.staff(order_id, "lines/1/ready").await;
    assert_eq!((repeated.status, &repeated.body["version"]), (200, &second.body["version"]));
    cafe.until_said(order_id, |event| matches!(event, TicketEvent::Ready(_))).await;
    cafe.close().await;
}

#[tokio::test]
async fn a_made_line_is_made_again_while_the_others_stay() {
    let cafe = Cafe::open().await;
    let order_id = cafe.queued(2).await;
    cafe.staff(order_id, "ready").await;
    let recalled = cafe.staff_with(order_id, "lines/1/recall", r#"{"reason":"spilled"}"#).await;
    assert_eq!(recalled.body["status"], "making");
    assert_eq!(
        (&recalled.body["lines"][0]["state"], &recalled.body["lines"][1]["state"]),
        (&"waiting".into(), &"ready".into())
    );
    let said = cafe.until_said(order_id, |event| matches!(event, TicketEvent::Recalled(_))).await;
    assert!(
        matches!(said, TicketEvent::Recalled(said) if said.lines == [1] && said.reason.as_deref() == Some("spilled"))
    );
    cafe.close().await;
}

#[tokio::test]
async fn a_rejected_line_is_left_out_of_what_is_made() {
    let cafe = Cafe::open().await;
    let order_id = cafe.queued(2).await;
    let rejected = cafe.staff_with(order_id, "lines/1/reject", r#"{"reason":"no milk left"}"#).await;
    assert_eq!(
        (&rejected.body["status"], &rejected.body["lines"][0]["state"]),
        (&"queued".into(), &"rejected".into())
    );
    assert_eq!(cafe.staff(order_id, "lines/1/ready").await.status, 409);
    assert_eq!(cafe.staff(order_id, "lines/2/ready").await.body["status"], "ready");
    cafe.close().await;
}

#[tokio::test]
async fn a_line_that_the_ticket_does_not_have_is_not_found() {
    let cafe = Cafe::open().await;
    let order_id = cafe.queued(1).await;
    assert_eq!(cafe.staff(order_id, "lines/9/ready").await.status, 404);
    assert_eq!(cafe.staff(order_id, "lines/-1/ready").await.status, 400);
    assert_eq!(cafe.staff(order_id, "lines/1/drink").await.status, 404);
    cafe.close().await;
}
