//! `GET /payments` and `GET /payments/{order_id}`: what staff see.

use axum::Json;
use axum::extract::State;
use cafe_web::{PageQuery, PathOf, Problem, QueryOf, Staff};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::view::PaymentView;
use super::{App, NotFound};
use crate::store;
use crate::vendor::Vendors;

/// Which payment.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct PaymentPath {
    /// Its order.
    pub(super) order_id: Uuid,
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
