//! Who counts as staff at one service.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::StaffKey;
use crate::credentials::is_from_here;

/// Browsers keep no cookie for longer than 400 days (RFC 6265bis, section 5.5); each time a page is opened they begin anew.
const KEPT: &str = "Path=/; Max-Age=34560000; HttpOnly; SameSite=Strict";
const GONE: &str = "Path=/; Max-Age=0; HttpOnly; SameSite=Strict";

/// Who counts as staff at one service: whoever shows the staff key, and the browser of whoever showed it once. Such a browser
/// keeps a cookie that is made from the key and the service's name, so it opens this service and no other, it is stored nowhere,
/// and a new key signs all browsers out.
#[derive(Clone)]
pub struct StaffAccess {
    key: StaffKey,
    /// As a browser sends it: `name=value`.
    badge: Arc<str>,
}

impl StaffAccess {
    /// At the service of this name.
    ///
    /// # Panics
    /// Never: HMAC takes a key of any length.
    pub fn new(key: StaffKey, service: &str) -> Self {
        let mac = Hmac::<Sha256>::new_from_slice(key.reveal().as_bytes())
            .expect("HMAC takes a key of any length (RFC 2104)");
        let code = mac.chain_update(b"badge:").chain_update(service).finalize().into_bytes();
        Self { key, badge: format!("cafe-{service}={}", URL_SAFE_NO_PAD.encode(code)).into() }
    }

    /// The key of this cafe.
    pub fn key(&self) -> &StaffKey {
        &self.key
    }

    /// The cookie (`Set-Cookie`) of a browser that shows the key on one of this service's own pages; nothing if it is not the key.
    pub fn sign_in(&self, presented: &str, headers: &HeaderMap) -> Option<HeaderValue> {
        (is_from_here(headers) && self.key.matches(presented)).then(|| self.renewed(headers))
    }

    /// The cookie of a browser that is signed in, to be kept for as long again.
    pub fn renewed(&self, headers: &HeaderMap) -> HeaderValue {
        let is_secure =
            headers.get("x-forwarded-proto").is_some_and(|protocol| protocol.as_bytes() == b"https");
        let secure = if is_secure { "; Secure" } else { "" };
        HeaderValue::try_from(format!("{}; {KEPT}{secure}", self.badge)).expect("a badge is printable")
    }

    /// What has a browser forget its cookie.
    pub fn sign_out(&self) -> HeaderValue {
        let name = self.badge.split('=').next().unwrap_or_default();
        HeaderValue::try_from(format!("{name}=; {GONE}")).expect("a service's name is printable")
    }

    /// Takes the same time for every wrong one of the right length.
    pub(crate) fn is_badge(&self, cookie: &str) -> bool {
        bool::from(self.badge.as_bytes().ct_eq(cookie.as_bytes()))
    }
}

impl std::fmt::Debug for StaffAccess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StaffAccess")
    }
}
