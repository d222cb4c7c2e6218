//! `POST /orders`: taking an order.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use cafe_events::OrderId;
use cafe_web::{JsonBody, Problem, Traceparent};

use super::App;
use super::terms::Terms;
use super::view::OrderView;
use crate::backlog::Flow;
use crate::order::{NewOrder, Order, Status};
use crate::wish::Wish;
use crate::{Answer, IdempotencyKey, PlaceOrder, Request};

const REPEATED: HeaderName = HeaderName::from_static("idempotent-replayed");
const APPLIED: HeaderName = HeaderName::from_static("preference-applied");
/// After how many seconds it is worth asking again while payment is stuck.
const STUCK_RETRY_S: u32 = 30;

/// Takes an order
///
/// It is priced from the menu. With an `Idempotency-Key`, the same body again is the same order and the same answer.
#[utoipa::path(
    post,
    path = "/orders",
    tag = "orders",
    operation_id = "place_order",
    params(
        ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, description = "The same key with the same body is the same order, for 24 hours at least."),
        ("Prefer" = Option<String>, Header, description = "`wait=N`: answer when payment is known, after N seconds (1 to 30) at most."),
    ),
    request_body = Wish,
    responses(
        (status = 201, body = OrderView, description = "The order, on disk.", headers(
            ("Location" = String, description = "The order's address."),
            ("Idempotent-Replayed" = Option<bool>, description = "`true` if the order was taken before, under the same key."),
            ("Preference-Applied" = Option<String>, description = "The preference that was heeded."),
        )),
        (status = 409, description = "It comes to another `expected_total` than the customer was told. Nothing has happened."),
        (status = 422, description = "The body is not an order, or the key was used with another body; `errors` names the fields, `example` shows a complete order."),
        (status = 503, description = "Too much to do, or payment is stuck so that the order would expire. Nothing has happened."),
    )
)]
pub(super) async fn place(
    State(app): State<App>,
    terms: Terms,
    Traceparent(traceparent): Traceparent,
    body: Result<JsonBody<Wish>, Problem>,
) -> Result<Response, Problem> {
    let taken = take(&app, terms, traceparent, body).await;
    if let Err(problem) = &taken {
        metrics::counter!("cafe_orders_refused_total", "reason" => problem.slug()).increment(1);
    }
    taken
}

/// Takes an order, as `POST /orders` does
#[utoipa::path(
    post,
    path = "/",
    tag = "orders",
    operation_id = "place_order_at_front",
    params(
        ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, description = "As at `POST /orders`."),
        ("Prefer" = Option<String>, Header, description = "As at `POST /orders`."),
    ),
    request_body = Wish,
    responses(
        (status = 201, body = OrderView, description = "The order, on disk."),
        (status = 409, description = "As at `POST /orders`."),
        (status = 422, description = "As at `POST /orders`."),
        (status = 503, description = "As at `POST /orders`."),
    )
)]
pub(super) async fn place_at_front(
    app: State<App>,
    terms: Terms,
    traceparent: Traceparent,
    body: Result<JsonBody<Wish>, Problem>,
) -> Result<Response, Problem> {
    place(app, terms, traceparent, body).await
}

async fn take(
    app: &App,
    terms: Terms,
    traceparent: Option<String>,
    body: Result<JsonBody<Wish>, Problem>,
) -> Result<Response, Problem> {
    let JsonBody(wish) = body.map_err(with_example)?;
    let now = app.clock.now();
    let flow = app.backlog.flow(now);
    let store = wish.store.clone().unwrap_or_else(|| app.config.store.clone());
    let key =
        terms.key.map(|key| IdempotencyKey { key, body_hash: wish.body_hash(&app.config.menu, &store) });
    let told = wish.expected_total;
    let order = priced(app, wish, store.clone()).and_then(|order| match told {
        _ if flow == Flow::Stuck => Err(stuck()),
        Some(told) if told != order.total => Err(price_changed(order.total)),
        _ => Ok(order),
    });
    // What is not taken now may have been taken before, and is answered then.
    let (request, objection) = match (order, key) {
        (Ok(order), key) => (Request::Place(PlaceOrder { order_id: app.ids.uuid(now), order, key }), None),
        (Err(problem), Some(key)) => (Request::Repeat { store, key }, Some(problem)),
        (Err(problem), None) => return Err(problem),
    };
    let answer = app.desk.ask(request, traceparent).await?;
    let (order_id, order, repeated) = match (answer, objection) {
        (Answer::Placed { order_id, order, repeated }, _) => (order_id, order, repeated),
        (Answer::NotTaken, Some(problem)) => return Err(problem),
        (Answer::KeyUsed, _) => return Err(key_used()),
        (answer, _) => {
            return Err(Problem::internal(format!("placing an order was answered with {answer:?}")));
        }
    };
    let shown = match terms.wait {
        Some(wait) => app.once_payment_is_known(order_id, order, wait).await,
        None if repeated => Arc::new(order.as_placed()),
        None => order,
    };
    let mut headers = headers(order_id, terms.wait);
    if repeated {
        headers.insert(REPEATED, HeaderValue::from_static("true"));
    }
    let view = OrderView::of(order_id, &shown, flow).map(|view| view.with_token(app.tokens.token(order_id)));
    let json = serde_json::to_vec(&view).map_err(|error| Problem::internal(error.to_string()))?;
    Ok((StatusCode::CREATED, headers, json).into_response())
}

fn priced(app: &App, wish: Wish, store: String) -> Result<NewOrder, Problem> {
    let priced = wish.price(&app.config.menu, &app.config.vendors).map_err(|faults| {
        let named = |problem: Problem, fault: crate::wish::Fault| problem.field(fault.field, fault.right);
        with_example(faults.into_iter().fold(Problem::invalid_body(), named))
    })?;
    Ok(NewOrder {
        store,
        lines: priced.lines,
        takeout: wish.takeout,
        total: priced.total,
        currency: app.config.currency,
        payment: wish.payment,
        pay_within: app.config.pay_by,
    })
}

fn headers(order_id: OrderId, wait: Option<Duration>) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(8);
    let mut insert = |name: HeaderName, value: String| {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    };
    insert(LOCATION, format!("/orders/{order_id}"));
    if let Some(wait) = wait {
        insert(APPLIED, format!("wait={}", wait.as_secs()));
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers
}

fn with_example(problem: Problem) -> Problem {
    if problem.status() == StatusCode::UNPROCESSABLE_ENTITY {
        problem.example(Wish::example())
    } else {
        problem
    }
}

fn price_changed(total: i64) -> Problem {
    Problem::new(StatusCode::CONFLICT, "price-changed", "The order comes to another price.")
        .detail("Prices have changed since the customer was told. Nothing has happened; ask again with the new total.")
        .field("expected_total", format!("is {total} now"))
}

fn key_used() -> Problem {
    let (slug, title) = ("idempotency-key-used", "This Idempotency-Key was used with another body.");
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, slug, title)
        .detail("Send the same body again, or a new key for a new order.")
}

fn stuck() -> Problem {
    Problem::unavailable("payment-stuck", "Payments are not getting through at the moment.", STUCK_RETRY_S)
        .detail(
            "An order taken now would expire before it is paid. Nothing has happened; try again in a while.",
        )
}

impl App {
    /// The order once payment has said something about it, or as it is after `limit`, or when the service stops.
    async fn once_payment_is_known(
        &self,
        order_id: OrderId,
        order: Arc<Order>,
        limit: Duration,
    ) -> Arc<Order> {
        let mut latest = order;
        let Some(mut watcher) = self.hub.watch(order_id) else { return latest };
        let known = async {
            loop {
                match self.find(order_id).await {
                    Ok(Some(order)) => latest = Arc::new(order),
                    Ok(None) => return,
                    Err(error) => {
                        return tracing::warn!(%error, "an order that waits for payment cannot be read");
                    }
                }
                if latest.status() != Status::Placed {
                    return;
                }
                watcher.changed().await;
            }
        };
        let _ = tokio::time::timeout(limit, self.stop.run_until_cancelled(known)).await;
        latest
    }
}
