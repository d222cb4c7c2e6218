//! News as it happens.

use axum::Router;
use axum::routing::get;
use cafe_web::{ServerEvent, event_stream};
use futures_util::{StreamExt, stream};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::support::{Caller, Service};

/// One event, then silence.
pub(crate) fn router(stop: CancellationToken) -> Router {
    let news = move || async move {
        let event = ServerEvent::new(Some("1-0-0".to_owned()), "order", &json!({"status": "placed"}));
        event_stream(stream::once(std::future::ready(event)).chain(stream::pending()), stop)
    };
    Router::new().route("/events", get(news))
}

/// A caller that has read everything up to the first event.
pub(crate) async fn listen(service: &Service) -> (Caller, String) {
    let mut caller = service.call().await;
    caller.send(b"GET /events HTTP/1.1\r\nhost: cafe\r\n\r\n").await;
    let read = caller.read_past(b"\"placed\"}").await;
    (caller, read)
}

#[tokio::test]
async fn a_stream_says_how_to_come_back_and_what_happened() {
    let service = Service::start(router(CancellationToken::new()));
    let (_, read) = listen(&service).await;
    for part in [
        "HTTP/1.1 200 OK",
        "content-type: text/event-stream",
        "cache-control: no-store",
        "x-accel-buffering: no",
        "retry: 1000",
        "event: order\ndata: {\"status\":\"placed\"}",
    ] {
        assert!(read.contains(part), "{part} is not in {read}");
    }
}

#[tokio::test]
async fn a_silent_stream_is_kept_alive() {
    let service = Service::start(router(CancellationToken::new()));
    let (mut caller, _) = listen(&service).await;
    tokio::time::pause();
    caller.read_past(b"\n\n").await;
    let started = tokio::time::Instant::now();
    caller.read_past(b":\n\n").await;
    assert!(started.elapsed().as_secs() <= 16, "{:?}", started.elapsed());
}
