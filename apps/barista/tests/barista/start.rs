//! `POST /tickets/{order_id}/start`.

use crate::service::Cafe;

#[tokio::test]
async fn making_starts_once() {
    let cafe = Cafe::open().await;
    let order_id = cafe.queued(1).await;
    let started = cafe.staff(order_id, "start").await;
    assert_eq!((started.status, &started.body["status"]), (200, &"making".into()));
    assert_eq!(started.body["version"], 2);
    let repeated = cafe.staff(order_id, "start").await;
    assert_eq!((repeated.status, repeated.body), (200, started.body));
    cafe.close().await;
}

#[tokio::test]
async fn an_order_that_was_not_paid_has_no_ticket() {
    let cafe = Cafe::open().await;
    let unknown = cafe.new_order();
    let refused = cafe.staff(unknown, "start").await;
    assert_eq!(refused.status, 404);
    assert_eq!(refused.body["detail"], "there is no ticket of this order; an order gets one when it is paid");
    let nonsense = cafe.get("/tickets/0001").await;
    assert_eq!((nonsense.status, &nonsense.body["errors"][0]["field"]), (400, &"order_id".into()));
    cafe.close().await;
}
