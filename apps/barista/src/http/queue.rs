//! `GET /queue` and `GET /queue/events`: a store's open tickets, now and as they change.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use cafe_events::OrderId;
use cafe_store::Error;
use cafe_web::{Problem, QueryOf, ServerEvent, event_stream};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use tokio::sync::OwnedSemaphorePermit;
use tracing::warn;

use super::App;
use super::view::TicketView;
use crate::feed::News;
use crate::store;
use crate::ticket::Ticket;

/// Open tickets that are shown at once.
const SHOWN_LIMIT: u32 = 500;
/// Changes are gathered for this long, so that a busy queue sends a ticket once rather than at each of its steps.
const GATHER: Duration = Duration::from_millis(50);
/// How often a stream without news says that there is none.
const BEAT: Duration = Duration::from_secs(1);

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct StoreQuery {
    /// Whose queue; the cafe's own store where none is named.
    store: Option<String>,
}

/// A store's open tickets, first in, first out.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct QueueView {
    tickets: Vec<TicketView>,
    /// There are more than are shown; these are the first.
    more: bool,
}

/// The queue now
///
/// A store's open tickets (queued, making, ready), first in, first out, at most 500.
#[utoipa::path(get, path = "/queue", tag = "queue", params(StoreQuery), responses(
    (status = 200, description = "The queue", body = QueueView),
))]
pub(super) async fn queue(
    State(app): State<App>,
    QueryOf(query): QueryOf<StoreQuery>,
) -> Result<Json<QueueView>, Problem> {
    let store = query.store.unwrap_or_else(|| app.store.to_string());
    Ok(Json(snapshot(&app, store).await?))
}

/// The queue as it changes
///
/// Server-sent events. First `snapshot` (as `GET /queue` answers), then `ticket` with one ticket for each that changed; a
/// ticket that is neither queued, making nor ready has left the queue. Whoever comes back with `Last-Event-ID` gets what
/// changed since. When that is no longer known, or too much changed at once, another `snapshot` replaces all that was
/// shown. Of two views of a ticket the one with the higher `version` is newer. Each second without news there is a `beat`,
/// without an id: whoever hears none for some seconds is cut off, whatever the connection says. Other events may be added.
#[utoipa::path(get, path = "/queue/events", tag = "queue",
    params(StoreQuery, ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event seen")),
    responses(
        (status = 200, description = "Events without end", body = String, content_type = "text/event-stream"),
        (status = 503, description = "Too many screens watch, or the service is stopping."),
    )
)]
pub(super) async fn events(
    State(app): State<App>,
    QueryOf(query): QueryOf<StoreQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let seat = Arc::clone(&app.seats).try_acquire_owned().map_err(|_| {
        Problem::unavailable("too-many-screens", "More screens watch than can be served.", 5)
            .detail("Close some, or ask `GET /queue` from time to time.")
    })?;
    let seen = last_seen(&headers, &app.epoch, app.feed.last());
    let store = query.store.unwrap_or_else(|| app.store.to_string());
    let stop = app.stop.clone();
    let watcher = Watcher { app, store, seen, ready: VecDeque::new(), _seat: seat };
    Ok(event_stream(stream::unfold(watcher, Watcher::next), stop))
}

/// The number of the change that a screen has seen last, by its `Last-Event-ID`; nothing if this process, whose changes are
/// numbered up to `last`, did not give that id.
pub fn last_seen(headers: &HeaderMap, epoch: &str, last: u64) -> Option<u64> {
    let id = headers.get("last-event-id")?.to_str().ok()?;
    let seen = id.strip_prefix(epoch)?.strip_prefix('-')?.parse().ok()?;
    (seen <= last).then_some(seen)
}

/// Nothing changed.
#[derive(Serialize)]
struct Beat {}

/// Somebody who watches. It looks when its reader is ready for more and not before, so a slow reader costs nothing but a
/// snapshot once it has missed too much.
struct Watcher {
    app: App,
    store: String,
    /// The number of the last change sent; nothing until a snapshot was.
    seen: Option<u64>,
    ready: VecDeque<ServerEvent>,
    _seat: OwnedSemaphorePermit,
}

impl Watcher {
    async fn next(mut self) -> Option<(ServerEvent, Self)> {
        while self.ready.is_empty() {
            if let Err(error) = self.look().await {
                // The stream ends, and its reader connects again.
                warn!(%error, "a screen of the queue was cut off");
                return None;
            }
        }
        let event = self.ready.pop_front()?;
        Some((event, self))
    }

    async fn look(&mut self) -> Result<(), Error> {
        let Some(seen) = self.seen else {
            let last = self.app.feed.last();
            let snapshot = snapshot(&self.app, self.store.clone()).await?;
            self.ready.push_back(ServerEvent::new(Some(self.id(last)), "snapshot", &snapshot));
            self.seen = Some(last);
            return Ok(());
        };
        if tokio::time::timeout(BEAT, self.app.feed.changed_after(seen)).await.is_err() {
            self.ready.push_back(ServerEvent::new(None, "beat", &Beat {}));
            return Ok(());
        }
        tokio::time::sleep(GATHER).await;
        match self.app.feed.after(seen, &self.store) {
            News::Tickets(tickets, last) if tickets.len() <= SHOWN_LIMIT as usize => {
                self.take(&tickets, last);
            }
            News::Tickets(..) | News::Missed => self.seen = None,
        }
        Ok(())
    }

    fn take(&mut self, tickets: &[(OrderId, Arc<Ticket>)], last: u64) {
        let event = |(order_id, ticket): &(OrderId, Arc<Ticket>)| {
            ServerEvent::new(None, "ticket", &TicketView::new(*order_id, ticket))
        };
        self.ready = tickets.iter().map(event).collect();
        self.seen = Some(last);
        // Only whoever has received all of them has seen up to `last`.
        let id = self.id(last);
        if let Some(event) = self.ready.back_mut() {
            event.id = Some(id);
        }
    }

    fn id(&self, number: u64) -> String {
        format!("{}-{number}", self.app.epoch)
    }
}

async fn snapshot(app: &App, store: String) -> Result<QueueView, Error> {
    let mut page = app.desk.readers().read(move |db| store::open(db, &store, 0, SHOWN_LIMIT + 1)).await?;
    let more = page.len() > SHOWN_LIMIT as usize;
    page.truncate(SHOWN_LIMIT as usize);
    Ok(QueueView {
        tickets: page.iter().map(|(order_id, ticket)| TicketView::new(*order_id, ticket)).collect(),
        more,
    })
}
