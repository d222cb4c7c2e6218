//! The headers that `POST /orders` heeds.

use std::num::IntErrorKind;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use cafe_web::{IdempotencyKey, Problem};

/// The longest that an answer waits for payment, in seconds.
const WAIT_MAX_S: u64 = 30;

/// On which terms an order is placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// `Idempotency-Key`: the same again is the same order.
    pub key: Option<String>,
    /// `Prefer: wait=N` (RFC 7240, section 4.3): answer when payment is known, after N seconds at most.
    pub wait: Option<Duration>,
}

impl<S: Send + Sync> FromRequestParts<S> for Terms {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let IdempotencyKey(key) = IdempotencyKey::from_request_parts(parts, state).await?;
        Ok(Self { key, wait: wait(&parts.headers) })
    }
}

/// A preference that cannot be read is ignored, as the RFC asks; a longer one is heeded as far as we go.
fn wait(headers: &HeaderMap) -> Option<Duration> {
    let preferences = headers.get_all("prefer").iter().filter_map(|header| header.to_str().ok());
    let mut preferences = preferences.flat_map(|header| header.split(','));
    let seconds = preferences.find_map(|preference| {
        let (name, value) = preference.split(';').next()?.split_once('=')?;
        let value = value.trim().trim_matches('"');
        name.trim().eq_ignore_ascii_case("wait").then(|| seconds(value))?
    });
    seconds.filter(|seconds| *seconds > 0).map(|seconds| Duration::from_secs(seconds.min(WAIT_MAX_S)))
}

/// A number too large to be held is a large one.
fn seconds(value: &str) -> Option<u64> {
    match value.parse::<u64>() {
        Err(error) if *error.kind() == IntErrorKind::PosOverflow => Some(u64::MAX),
        parsed => parsed.ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(headers: &[(&'static str, &str)]) -> HeaderMap {
        headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_wait_is_found_among_other_preferences_and_bounded() {
        let waits = |prefer: &str| wait(&headers(&[("prefer", prefer)])).map(|wait| wait.as_secs());
        assert_eq!(waits("wait=5"), Some(5));
        assert_eq!(waits("respond-async, Wait=10; foo=bar"), Some(10));
        assert_eq!(waits("wait=\"7\""), Some(7));
        assert_eq!([waits("wait=600"), waits("wait=99999999999999999999")], [Some(30); 2]);
        for nothing in ["wait", "wait=", "wait=0", "wait=-1", "wait=1.5", "return=minimal"] {
            assert_eq!(waits(nothing), None, "{nothing}");
        }
    }
}
