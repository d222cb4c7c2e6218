//! `POST /payments/{order_id}/refund`: staff give money back.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use cafe_web::{IdempotencyKey, JsonBody, PathOf, Problem, Staff, Traceparent, checked_reason};
use serde::Deserialize;

use super::payments::PaymentPath;
use super::view::PaymentView;
use super::{App, NotFound};
use crate::domain::{Done, Request, What};
use crate::payment::Refusal;

/// What goes back, and why.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RefundWish {
    /// For the customer to read.
    #[schema(min_length = 1, max_length = 200, example = "it was cold")]
    reason: String,
    /// In minor units, given at once as goodwill, whatever is made. Without it, or with all that an order cost of which nothing
    /// went back yet, everything goes back: the order is cancelled if making has not started, and otherwise what is left is
    /// given as goodwill.
    #[schema(minimum = 1, example = 3500)]
    amount: Option<i64>,
}

/// The payment cannot be refunded as it stands; `detail` says why.
#[derive(utoipa::IntoResponses)]
#[response(status = 409)]
struct NotNow;

/// Give money back
///
/// All of it, or an amount. An amount that is everything the order cost is the same as no amount, as long as nothing went back
/// yet: a drink that nobody has begun is then not made.
///
/// Asked again for everything, what was under way goes on, and what the vendor had refused is tried again. Asked again for an
/// amount, it is given again, unless it comes under the same `Idempotency-Key`.
#[utoipa::path(post, path = "/payments/{order_id}/refund", tag = "payments",
    params(PaymentPath,
        ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, description = "The same key with the same body gives an amount back once.")),
    request_body = RefundWish, security(("staff_key" = [])),
    responses(
        (status = 200, description = "It was under way or done before", body = PaymentView),
        (status = 202, description = "It is under way", body = PaymentView),
        NotFound,
        NotNow,
        (status = 422, description = "The Idempotency-Key was used with another body, or the body is not right"),
    ))]
pub(super) async fn refund(
    _: Staff,
    State(app): State<App>,
    PathOf(PaymentPath { order_id }): PathOf<PaymentPath>,
    Traceparent(trace): Traceparent,
    IdempotencyKey(key): IdempotencyKey,
    JsonBody(wish): JsonBody<RefundWish>,
) -> Result<(StatusCode, Json<PaymentView>), Problem> {
    let request = Request { order_id, what: wish.checked(key)?, traceparent: trace.clone() };
    let done = app.desk.ask(request, trace).await?.map_err(|refusal| refused(&refusal))?;
    let status = if done == Done::Now { StatusCode::ACCEPTED } else { StatusCode::OK };
    let payment = app.payment(order_id).await?;
    Ok((status, Json(PaymentView::new(order_id, &payment))))
}

impl RefundWish {
    fn checked(self, key: Option<String>) -> Result<What, Problem> {
        let reason = checked_reason(self.reason)?;
        match self.amount {
            None => Ok(What::RefundInFull { reason }),
            Some(amount) if amount >= 1 => Ok(What::RefundAmount { amount, reason, key }),
            Some(_) => Err(Problem::invalid_body().field("amount", "must be at least 1, in minor units")),
        }
    }
}

fn refused(refusal: &Refusal) -> Problem {
    match refusal {
        Refusal::KeyUsed => {
            let (slug, title) = ("idempotency-key-used", "This Idempotency-Key was used with another body.");
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, slug, title)
                .detail("Send a new key for another refund.")
        }
        Refusal::NoOrder => Problem::not_found("There is no payment for such an order."),
        _ => Problem::new(StatusCode::CONFLICT, "not-now", "The payment cannot be refunded as it stands.")
            .detail(format!("{refusal}.")),
    }
}
