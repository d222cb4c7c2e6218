//! What a browser was asked to send along.

use axum::http::HeaderMap;
use axum::http::header::COOKIE;

/// Each `name=value` (RFC 6265, section 4.2.1).
pub(crate) fn cookies(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lists = headers.get_all(COOKIE).iter().filter_map(|list| list.to_str().ok());
    lists.flat_map(|list| list.split(';')).map(str::trim)
}
