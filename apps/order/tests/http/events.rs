use cafe_events::Event;
use cafe_failures::{customer, tried};

use crate::cafe::{Cafe, PATIENCE, started};

#[tokio::test]
async fn whoever_watches_sees_every_change() {
    let cafe = Cafe::open();
    let taken = cafe.place().await;
    let mut stream = cafe.watch(&taken, None).await;
    let (id, order) = stream.next().await;
    assert_eq!((id.as_str(), &order["status"]), ("1-0-0", &"placed".into()));
    for (event, version, id, status) in [
        (taken.approved(), 1, "1-1-0", "paid"),
        (taken.queued(), 1, "1-1-1", "paid"),
        (started(), 2, "1-1-2", "making"),
    ] {
        cafe.say(&taken, version, &event);
        let (seen, order) = stream.next().await;
        assert_eq!((seen.as_str(), order["status"].as_str()), (id, Some(status)));
        assert!(order["token"].is_null());
    }
}

#[tokio::test]
async fn whoever_comes_back_with_the_latest_id_hears_only_news() {
    let cafe = Cafe::open();
    let taken = cafe.place().await;
    let mut stream = cafe.watch(&taken, Some("1-0-0")).await;
    cafe.say(&taken, 1, &taken.approved());
    let (id, order) = stream.next().await;
    assert_eq!((id.as_str(), order["status"].as_str()), ("1-1-0", Some("paid")), "no snapshot before it");
}

#[tokio::test]
async fn whoever_missed_something_gets_the_order_as_it_is() {
    let cafe = Cafe::open();
    let taken = cafe.place().await;
    cafe.say(&taken, 1, &taken.approved());
    cafe.until(&taken, "paid").await;
    for stale in ["1-0-0", "0-0-0", "9-9-9", "latte", "", "1-1-0-0"] {
        let (id, _) = cafe.watch(&taken, Some(stale)).await.next().await;
        assert_eq!(id, "1-1-0", "after {stale:?}");
    }
}

#[tokio::test]
async fn a_cancel_is_seen_by_whoever_watches() {
    let cafe = Cafe::open();
    let taken = cafe.place().await;
    let mut stream = cafe.watch(&taken, Some("1-0-0")).await;
    let path = format!("{}/cancel?token={}", taken.path(), taken.token);
    assert_eq!(cafe.send("POST", &path, &[], b"").await.status, 202);
    let (id, order) = stream.next().await;
    assert_eq!((id.as_str(), order["cancel"].as_str()), ("2-0-0", Some("requested")));
}

#[tokio::test]
async fn watching_needs_the_token() {
    let cafe = Cafe::open();
    let taken = cafe.place().await;
    assert_eq!(cafe.get(&format!("{}/events", taken.path())).await.status, 401);
    assert_eq!(cafe.get(&format!("{}/events?token=guess", taken.path())).await.status, 401);
    let nowhere = "/orders/01890a5d-ac96-774b-bcce-b302099a8057/events";
    assert_eq!(cafe.get_with(nowhere, &cafe.staff_key()).await.status, 404);
}

#[tokio::test]
async fn other_orders_news_is_not_heard() {
    let cafe = Cafe::open();
    let (one, other) = (cafe.place().await, cafe.place().await);
    let mut stream = cafe.watch(&one, Some("1-0-0")).await;
    let approvals: [(_, Event); 2] = [(&other, other.approved()), (&one, one.approved())];
    for (taken, event) in &approvals {
        cafe.say(taken, 1, event);
    }
    assert_eq!(stream.next().await.1["id"], one.id.to_string());
}

#[tokio::test]
async fn whoever_watches_does_not_hold_up_a_stop() {
    let mut cafe = Cafe::open();
    let taken = cafe.place().await;
    cafe.watch(&taken, None).await.next().await;
    let stream = cafe.watch(&taken, Some("1-0-0")).await;
    tokio::time::timeout(PATIENCE, cafe.reopen_after(|_| {})).await.expect("a stop ends the stream");
    drop(stream);
    let (id, _) = cafe.watch(&taken, None).await.next().await;
    assert_eq!(id, "1-0-0", "and the order is there again");
}

#[tokio::test]
async fn how_many_watch_is_told() {
    tried(&customer::TOO_MANY_WATCHERS);
    let cafe = Cafe::open();
    let taken = cafe.place().await;
    let watching = cafe.watch(&taken, None).await;
    let page = cafe.get("/metrics").await;
    let page = std::str::from_utf8(&page.body).unwrap();
    // Other tests of this process watch too.
    let count = page.lines().find_map(|line| line.strip_prefix("cafe_order_watchers ")?.parse::<u32>().ok());
    assert!(count.is_some_and(|count| count > 0), "{page}");
    drop(watching);
}
