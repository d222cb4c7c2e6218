//! What the barista service says of an order that is paid.

use cafe_events::{OrderId, PaymentEvent};

use crate::samples::TOTAL;
use crate::service::Cafe;

async fn approved(cafe: &Cafe) -> OrderId {
    let order_id = cafe.place("tok_ok");
    cafe.until_said(order_id, |event| matches!(event, PaymentEvent::Approved(_))).await;
    order_id
}

async fn until_refunded(cafe: &Cafe, order_id: OrderId, total: i64) {
    cafe.until_said(
        order_id,
        |event| matches!(event, PaymentEvent::Refunded(refunded) if refunded.refunded_total == total),
    )
    .await;
}

#[tokio::test]
async fn the_price_of_a_line_that_cannot_be_made_goes_back_once() {
    let cafe = Cafe::open().await;
    let order_id = approved(&cafe).await;
    cafe.ticket_rejected(order_id, &[2], false);
    until_refunded(&cafe, order_id, 4_000).await;
    cafe.ticket_rejected(order_id, &[2, 1], true);
    until_refunded(&cafe, order_id, TOTAL).await;
    let said = cafe.said(order_id);
    let lines = said.iter().filter_map(|event| match event {
        PaymentEvent::Refunded(refunded) => {
            Some((refunded.lines.clone(), refunded.amount, refunded.goodwill))
        }
        _ => None,
    });
    assert_eq!(lines.collect::<Vec<_>>(), [(vec![2], 4_000, false), (vec![1], 3_500, false)]);
    cafe.close().await;
}

#[tokio::test]
async fn a_cancelled_ticket_gives_back_what_is_left() {
    let cafe = Cafe::open().await;
    let order_id = approved(&cafe).await;
    cafe.ticket_rejected(order_id, &[1], false);
    until_refunded(&cafe, order_id, 3_500).await;
    cafe.ticket_cancelled(order_id);
    until_refunded(&cafe, order_id, TOTAL).await;
    let given: i64 = cafe.refunds(order_id).iter().map(|refund| refund.amount).sum();
    assert_eq!(given, TOTAL);
    cafe.close().await;
}

#[tokio::test]
async fn a_line_that_the_order_does_not_have_is_set_aside() {
    let cafe = Cafe::open().await;
    let order_id = approved(&cafe).await;
    cafe.ticket_rejected(order_id, &[9], false);
    let parked = cafe
        .until("the event set aside", || async {
            let answer = cafe.get("/parked").await;
            answer.body["parked"].as_array().filter(|parked| !parked.is_empty()).cloned()
        })
        .await;
    assert!(parked[0]["reason"].as_str().unwrap().contains("no line 9"), "{parked:?}");
    assert!(cafe.refunds(order_id).is_empty());
    cafe.close().await;
}
