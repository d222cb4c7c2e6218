//! Server-sent events (WHATWG HTML, section 9.2): news as it happens, to a browser or a program.

use std::convert::Infallible;
use std::time::Duration;

use axum::http::HeaderValue;
use axum::http::header::CACHE_CONTROL;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt, stream};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

/// How often a silent stream says that it is alive; proxies commonly cut what is silent for 60 s.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How soon a client that lost its stream comes back.
const RETRY: Duration = Duration::from_secs(1);

/// One event of a stream.
#[derive(Clone, Debug)]
pub struct ServerEvent {
    /// What the client sends back as `Last-Event-ID`; must not hold a line break.
    pub id: Option<String>,
    /// The event's name, for the client's `addEventListener`.
    pub name: &'static str,
    /// JSON, on one line.
    data: String,
}

impl ServerEvent {
    /// An event whose data is `value` as JSON. A value that cannot be JSON (a map with keys that are no strings) becomes
    /// `null`.
    pub fn new(id: Option<String>, name: &'static str, value: &impl Serialize) -> Self {
        Self { id, name, data: serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned()) }
    }
}

/// Answers with `events` as they come, and with a comment every 15 s. The stream ends when `events` ends, the client goes
/// away, or the service stops; a client then comes back after a second with its last id.
pub fn event_stream<S>(events: S, stop: CancellationToken) -> Response
where
    S: Stream<Item = ServerEvent> + Send + 'static,
{
    let first = stream::once(std::future::ready(Event::default().retry(RETRY)));
    let stream =
        first.chain(events.map(on_the_wire)).map(Ok::<Event, Infallible>).take_until(stop.cancelled_owned());
    let mut response = Sse::new(stream).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response();
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Tells nginx not to collect the answer before it passes it on.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

fn on_the_wire(event: ServerEvent) -> Event {
    let wire = Event::default().event(event.name).data(event.data);
    match event.id {
        Some(id) => wire.id(id),
        None => wire,
    }
}
