//! `POST /tickets/{order_id}/start`.

use cafe_events::TicketEvent;

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

#[tokio::test]
async fn the_next_ticket_starts_when_the_one_before_it_is_ready() {
    let cafe = Cafe::open().await;
    let orders = [cafe.queued(1).await, cafe.queued(1).await, cafe.queued(1).await];
    for order_id in orders {
        assert_eq!(cafe.ticket(order_id).await["status"], "queued", "nobody has finished anything");
    }
    cafe.staff(orders[0], "ready").await;
    cafe.until_said(orders[1], |event| matches!(event, TicketEvent::Started(_))).await;
    cafe.staff(orders[1], "reject").await;
    cafe.until_said(orders[2], |event| matches!(event, TicketEvent::Started(_))).await;
    cafe.close().await;
}

#[tokio::test]
async fn where_something_is_being_made_nothing_else_starts_by_itself() {
    let cafe = Cafe::open().await;
    let orders = [cafe.queued(1).await, cafe.queued(1).await, cafe.queued(1).await, cafe.queued(1).await];
    cafe.staff(orders[1], "start").await;
    cafe.staff(orders[0], "ready").await;
    cafe.staff(orders[1], "ready").await;
    // The second ticket's end starts the third; the first one's end started none, or the fourth would have its turn.
    cafe.until_said(orders[2], |event| matches!(event, TicketEvent::Started(_))).await;
    assert_eq!(cafe.ticket(orders[3]).await["status"], "queued");
    cafe.close().await;
}

#[tokio::test]
async fn where_staff_touch_twice_nothing_starts_by_itself() {
    let cafe = Cafe::open_with(|config| config.two_touch = true).await;
    let orders = [cafe.queued(1).await, cafe.queued(1).await];
    cafe.staff(orders[0], "ready").await;
    // Whatever would have come of it has come by then.
    let last = cafe.queued(1).await;
    cafe.staff(last, "start").await;
    assert_eq!(cafe.ticket(orders[1]).await["status"], "queued");
    cafe.close().await;
}

#[tokio::test]
async fn what_was_seen_as_it_is_no_more_is_not_done() {
    let cafe = Cafe::open().await;
    let order_id = cafe.queued(1).await;
    let seen = cafe.ticket(order_id).await["version"].to_string();
    assert_eq!(cafe.staff_if(order_id, "ready", &format!("\"{seen}\"")).await.status, 200);
    let late = cafe.staff_if(order_id, "pick-up", &format!("\"{seen}\"")).await;
    assert_eq!((late.status, &late.body["type"]), (412, &"urn:cafe:problem:changed".into()));
    assert_eq!(late.body["detail"], "the ticket has changed since: it is ready");
    assert_eq!(cafe.ticket(order_id).await["status"], "ready");
    assert_eq!(cafe.staff_if(order_id, "pick-up", "4").await.status, 400);
    assert_eq!(cafe.staff_if(order_id, "pick-up", "*").await.status, 200);
    cafe.close().await;
}
