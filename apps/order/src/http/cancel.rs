//! `POST /orders/{id}/cancel`: undoing an order, for as long as making has not started.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use cafe_events::OrderId;
use cafe_web::{JsonOrDefault, PathOf, Presented, Problem, Traceparent, checked_reason};
use serde::Deserialize;
use utoipa::ToSchema;

use super::view::OrderView;
use super::{App, no_such_order};
use crate::order::{Order, Refusal, Status};
use crate::{Answer, Request};

/// Why an order is to be undone. The body may be empty.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CancelBody {
    /// In the words of whoever asks, without control characters.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 200)]
    reason: Option<String>,
}

/// Asks for an order to be undone
///
/// Honoured until making starts. Asking again is answered as before.
#[utoipa::path(
    post,
    path = "/orders/{id}/cancel",
    tag = "orders",
    operation_id = "cancel_order",
    params(("id" = Uuid, Path, description = "The order's id.")),
    request_body = Option<CancelBody>,
    security(("order_token" = []), ("order_token_in_query" = []), ("staff_key" = [])),
    responses(
        (status = 200, body = OrderView, description = "It is cancelled already."),
        (status = 202, body = OrderView, description = "The wish is on disk; the order's status tells what comes of it."),
        (status = 404, description = "There is no such order."),
        (status = 409, description = "Too late: making has started, or the order came to another end."),
    )
)]
pub(super) async fn cancel(
    State(app): State<App>,
    PathOf(order_id): PathOf<OrderId>,
    presented: Presented,
    Traceparent(traceparent): Traceparent,
    JsonOrDefault(body): JsonOrDefault<Option<CancelBody>>,
) -> Result<Response, Problem> {
    let by = app.admit(order_id, &presented)?;
    let reason = body.unwrap_or_default().reason.map(checked_reason).transpose()?;
    match app.desk.ask(Request::Cancel { order_id, by, reason }, traceparent).await? {
        Answer::CancelAsked { order, .. } => shown(&app, order_id, &order),
        Answer::Refused(refusal) => Err(too_late(refusal)),
        Answer::NoSuchOrder => Err(no_such_order()),
        answer => Err(Problem::internal(format!("cancelling an order was answered with {answer:?}"))),
    }
}

fn shown(app: &App, order_id: OrderId, order: &Arc<Order>) -> Result<Response, Problem> {
    let flow = app.backlog.flow(app.clock.now());
    let view = OrderView::of(order_id, order, flow).ok_or_else(no_such_order)?;
    let status = if view.status == Status::Cancelled { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, [(CACHE_CONTROL, "no-store")], Json(view)).into_response())
}

fn too_late(refusal: Refusal) -> Problem {
    let detail = match refusal {
        Refusal::MakingStarted => "Making has started; ask at the counter.".to_owned(),
        Refusal::Ended(status) => format!("The order has ended: it is {}.", status.name()),
        Refusal::LostByRestore => format!("It cannot be cancelled here: {refusal}."),
    };
    Problem::new(StatusCode::CONFLICT, "cannot-cancel", "This order cannot be cancelled any more.")
        .detail(detail)
}
