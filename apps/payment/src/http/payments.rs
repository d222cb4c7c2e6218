//! `GET /payments` and `GET /payments/{order_id}`: what staff see.

use axum::Json;
use axum::extract::State;
use cafe_web::{PathOf, Problem, QueryOf, Staff};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::view::PaymentView;
use super::{App, NotFound};
use crate::store;
use crate::vendor::Vendors;

/// Payments on a page of the list.
const PAGE_LIMIT: u32 = 500;

/// Which payment.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct PaymentPath {
    /// Its order.
    pub(super) order_id: Uuid,
}

/// Which page of the list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// The `next` of the page before; the first page where there is none.
    after: Option<Uuid>,
    /// How many, 1 to 500.
    #[param(minimum = 1, maximum = 500, default = 100)]
    limit: Option<u32>,
}

impl PageQuery {
    /// After which id it begins, as ids are kept, and how many payments it has at most.
    ///
    /// # Errors
    /// 400: the limit is out of range.
    pub fn part(&self) -> Result<(String, u32), Problem> {
        let limit = self.limit.unwrap_or(100);
        if !(1..=PAGE_LIMIT).contains(&limit) {
            return Err(Problem::invalid_parameter(
                "limit",
                format!("must be 1 to {PAGE_LIMIT}, not {limit}"),
            ));
        }
        Ok((self.after.map(|order_id| order_id.to_string()).unwrap_or_default(), limit))
    }
}

/// Payments in order of their order's id.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct PaymentPage {
    payments: Vec<PaymentView>,
    /// Where the next page starts; null on the last one.
    #[schema(required)]
    next: Option<Uuid>,
    /// Every vendor that may be asked for money here.
    #[schema(example = json!(["simulator"]))]
    vendors: Vec<&'static str>,
}

/// Every payment
///
/// Payments of every status, in order of their order's id, a page at a time: follow `next` until it is null.
#[utoipa::path(get, path = "/payments", tag = "payments", params(PageQuery), security(("staff_key" = [])),
    responses((status = 200, description = "A page of payments", body = PaymentPage)))]
pub(super) async fn list(
    _: Staff,
    State(app): State<App>,
    QueryOf(query): QueryOf<PageQuery>,
) -> Result<Json<PaymentPage>, Problem> {
    let (after, limit) = query.part()?;
    let page = app.desk.readers().read(move |db| store::page(db, &after, limit)).await?;
    let full = page.len() == limit as usize;
    let next = page.last().filter(|_| full).map(|(order_id, _)| *order_id);
    let payments = page.iter().map(|(order_id, payment)| PaymentView::new(*order_id, payment)).collect();
    Ok(Json(PaymentPage { payments, next, vendors: Vendors::NAMES.to_vec() }))
}

/// One payment
#[utoipa::path(get, path = "/payments/{order_id}", tag = "payments", params(PaymentPath),
    security(("staff_key" = [])),
    responses((status = 200, description = "The payment", body = PaymentView), NotFound))]
pub(super) async fn one(
    _: Staff,
    State(app): State<App>,
    PathOf(PaymentPath { order_id }): PathOf<PaymentPath>,
) -> Result<Json<PaymentView>, Problem> {
    let payment = app.payment(order_id).await?;
    Ok(Json(PaymentView::new(order_id, &payment)))
}
