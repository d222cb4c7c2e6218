//! What callers keep, and ask each time whether it is still right (RFC 9110, section 13.1.2).

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use sha2::{Digest, Sha256};

/// A body that is made once.
#[derive(Clone, Debug)]
pub struct Cacheable {
    body: Bytes,
    media_type: HeaderValue,
    etag: HeaderValue,
}

impl Cacheable {
    /// Of this type. Its `ETag` changes with it.
    pub fn new(body: impl Into<Bytes>, media_type: &'static str) -> Self {
        let body = body.into();
        let hash = URL_SAFE_NO_PAD.encode(&Sha256::digest(&body)[..12]);
        let etag = HeaderValue::try_from(format!("\"{hash}\"")).unwrap_or(HeaderValue::from_static("\"\""));
        Self { body, media_type: HeaderValue::from_static(media_type), etag }
    }

    /// The body, or 304 to whoever has it already.
    pub fn answer(&self, headers: &HeaderMap) -> Response {
        let caching = [(ETAG, self.etag.clone()), (CACHE_CONTROL, HeaderValue::from_static("no-cache"))];
        if self.is_known(headers) {
            return (StatusCode::NOT_MODIFIED, caching).into_response();
        }
        (caching, [(CONTENT_TYPE, self.media_type.clone())], self.body.clone()).into_response()
    }

    fn is_known(&self, headers: &HeaderMap) -> bool {
        let known = headers.get(IF_NONE_MATCH).and_then(|tags| tags.to_str().ok()).unwrap_or_default();
        let tag = |known: &str| known.trim().trim_start_matches("W/").as_bytes() == self.etag.as_bytes();
        known.trim() == "*" || known.split(',').any(tag)
    }
}
