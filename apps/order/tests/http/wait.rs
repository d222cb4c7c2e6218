use std::time::Duration;

use crate::cafe::{Cafe, PATIENCE, Taken, declined, wish};

#[tokio::test]
async fn the_answer_waits_for_payment() {
    let cafe = Cafe::open();
    let key = [("idempotency-key", "k")];
    let taken = Taken::of(&cafe.post("/orders", &key, &wish()).await);
    let asked = [("prefer", "wait=20"), key[0]];
    let body = wish();
    let waiting = cafe.post("/orders", &asked, &body);
    let speaking = async {
        until_watched(&cafe).await;
        cafe.say(&taken, 1, &taken.approved());
    };
    let (reply, ()) = tokio::join!(waiting, speaking);
    assert_eq!((reply.status.as_u16(), reply.header("preference-applied")), (201, "wait=20"));
    assert_eq!(reply.json()["status"], "paid");
}

#[tokio::test]
async fn a_refusal_ends_the_wait_too() {
    let cafe = Cafe::open();
    let key = [("idempotency-key", "k")];
    let taken = Taken::of(&cafe.post("/orders", &key, &wish()).await);
    cafe.say(&taken, 1, &declined());
    let reply = cafe.post("/orders", &[("prefer", "wait=20"), key[0]], &wish()).await;
    assert_eq!(reply.json()["status"], "declined");
}

#[tokio::test]
async fn the_wait_is_over_in_time() {
    let cafe = Cafe::open();
    let reply = cafe.post("/orders", &[("prefer", "wait=1")], &wish()).await;
    assert_eq!((reply.status.as_u16(), reply.json()["status"].as_str()), (201, Some("placed")));
}

#[tokio::test]
async fn a_preference_that_cannot_be_read_is_ignored() {
    let cafe = Cafe::open();
    let reply = cafe.post("/orders", &[("prefer", "wait=soon")], &wish()).await;
    assert_eq!((reply.status.as_u16(), reply.header("preference-applied")), (201, ""));
}

/// Metrics are the process's: other tests may watch too, so this only makes it likely that the wait has begun.
async fn until_watched(cafe: &Cafe) {
    let watched = async {
        loop {
            let metrics = String::from_utf8(cafe.get("/metrics").await.body.to_vec()).unwrap();
            let watchers = metrics.lines().find_map(|line| line.strip_prefix("cafe_order_watchers "));
            if watchers.is_some_and(|watchers| watchers != "0") {
                return;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let _ = tokio::time::timeout(PATIENCE, watched).await;
}
