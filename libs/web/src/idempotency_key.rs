//! The header by which a repeated request is told from a new one.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};

use crate::Problem;

/// The longest `Idempotency-Key`.
const LONGEST: usize = 255;

/// The `Idempotency-Key`, if one was sent: 1 to 255 printable ASCII characters, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(pub Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        read(&parts.headers).map(Self)
    }
}

fn read(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut keys = headers.get_all("idempotency-key").iter();
    let Some(key) = keys.next() else { return Ok(None) };
    let key = key.to_str().ok().filter(|key| is_one(key) && keys.next().is_none());
    let wrong = || {
        Problem::new(StatusCode::BAD_REQUEST, "invalid-header", "A header is not right.")
            .field("Idempotency-Key", format!("must be sent once, 1 to {LONGEST} printable ASCII characters"))
    };
    key.map(|key| Some(key.to_owned())).ok_or_else(wrong)
}

fn is_one(key: &str) -> bool {
    (1..=LONGEST).contains(&key.len()) && key.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(keys: &[&str]) -> HeaderMap {
        keys.iter().map(|key| ("idempotency-key".parse().unwrap(), key.parse().unwrap())).collect()
    }

    #[test]
    fn a_key_is_one_of_1_to_255_printable_characters() {
        let read = |keys: &[&str]| super::read(&headers(keys)).map_err(|problem| problem.to_string());
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&["a b~"]), Ok(Some("a b~".to_owned())));
        let long = "x".repeat(256);
        for wrong in ["", long.as_str(), "커피", "a\tb"] {
            assert!(read(&[wrong]).unwrap_err().contains("1 to 255"), "{wrong}");
        }
        assert!(read(&["a", "b"]).is_err());
    }
}
