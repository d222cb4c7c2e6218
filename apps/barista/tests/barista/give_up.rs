//! A ready ticket of which nobody says that it was handed over.

use std::time::Duration;

use cafe_events::TicketEvent;

use crate::service::Cafe;

#[tokio::test]
async fn a_ticket_that_nobody_comes_for_is_given_up() {
    let cafe = Cafe::open_with(|config| {
        config.uncollected_after = Duration::from_millis(40);
        config.two_touch = true;
    })
    .await;
    let (ready, queued) = (cafe.queued(1).await, cafe.queued(1).await);
    cafe.staff(ready, "ready").await;
    cafe.until_said(ready, |event| matches!(event, TicketEvent::Uncollected(_))).await;
    assert_eq!(cafe.ticket(ready).await["status"], "uncollected");
    assert_eq!(cafe.ticket(queued).await["status"], "queued");
    assert_eq!(cafe.staff(ready, "pick-up").await.status, 409);
    cafe.close().await;
}

#[tokio::test]
async fn a_ticket_that_was_ready_for_long_counts_as_picked_up() {
    let cafe = Cafe::open_with(|config| config.picked_up_after = Duration::from_millis(40)).await;
    let ready = cafe.queued(1).await;
    cafe.staff(ready, "ready").await;
    cafe.until_said(ready, |event| matches!(event, TicketEvent::PickedUp(_))).await;
    // It is called back all the same.
    assert_eq!(cafe.staff(ready, "recall").await.body["status"], "making");
    cafe.close().await;
}
