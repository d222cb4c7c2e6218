//! What comes with everything that staff ask of a ticket.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::header::IF_MATCH;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use cafe_web::{Problem, Staff, StaffAccess, Traceparent};

/// Staff ask, and may say which version of the ticket they have seen.
pub(super) struct Asked {
    /// Of another version it is not to be done.
    pub(super) seen: Option<u32>,
    /// What it brings about carries this.
    pub(super) trace: Option<String>,
}

/// The header that names the version.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "for the document; `seen` reads it")]
pub(super) struct IfMatch {
    /// The `version` of the ticket as it was seen, in quotes (RFC 9110, section 13.1.1): nothing is done if it has changed since.
    #[param(rename = "If-Match", pattern = r#"^(\*|"[0-9]{1,9}")$"#, example = "\"3\"")]
    if_match: Option<String>,
}

impl<S> FromRequestParts<S> for Asked
where
    S: Send + Sync,
    StaffAccess: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Staff::from_request_parts(parts, state).await?;
        let Ok(Traceparent(trace)) = Traceparent::from_request_parts(parts, state).await;
        Ok(Self { seen: seen(&parts.headers)?, trace })
    }
}

/// `*` stands for whatever version there is.
fn seen(headers: &HeaderMap) -> Result<Option<u32>, Problem> {
    let Some(value) = headers.get(IF_MATCH) else { return Ok(None) };
    let value = String::from_utf8_lossy(value.as_bytes());
    let quoted = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    match quoted.map(str::parse) {
        Some(Ok(version)) => Ok(Some(version)),
        None if value == "*" => Ok(None),
        _ => Err(Problem::new(StatusCode::BAD_REQUEST, "invalid-header", "A header is not right.")
            .field("If-Match", "must be the version of the ticket in quotes, such as \"3\"")),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn seen_in(value: &'static str) -> Result<Option<u32>, Problem> {
        seen(&HeaderMap::from_iter([(IF_MATCH, HeaderValue::from_static(value))]))
    }

    #[test]
    fn a_version_is_a_number_in_quotes() {
        assert_eq!(seen(&HeaderMap::new()).unwrap(), None);
        assert_eq!(seen_in("\"7\"").unwrap(), Some(7));
        assert_eq!(seen_in("*").unwrap(), None);
        for wrong in ["7", "\"\"", "\"-1\"", "\"a\"", "\"1\", \"2\"", "W/\"1\"", "\"99999999999\""] {
            assert_eq!(seen_in(wrong).unwrap_err().slug(), "invalid-header", "{wrong}");
        }
    }
}
