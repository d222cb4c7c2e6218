//! `GET /`: what this is, and where things are.

use axum::http::header::{ACCEPT, VARY};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{Html, IntoResponse, Response};

const GREETING: &str = "Welcome to the cafe. GET /menu shows what there is, POST /orders orders it; \
    an empty POST answers with an example. /openapi.json describes the rest.\n";
const PAGE: &str = include_str!("front.html");

/// Greets, and says where things are
///
/// A browser gets a page, everyone else a line of text.
#[utoipa::path(
    get,
    path = "/",
    tag = "shop",
    responses((status = 200, description = "A greeting.", content(
        (String = "text/plain; charset=utf-8"),
        (String = "text/html; charset=utf-8"),
    )))
)]
pub(super) async fn front(headers: HeaderMap) -> Response {
    let accepts = headers.get(ACCEPT).and_then(|accepts| accepts.to_str().ok()).unwrap_or_default();
    let mut response =
        if accepts.contains("text/html") { Html(PAGE).into_response() } else { GREETING.into_response() };
    response.headers_mut().insert(VARY, HeaderValue::from_static("accept"));
    response
}
