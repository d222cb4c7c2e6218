//! JSON bodies, within limits and with every error naming the field.

use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::{FromRequest, Request};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::strict::Strict;
use crate::{Problem, explain};

/// The longest body that is read, in bytes.
pub const BODY_LIMIT_BYTES: usize = 64 * 1024;

/// How long a body may take to arrive.
pub const BODY_READ_LIMIT: Duration = Duration::from_secs(10);

/// A JSON object as the request's body.
///
/// What is not right is a [`Problem`] that says what would be: 400 for what is not JSON, 408 for what does not arrive in
/// time, 413 for what is too long (answered without reading it), 415 for another media type, and 422, naming the field,
/// for JSON that is not a `T`. To add an example to the answer, take `Result<JsonBody<T>, Problem>`.
#[derive(Clone, Copy, Debug)]
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let json = read(body).await?;
        if is_blank(&json) {
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "empty-body", "The body is empty.")
                .detail("Send a JSON object with `Content-Type: application/json`."));
        }
        must_be_json(&parts.headers)?;
        parse(&json).map(Self)
    }
}

/// A JSON object as the request's body, or `T`'s default when the body is empty.
#[derive(Clone, Copy, Debug)]
pub struct JsonOrDefault<T>(pub T);

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for JsonOrDefault<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let json = read(body).await?;
        if is_blank(&json) {
            return Ok(Self(T::default()));
        }
        must_be_json(&parts.headers)?;
        parse(&json).map(Self)
    }
}

/// Spaces and line ends are no JSON: whoever sends nothing else sends nothing.
fn is_blank(body: &[u8]) -> bool {
    body.trim_ascii().is_empty()
}

/// Reads the whole body, or answers early: a body that says it is too long is not read at all.
async fn read(body: Body) -> Result<Bytes, Problem> {
    let announced_bytes = body.size_hint().lower();
    if announced_bytes > BODY_LIMIT_BYTES as u64 {
        return Err(too_long());
    }
    match tokio::time::timeout(BODY_READ_LIMIT, Limited::new(body, BODY_LIMIT_BYTES).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_long()),
        Ok(Err(_)) => {
            Err(Problem::new(StatusCode::BAD_REQUEST, "body-cut-short", "The body ended too early.")
                .detail("Its length or its chunks are not what was announced.")
                .closing())
        }
        Err(_) => Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "body-too-slow",
            "The body did not arrive in time.",
        )
        .detail(format!("All of it must be here within {} s.", BODY_READ_LIMIT.as_secs()))
        .closing()),
    }
}

fn too_long() -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-long", "The body is too long.")
        .detail(format!("At most {BODY_LIMIT_BYTES} bytes are read."))
        .closing()
}

fn must_be_json(headers: &HeaderMap) -> Result<(), Problem> {
    let problem = |detail: String| {
        Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-json", "The body must be JSON.").detail(detail)
    };
    if headers.get_all(CONTENT_ENCODING).iter().any(|encoding| encoding != "identity") {
        return Err(problem("It is sent compressed; leave `Content-Encoding` out.".to_owned()));
    }
    let Some(value) = headers.get(CONTENT_TYPE) else {
        return Err(problem("Add the header `Content-Type: application/json`.".to_owned()));
    };
    let value = value.to_str().unwrap_or("something unreadable");
    let media_type = value.split(';').next().unwrap_or_default().trim();
    let charset = value.split(';').skip(1).find_map(|parameter| parameter.trim().strip_prefix("charset="));
    if !media_type.eq_ignore_ascii_case("application/json") {
        return Err(problem(format!(
            "It is sent as {value:?}; send it as `Content-Type: application/json`."
        )));
    }
    match charset {
        Some(charset) if !charset.trim_matches('"').eq_ignore_ascii_case("utf-8") => {
            Err(problem(format!("It is sent in {charset:?}; JSON is always UTF-8.")))
        }
        _ => Ok(()),
    }
}

/// The quick way first: only what fails is read again to find out where.
fn parse<T: DeserializeOwned>(json: &[u8]) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let value = T::deserialize(Strict(&mut deserializer));
    value.and_then(|value| deserializer.end().map(|()| value)).map_err(|_| parse_problem::<T>(json))
}

fn parse_problem<T: DeserializeOwned>(json: &[u8]) -> Problem {
    let malformed = |detail: String| {
        Problem::new(StatusCode::BAD_REQUEST, "malformed-json", "The body is not JSON.").detail(detail)
    };
    if let Err(error) = std::str::from_utf8(json) {
        return malformed(format!(
            "It is not UTF-8 from byte {} on; JSON is always UTF-8.",
            error.valid_up_to()
        ));
    }
    // Malformed JSON is told as such, even where a value before the mistake does not fit.
    if let Err(error) = serde_json::from_slice::<IgnoredAny>(json) {
        return malformed(format!("The JSON is broken: {error}."));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let misfit = serde_path_to_error::deserialize::<_, T>(Strict(&mut deserializer)).err();
    misfit.map_or_else(Problem::invalid_body, |error| {
        let (field, detail) =
            explain::field_and_detail(&error.path().to_string(), &error.inner().to_string());
        Problem::invalid_body().detail(format!("`{field}` {detail}.")).field(field, detail)
    })
}
