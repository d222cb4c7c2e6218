//! `GET /orders`: every order, page by page, to staff.

use axum::Json;
use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use cafe_events::OrderId;
use cafe_web::{Problem, QueryOf, Staff};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::view::OrderView;
use crate::store;

/// How many orders a page has at most.
const LONGEST_PAGE: u32 = 500;

/// Which part of the list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Page {
    /// Only orders with a higher id.
    #[param(value_type = Option<Uuid>)]
    after: Option<OrderId>,
    /// How many at most.
    #[serde(default = "page")]
    #[param(minimum = 1, maximum = 500, default = 100)]
    limit: u32,
}

fn page() -> u32 {
    100
}

impl Page {
    /// After which id it begins, as ids are kept, and how many orders it has at most.
    ///
    /// # Errors
    /// 400: the limit is out of range.
    pub fn part(&self) -> Result<(String, u32), Problem> {
        if !(1..=LONGEST_PAGE).contains(&self.limit) {
            return Err(Problem::invalid_parameter("limit", format!("must be 1 to {LONGEST_PAGE}")));
        }
        Ok((self.after.map(|after| after.to_string()).unwrap_or_default(), self.limit))
    }
}

/// A page of orders.
#[derive(Serialize, ToSchema)]
#[schema(as = OrderPage)]
struct OrderPage<'a> {
    /// In the order of their ids, which is that in which they were placed.
    orders: Vec<OrderView<'a>>,
    /// What to send as `after` for the next page; null when this is the last one.
    #[schema(value_type = Option<Uuid>, required)]
    next: Option<OrderId>,
}

/// Lists all orders
#[utoipa::path(
    get,
    path = "/orders",
    tag = "orders",
    operation_id = "list_orders",
    params(Page),
    security(("staff_key" = [])),
    responses((status = 200, body = OrderPage, description = "A page of them."))
)]
pub(super) async fn list(
    _: Staff,
    State(app): State<App>,
    QueryOf(page): QueryOf<Page>,
) -> Result<Response, Problem> {
    let (after, limit) = page.part()?;
    let orders = app.desk.readers().read(move |db| store::page(db, &after, limit)).await?;
    let flow = app.backlog.flow(app.clock.now());
    let next = orders.last().filter(|_| orders.len() == limit as usize).map(|(order_id, _)| *order_id);
    let orders =
        orders.iter().filter_map(|(order_id, order)| OrderView::of(*order_id, order, flow)).collect();
    Ok(([(CACHE_CONTROL, "no-store")], Json(OrderPage { orders, next })).into_response())
}
