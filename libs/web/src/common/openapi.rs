//! The service's own document.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

use super::Common;

/// Describes this service's addresses
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "operation",
    responses((status = 200, body = serde_json::Value, content_type = "application/json", description = "This document."))
)]
pub(super) async fn openapi(State(common): State<Common>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], common.document)
}
