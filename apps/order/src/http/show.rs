//! `GET /orders/{id}`: an order, to its customer and to staff.

use axum::Json;
use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use cafe_events::OrderId;
use cafe_web::{PathOf, Presented, Problem};

use super::view::OrderView;
use super::{App, no_such_order};

/// Shows an order
#[utoipa::path(
    get,
    path = "/orders/{id}",
    tag = "orders",
    operation_id = "show_order",
    params(("id" = Uuid, Path, description = "The order's id.")),
    security(("order_token" = []), ("order_token_in_query" = []), ("staff_key" = [])),
    responses(
        (status = 200, body = OrderView, description = "The order."),
        (status = 404, description = "There is no such order."),
    )
)]
pub(super) async fn show(
    State(app): State<App>,
    PathOf(order_id): PathOf<OrderId>,
    presented: Presented,
) -> Result<Response, Problem> {
    app.admit(order_id, &presented)?;
    let order = app.find(order_id).await?.ok_or_else(no_such_order)?;
    let flow = app.backlog.flow(app.clock.now());
    let view = OrderView::of(order_id, &order, flow).ok_or_else(no_such_order)?;
    Ok(([(CACHE_CONTROL, "no-store")], Json(view)).into_response())
}
