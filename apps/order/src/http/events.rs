//! `GET /orders/{id}/events`: an order as it changes, as server-sent events.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use cafe_events::OrderId;
use cafe_web::{PathOf, Presented, Problem, ServerEvent, event_stream};
use futures_util::stream;

use super::view::{OrderView, Versions};
use super::{App, no_such_order};
use crate::hub::{WATCHERS_MAX, Watcher};
use crate::order::Order;

/// Shows an order as it changes
///
/// Each event is the whole order; its id counts what was said about it. Whoever comes back with the latest id hears
/// nothing until there is news; with any other, the order as it is now.
#[utoipa::path(
    get,
    path = "/orders/{id}/events",
    tag = "orders",
    operation_id = "watch_order",
    params(
        ("id" = Uuid, Path, description = "The order's id."),
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was seen."),
    ),
    security(("order_token" = []), ("order_token_in_query" = []), ("staff_key" = [])),
    responses(
        (status = 200, body = String, content_type = "text/event-stream", description = "Events named `order`; each one's data is an Order."),
        (status = 404, description = "There is no such order."),
    )
)]
pub(super) async fn events(
    State(app): State<App>,
    PathOf(order_id): PathOf<OrderId>,
    presented: Presented,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    app.admit(order_id, &presented)?;
    let watcher = app.hub.watch(order_id).ok_or_else(too_many)?;
    let order = app.find(order_id).await?.ok_or_else(no_such_order)?;
    let seen = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let is_news = seen != Some(Versions::of(&order).to_string().as_str());
    let seen = Versions::of(&order);
    let stop = app.stop.clone();
    let watching = Watching { app, order_id, watcher, seen, snapshot: is_news.then_some(order) };
    Ok(event_stream(stream::unfold(watching, Watching::next), stop))
}

/// A client that watches an order.
struct Watching {
    app: App,
    order_id: OrderId,
    watcher: Watcher,
    /// What the client has seen, or is about to.
    seen: Versions,
    /// To be sent at once.
    snapshot: Option<Order>,
}

impl Watching {
    /// The next event; nothing when the order cannot be read, so that the client comes back.
    async fn next(mut self) -> Option<(ServerEvent, Self)> {
        let order = match self.snapshot.take() {
            Some(order) => order,
            None => self.news().await?,
        };
        let flow = self.app.backlog.flow(self.app.clock.now());
        let view = OrderView::of(self.order_id, &order, flow)?;
        let event = ServerEvent::new(Some(view.versions.to_string()), "order", &view);
        Some((event, self))
    }

    async fn news(&mut self) -> Option<Order> {
        loop {
            self.watcher.changed().await;
            let order = match self.app.find(self.order_id).await {
                Ok(order) => order?,
                Err(error) => {
                    tracing::warn!(%error, "an order that is watched cannot be read");
                    return None;
                }
            };
            if Versions::of(&order) != self.seen {
                self.seen = Versions::of(&order);
                return Some(order);
            }
        }
    }
}

fn too_many() -> Problem {
    Problem::unavailable("too-many-watchers", "Too many watch their orders at the moment.", 5)
        .detail(format!("At most {WATCHERS_MAX} at once. GET /orders/{{id}} shows the order meanwhile."))
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;
    use cafe_failures::{customer, tried};
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn who_comes_when_too_many_watch_is_told_when_to_come_again_and_what_to_do_meanwhile() {
        tried(&customer::TOO_MANY_WATCHERS);
        let problem = too_many();
        assert_eq!((problem.status().as_u16(), problem.slug()), (503, "too-many-watchers"));
        let answer = problem.into_response();
        assert_eq!(answer.headers()["retry-after"], "5");
        let body = answer.into_body().collect().await.expect("a problem has an end").to_bytes();
        let told = "At most 2048 at once. GET /orders/{id} shows the order meanwhile.";
        assert!(String::from_utf8_lossy(&body).contains(told), "{body:?}");
    }
}
