//! Stopping, with callers about.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use cafe_web::Limits;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::event_streams;
use crate::support::Service;

#[tokio::test]
async fn a_stop_ends_open_event_streams_and_idle_connections_at_once() {
    let stop = CancellationToken::new();
    let service = Service::start_stopped_by(stop.clone(), event_streams::router(stop), Limits::default());
    let (mut listening, _) = event_streams::listen(&service).await;
    let mut idle = service.call().await;
    assert_eq!(idle.ask("GET /nowhere HTTP/1.1\r\nhost: cafe\r\n\r\n").await.status, 404);

    let address = service.address;
    let started = Instant::now();
    service.end().await;
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    assert!(listening.rest().await.ends_with("0\r\n\r\n"), "the stream ends properly");
    assert_eq!(idle.rest().await, "");
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn a_stop_lets_an_answer_on_its_way_finish() {
    let (inside, finish) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (entered, held) = (Arc::clone(&inside), Arc::clone(&finish));
    let slow = move || async move {
        entered.notify_one();
        held.notified().await;
        "done"
    };
    let service = Service::start(Router::new().route("/", get(slow)));
    let mut caller = service.call().await;
    caller.send(b"GET / HTTP/1.1\r\nhost: cafe\r\n\r\n").await;
    inside.notified().await;

    service.stop.cancel();
    finish.notify_one();
    let answer = caller.answer().await;
    assert_eq!((answer.text(), answer.header("connection")), ("done", Some("close")));
    service.end().await;
}

#[tokio::test]
async fn a_stop_cuts_off_what_does_not_finish_in_time() {
    let inside = Arc::new(Notify::new());
    let entered = Arc::clone(&inside);
    let never = move || async move {
        entered.notify_one();
        std::future::pending::<()>().await;
    };
    let service = Service::start(Router::new().route("/", get(never)));
    let mut caller = service.call().await;
    caller.send(b"GET / HTTP/1.1\r\nhost: cafe\r\n\r\n").await;
    inside.notified().await;
    tokio::time::pause();
    service.end().await;
    assert_eq!(caller.rest().await, "");
}
