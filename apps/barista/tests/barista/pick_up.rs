//! `POST /tickets/{order_id}/pick-up`.

use crate::service::Cafe;

#[tokio::test]
async fn a_ready_ticket_is_handed_over_and_leaves_the_queue() {
    let cafe = Cafe::open().await;
    let order_id = cafe.queued(1).await;
    cafe.staff(order_id, "ready").await;
    let picked_up = cafe.staff(order_id, "pick-up").await;
    assert_eq!((picked_up.status, &picked_up.body["status"]), (200, &"picked_up".into()));
    assert_eq!(cafe.staff(order_id, "pick-up").await.status, 200);
    assert_eq!(cafe.get("/queue").await.body["tickets"].as_array().unwrap().len(), 0);
    cafe.close().await;
}

#[tokio::test]
async fn what_is_not_ready_is_not_handed_over() {
    let cafe = Cafe::open().await;
    let order_id = cafe.queued(1).await;
    let refused = cafe.staff(order_id, "pick-up").await;
    assert_eq!(refused.status, 409);
    assert_eq!(refused.body["type"], "urn:cafe:problem:not-now");
    assert_eq!(refused.body["detail"], "the ticket is queued; possible now: start, ready, reject");
    cafe.close().await;
}
