//! A barista for cafes that have none.

use std::time::{Duration, Instant};

use cafe_barista::RobotConfig;
use cafe_events::{OrderId, TicketEvent};

use crate::service::{Cafe, until};

const FAST: RobotConfig = RobotConfig { speed: 1_000.0, baristas: 4 };

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_robot_makes_what_is_queued_first_in_first_out() {
    let cafe = Cafe::open_with(|config| config.robot = Some(FAST)).await;
    let orders = cafe.approved_many(2_000).await;
    let began = Instant::now();
    until_picked_up(&cafe, &orders).await;
    assert!(began.elapsed() < Duration::from_secs(15), "2,000 orders took {:?}", began.elapsed());
    assert_eq!(cafe.payment.in_order_of(|event| matches!(event, TicketEvent::Started(_))), orders);
    cafe.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_robot_that_starts_again_goes_on_from_the_rows() {
    let mut cafe = Cafe::open().await;
    let orders = cafe.approved_many(600).await;
    cafe.queued(1).await;
    // One each of making and ready, whoever left them so.
    cafe.staff(orders[0], "start").await;
    cafe.staff(orders[1], "ready").await;
    cafe.restart_with(|config| config.robot = Some(FAST)).await;
    until("some of it", || async { is_picked_up(&cafe, orders[100]).then_some(()) }).await;
    cafe.restart_with(|_| {}).await;
    until_picked_up(&cafe, &orders).await;
    cafe.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_robot_makes_again_what_a_person_recalls() {
    let cafe = Cafe::open_with(|config| config.robot = Some(FAST)).await;
    let orders = cafe.approved_many(1).await;
    until_picked_up(&cafe, &orders).await;
    assert_eq!(cafe.staff(orders[0], "recall").await.status, 200);
    until("it is handed over again", || async {
        let handed_over = cafe.payment.heard_about(orders[0]);
        (handed_over.iter().filter(|event| matches!(event, TicketEvent::PickedUp(_))).count() == 2)
            .then_some(())
    })
    .await;
    cafe.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_robot_leaves_alone_what_was_cancelled() {
    let cafe = Cafe::open_with(|config| config.robot = Some(RobotConfig { speed: 20.0, baristas: 1 })).await;
    let orders = cafe.approved_many(5).await;
    cafe.until_said(orders[4], |event| matches!(event, TicketEvent::Queued(_))).await;
    cafe.cancel_requested(orders[4]).await;
    cafe.until_said(orders[4], |event| matches!(event, TicketEvent::Cancelled(_))).await;
    until_picked_up(&cafe, &orders[..4]).await;
    assert_eq!(cafe.ticket(orders[4]).await["status"], "cancelled");
    cafe.close().await;
}

async fn until_picked_up(cafe: &Cafe, orders: &[OrderId]) {
    for order_id in orders {
        until("the order to be picked up", || async { is_picked_up(cafe, *order_id).then_some(()) }).await;
    }
}

fn is_picked_up(cafe: &Cafe, order_id: OrderId) -> bool {
    cafe.payment.heard_about(order_id).iter().any(|event| matches!(event, TicketEvent::PickedUp(_)))
}
