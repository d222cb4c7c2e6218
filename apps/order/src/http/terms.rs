//! The headers that `POST /orders` heeds.

use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use cafe_web::Problem;

use crate::wish::is_printable;

/// The longest Idempotency-Key.
const KEY_MAX: usize = 255;
/// The longest that an answer waits for payment, in seconds.
const WAIT_MAX_S: u64 = 30;

/// On which terms an order is placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    /// `Idempotency-Key`: the same again is the same order.
    pub(super) key: Option<String>,
    /// `Prefer: wait=N` (RFC 7240, section 4.3): answer when payment is known, after N seconds at most.
    pub(super) wait: Option<Duration>,
}

impl<S: Send + Sync> FromRequestParts<S> for Terms {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        Ok(Self { key: key(&parts.headers)?, wait: wait(&parts.headers) })
    }
}

fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut keys = headers.get_all("idempotency-key").iter();
    let Some(key) = keys.next() else { return Ok(None) };
    let key = key.to_str().ok().filter(|key| is_printable(key, KEY_MAX) && keys.next().is_none());
    let wrong = || {
        Problem::new(StatusCode::BAD_REQUEST, "invalid-header", "A header is not right.")
            .field("Idempotency-Key", format!("must be sent once, 1 to {KEY_MAX} printable ASCII characters"))
    };
    key.map(|key| Some(key.to_owned())).ok_or_else(wrong)
}

/// A preference that cannot be read is ignored, as the RFC asks; a longer one is heeded as far as we go.
fn wait(headers: &HeaderMap) -> Option<Duration> {
    let preferences = headers.get_all("prefer").iter().filter_map(|header| header.to_str().ok());
    let mut preferences = preferences.flat_map(|header| header.split(','));
    let seconds = preferences.find_map(|preference| {
        let (name, value) = preference.split(';').next()?.split_once('=')?;
        let value = value.trim().trim_matches('"');
        name.trim().eq_ignore_ascii_case("wait").then(|| value.parse::<u64>().ok())?
    });
    seconds.filter(|seconds| *seconds > 0).map(|seconds| Duration::from_secs(seconds.min(WAIT_MAX_S)))
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
        assert_eq!(waits("wait=600"), Some(30));
        for nothing in ["wait", "wait=", "wait=0", "wait=-1", "wait=1.5", "return=minimal"] {
            assert_eq!(waits(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn a_key_is_one_of_1_to_255_printable_characters() {
        let read = |keys: &[(&'static str, &str)]| key(&headers(keys)).map_err(|problem| problem.to_string());
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[("idempotency-key", "a b~")]), Ok(Some("a b~".to_owned())));
        let long = "x".repeat(256);
        for wrong in ["", long.as_str(), "커피", "a\tb"] {
            assert!(read(&[("idempotency-key", wrong)]).unwrap_err().contains("1 to 255"), "{wrong}");
        }
        let mut twice = headers(&[("idempotency-key", "a")]);
        twice.append("idempotency-key", "b".parse().unwrap());
        assert!(key(&twice).is_err());
    }
}
