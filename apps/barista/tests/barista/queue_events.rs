//! `GET /queue/events`.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::samples;
use crate::service::{Cafe, Event, Watch};

#[tokio::test]
async fn a_screen_gets_the_queue_first_and_then_what_changes() {
    let cafe = Cafe::open().await;
    let order_id = cafe.queued(1).await;
    let mut screen = cafe.watch("/queue/events", None).await;
    let snapshot = screen.next().await;
    assert_eq!(snapshot.name, "snapshot");
    assert_eq!(snapshot.data["tickets"][0]["order_id"], order_id.to_string());

    cafe.staff(order_id, "start").await;
    let started = until_news(&mut screen).await;
    assert_eq!((started.name.as_str(), &started.data["status"]), ("ticket", &"making".into()));
    assert!(started.id.is_some());
    cafe.close().await;
}

#[tokio::test]
async fn a_screen_that_comes_back_gets_only_what_it_missed() {
    let cafe = Cafe::open().await;
    let (first, second) = (cafe.queued(1).await, cafe.queued(1).await);
    let mut screen = cafe.watch("/queue/events", None).await;
    let seen = screen.next().await.id.unwrap();
    drop(screen);
    cafe.staff(first, "start").await;
    cafe.staff(first, "ready").await;
    cafe.staff(second, "start").await;

    let mut screen = cafe.watch("/queue/events", Some(&seen)).await;
    let (ready, started) = (until_news(&mut screen).await, until_news(&mut screen).await);
    assert_eq!(
        (&ready.data["order_id"], &ready.data["status"]),
        (&first.to_string().into(), &"ready".into())
    );
    assert_eq!(ready.id, None, "who leaves now has not seen the rest");
    assert_eq!(
        (&started.data["order_id"], &started.data["status"]),
        (&second.to_string().into(), &"making".into())
    );
    assert!(started.id.is_some());
    cafe.close().await;
}

#[tokio::test]
async fn an_id_that_is_not_known_any_more_is_answered_with_the_queue() {
    let cafe = Cafe::open().await;
    cafe.queued(1).await;
    for unknown in ["17", "nonsense", "0123456789abcdef0123456789abcdef-1", "-"] {
        let mut screen = cafe.watch("/queue/events", Some(unknown)).await;
        assert_eq!(screen.next().await.name, "snapshot");
    }
    cafe.close().await;
}

#[tokio::test]
async fn a_screen_that_does_not_read_gets_the_queue_instead_of_everything_it_missed() {
    let cafe = Cafe::open().await;
    let mut screen = cafe.watch("/queue/events", None).await;
    assert_eq!(screen.next().await.name, "snapshot");
    // More than is kept, and more than the socket takes.
    for _ in 0..5 {
        cafe.approved_many(2_000).await;
    }
    let last = cafe.queued(1).await;
    let mut events = 0;
    loop {
        let event = screen.next().await;
        events += 1;
        if event.name == "snapshot" || event.data["order_id"] == last.to_string() {
            break;
        }
    }
    assert!(events < 10_000, "a snapshot stands for what was missed");
    cafe.close().await;
}

#[tokio::test]
async fn a_screen_sees_its_own_store_only() {
    let cafe = Cafe::open().await;
    let mut harbour = cafe.watch("/queue/events?store=harbour", None).await;
    assert_eq!(harbour.next().await.data["tickets"].as_array().unwrap().len(), 0);
    cafe.queued(1).await;
    let order_id = cafe.approved("harbour", samples::approved(1)).await;
    assert_eq!(until_news(&mut harbour).await.data["order_id"], order_id.to_string());
    cafe.close().await;
}

#[tokio::test]
async fn a_stream_without_news_has_a_beat_each_second() {
    let cafe = Cafe::open().await;
    let order_id = cafe.queued(1).await;
    let mut screen = cafe.watch("/queue/events", None).await;
    assert_eq!(screen.next().await.name, "snapshot");
    let began = Instant::now();
    for _ in 0..3 {
        let beat = screen.next().await;
        assert_eq!((beat.name.as_str(), &beat.data, beat.id), ("beat", &json!({}), None));
    }
    assert!(began.elapsed() >= Duration::from_millis(2_900), "{:?}", began.elapsed());
    cafe.staff(order_id, "start").await;
    assert_eq!(until_news(&mut screen).await.data["status"], "making");
    cafe.close().await;
}

/// The next event that is news.
async fn until_news(screen: &mut Watch) -> Event {
    loop {
        let event = screen.next().await;
        if event.name != "beat" {
            return event;
        }
    }
}
