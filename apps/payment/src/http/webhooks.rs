//! `POST /webhooks/{vendor}`: a vendor says that there is news. Nothing it says is believed; the vendor's record is looked up.

use axum::extract::State;
use axum::http::StatusCode;
use cafe_events::OrderId;
use cafe_web::{JsonBody, PathOf, Problem};
use serde::Deserialize;

use super::{App, NotFound};
use crate::domain::{Request, What};

/// Which vendor.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct VendorPath {
    /// Its name.
    #[param(example = "simulator")]
    vendor: String,
}

/// There is news of an attempt. Other fields are not looked at.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(super) struct News {
    /// The key that the vendor was asked under.
    #[schema(max_length = 200, example = "019ab2f4-0000-7000-8000-000000000000/1")]
    key: String,
}

/// A vendor has news
///
/// The attempt is looked up at once if its outcome is not known. The answer is the same for a key that is not ours.
#[utoipa::path(post, path = "/webhooks/{vendor}", tag = "vendors", params(VendorPath), request_body = News,
    responses((status = 202, description = "It will be looked at"), NotFound))]
pub(super) async fn notify(
    State(app): State<App>,
    PathOf(VendorPath { vendor }): PathOf<VendorPath>,
    JsonBody(news): JsonBody<News>,
) -> Result<StatusCode, Problem> {
    if app.vendors.named(&vendor).is_none() {
        return Err(Problem::not_found("There is no such vendor."));
    }
    if let Some((order_id, attempt)) = attempt_of(&news.key) {
        let request = Request { order_id, what: What::Notified(attempt), traceparent: None };
        // A refusal means that there is no such attempt, which is nothing to tell a stranger.
        let _ = app.desk.ask(request, None).await?;
    }
    Ok(StatusCode::ACCEPTED)
}

/// Which attempt to pay which order a vendor was asked for under `key`; nothing if we never ask under such a key.
pub fn attempt_of(key: &str) -> Option<(OrderId, u32)> {
    let (order_id, attempt) = key.split_once('/')?;
    Some((OrderId::try_parse(order_id).ok()?, attempt.parse().ok()?))
}
