//! The events of all services, for whoever wants to listen.

use std::sync::LazyLock;

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use bytes::Bytes;

/// The same in every service, and made when first asked for: most never are.
static DOCUMENT: LazyLock<Bytes> =
    LazyLock::new(|| Bytes::from(serde_json::to_vec(&cafe_events::asyncapi()).unwrap_or_default()));

/// Describes the events that the services tell each other
#[utoipa::path(
    get,
    path = "/asyncapi.json",
    tag = "operation",
    responses((status = 200, body = serde_json::Value, content_type = "application/json", description = "An `AsyncAPI` 3.0 document: topics, messages, headers, and who listens."))
)]
pub(super) async fn asyncapi() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], DOCUMENT.clone())
}
