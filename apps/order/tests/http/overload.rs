use std::time::Duration;

use cafe_failures::{process, tried};

use crate::cafe::{Cafe, PATIENCE, Reply, wish};

const MINUTE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn customers_are_told_when_payment_is_slow() {
    tried(&process::PAYMENT_BEHIND);
    let cafe = Cafe::open();
    let waiting = cafe.place().await;
    cafe.clock.advance(5 * MINUTE);
    let reply = until(&cafe, |reply| reply.json()["payment_delayed"] == true).await;
    assert_eq!(reply.status, 201);
    assert!(reply.json()["notice"].as_str().unwrap().contains("longer than usual"));
    assert_eq!(cafe.order(&waiting).await["payment_delayed"], true);
    cafe.say(&waiting, 1, &waiting.approved());
    assert_eq!(cafe.until(&waiting, "paid").await["payment_delayed"], false, "it does not wait any more");
}

#[tokio::test]
async fn orders_that_would_expire_are_not_taken_but_repeated_ones_are_answered() {
    tried(&process::PAYMENT_BEHIND);
    let cafe = Cafe::open();
    let key = [("idempotency-key", "k")];
    let first = cafe.post("/orders", &key, &wish()).await;
    cafe.clock.advance(8 * MINUTE);
    let refused = until(&cafe, |reply| reply.status == 503).await;
    assert_eq!(refused.json()["type"], "urn:cafe:problem:payment-stuck");
    assert_eq!(refused.header("retry-after"), "30");
    let announced = cafe.announced().len();
    assert_eq!(cafe.post("/orders", &[("idempotency-key", "new")], &wish()).await.status, 503);
    assert_eq!(cafe.announced().len(), announced, "nothing has happened");
    let again = cafe.post("/orders", &key, &wish()).await;
    assert_eq!((again.status.as_u16(), again.json()["id"].clone()), (201, first.json()["id"].clone()));
}

#[tokio::test]
async fn an_order_that_payment_has_passed_by_keeps_nobody_waiting() {
    tried(&process::PAYMENT_BEHIND);
    let cafe = Cafe::open();
    let silent = cafe.place().await;
    cafe.clock.advance(MINUTE);
    let paid = cafe.place().await;
    cafe.clock.advance(9 * MINUTE);
    until(&cafe, |reply| reply.status == 503).await;
    cafe.say(&paid, 1, &paid.approved());
    until(&cafe, |reply| reply.status == 201 && reply.json()["payment_delayed"] == false).await;
    assert_eq!(cafe.order(&silent).await["status"], "placed");
}

#[tokio::test]
async fn a_customer_who_has_not_shown_a_proof_of_payment_closes_the_shop_to_nobody() {
    let cafe = Cafe::open();
    let mut without = wish();
    without["payment"].as_object_mut().unwrap().remove("token");
    assert_eq!(cafe.post("/orders", &[], &without).await.status, 201);
    cafe.clock.advance(MINUTE);
    let waiting = cafe.place().await;
    // Seven minutes of the second order are a delay; eight of the first would have closed the shop.
    cafe.clock.advance(7 * MINUTE);
    let reply = until(&cafe, |reply| reply.status == 503 || reply.json()["payment_delayed"] == true).await;
    assert_eq!(reply.status, 201);
    cafe.say(&waiting, 1, &waiting.approved());
}

/// Places orders until the answer is as expected.
async fn until(cafe: &Cafe, expected: impl Fn(&Reply) -> bool) -> Reply {
    let answered = async {
        loop {
            let reply = cafe.post("/orders", &[], &wish()).await;
            if expected(&reply) {
                return reply;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, answered).await.expect("the backlog is looked at every second")
}
