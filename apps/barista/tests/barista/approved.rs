//! Payment said that an order is paid.

use cafe_events::{PaymentApproved, PaymentDeclined, PaymentEvent, TicketEvent};

use crate::samples;
use crate::service::{Cafe, until};

#[tokio::test]
async fn a_paid_order_joins_the_queue_with_what_is_to_be_made() {
    let cafe = Cafe::open().await;
    let order_id = cafe.queued(2).await;
    let ticket = cafe.ticket(order_id).await;
    assert_eq!(ticket["status"], "queued");
    assert_eq!(ticket["number"], "0001");
    assert_eq!(ticket["sequence"], 1);
    assert_eq!(ticket["version"], 1);
    assert_eq!(ticket["lines"][1]["line_id"], 2);
    assert_eq!(ticket["lines"][1]["name"]["ko"], "아메리카노");
    assert_eq!(ticket["lines"][1]["state"], "waiting");
    cafe.close().await;
}

#[tokio::test]
async fn each_store_has_a_line_of_its_own_in_the_order_of_approval() {
    let cafe = Cafe::open().await;
    let mut expected = Vec::new();
    for (store, sequence) in [("main", 1), ("harbour", 1), ("main", 2), ("main", 3), ("harbour", 2)] {
        expected.push((cafe.approved(store, samples::approved(1)).await, sequence));
    }
    for (order_id, sequence) in expected {
        let queued = cafe.until_said(order_id, |event| matches!(event, TicketEvent::Queued(_))).await;
        assert!(matches!(queued, TicketEvent::Queued(queued) if queued.sequence == sequence));
    }
    cafe.close().await;
}

#[tokio::test]
async fn an_approval_that_cannot_be_made_is_set_aside_and_stops_nobody() {
    let cafe = Cafe::open().await;
    let nothing = PaymentApproved { lines: Vec::new(), ..samples::approved(1) };
    let unmakeable = cafe.approved("main", nothing).await;
    cafe.queued(1).await;
    let parked = until("the set-aside event", || async {
        let parked = cafe.get("/parked").await.body;
        parked["parked"].get(0).cloned()
    })
    .await;
    assert_eq!(parked["order_id"], unmakeable.to_string());
    assert_eq!(cafe.get(&format!("/tickets/{unmakeable}")).await.status, 404);
    cafe.close().await;
}

#[tokio::test]
async fn what_else_payment_says_makes_no_ticket() {
    let cafe = Cafe::open().await;
    let order_id = cafe.new_order();
    let declined =
        PaymentDeclined { vendor: "simulator".to_owned(), reason: "insufficient_funds".to_owned() };
    cafe.payment.say("main", vec![(order_id, PaymentEvent::Declined(declined))]).await;
    cafe.queued(1).await;
    assert_eq!(cafe.get(&format!("/tickets/{order_id}")).await.status, 404);
    cafe.close().await;
}
