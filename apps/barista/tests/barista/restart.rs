//! The service stops and starts again.

use crate::service::Cafe;

#[tokio::test]
async fn tickets_and_places_in_the_queue_outlive_the_service() {
    let mut cafe = Cafe::open().await;
    let (first, second) = (cafe.queued(1).await, cafe.queued(1).await);
    let started = cafe.staff(first, "start").await;
    cafe.restart_with(|_| {}).await;
    assert_eq!(cafe.ticket(first).await, started.body);
    assert_eq!(cafe.ticket(second).await["status"], "queued");
    let third = cafe.queued(1).await;
    assert_eq!(cafe.ticket(third).await["sequence"], 3);
    cafe.close().await;
}
