//! Errors as the caller sees them: RFC 9457, Problem Details for HTTP APIs.

use std::borrow::Cow;

use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use cafe_delivery::TurnError;
use cafe_trace::TraceContext;
use serde::Serialize;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// The media type of every error answer.
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// What went wrong and what would be right, as the body of an error answer.
///
/// Its `type` is `urn:cafe:problem:<slug>` and never changes for the same kind of error; `title` is the same sentence for
/// every occurrence, `detail` is about this one, and `errors` names the fields at fault.
#[derive(Clone, Debug)]
pub struct Problem(Box<Parts>);

#[derive(Clone, Debug)]
struct Parts {
    status: StatusCode,
    body: Body,
    retry_after_s: Option<u32>,
    closes: bool,
    cause: Option<String>,
}

/// What went wrong and what would be right (RFC 9457).
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Body {
    /// The same for every problem of this kind.
    #[serde(rename = "type", serialize_with = "as_urn")]
    #[schema(value_type = String, example = "urn:cafe:problem:invalid-body")]
    slug: &'static str,
    /// The kind of problem, in a sentence.
    #[schema(example = "The body is not what is expected here.")]
    title: &'static str,
    /// The answer's status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What is wrong this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    detail: Option<String>,
    /// The fields at fault.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    /// A complete body that would be accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    example: Option<serde_json::Value>,
    /// The request's trace, by which whoever runs this finds it in logs and traces.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, pattern = "^[0-9a-f]{32}$", example = "4bf92f3577b34da6a3ce929d0e0e4736")]
    trace_id: Option<String>,
}

/// A field at fault.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct FieldError {
    /// Its path.
    #[schema(example = "items[0].quantity")]
    field: String,
    /// What is wrong with it, or would be right.
    #[schema(example = "must be 1 to 99")]
    detail: String,
}

impl Problem {
    /// Its schema's name in every document.
    pub(crate) const NAME: &'static str = "Problem";

    /// A problem of the stable type `urn:cafe:problem:<slug>`.
    pub fn new(status: StatusCode, slug: &'static str, title: &'static str) -> Self {
        let body = Body {
            slug,
            title,
            status: status.as_u16(),
            detail: None,
            errors: Vec::new(),
            example: None,
            trace_id: None,
        };
        Self(Box::new(Parts { status, body, retry_after_s: None, closes: false, cause: None }))
    }

    /// 404: there is no such thing, or it is not for this caller to know.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "There is nothing here.").detail(detail)
    }

    /// 401: who asks has not shown a key or token that opens this.
    pub fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "This needs a key or token.").detail(detail)
    }

    /// 400: a part of the address is not what it should be.
    pub fn invalid_parameter(name: impl Into<String>, detail: impl Into<String>) -> Self {
        let (name, detail) = (name.into(), detail.into());
        Self::new(StatusCode::BAD_REQUEST, "invalid-parameter", "The address is not right.")
            .detail(format!("`{name}` {detail}."))
            .field(name, detail)
    }

    /// 422: the body is JSON, but not what is expected here. Name the [fields](Self::field) at fault.
    pub fn invalid_body() -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-body", "The body is not what is expected here.")
    }

    /// 503: it cannot be done now, nothing has happened, and trying again in `retry_after_s` seconds is right.
    pub fn unavailable(slug: &'static str, title: &'static str, retry_after_s: u32) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, slug, title).retry_after(retry_after_s)
    }

    /// 500: a fault of ours. The caller is told nothing of `cause`; the request's log line is.
    pub fn internal(cause: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something is wrong on our side.")
            .detail(
                "It was logged. The same request is likely to fail again until somebody has looked at it.",
            )
            .cause(cause)
    }

    /// Says what is wrong this time and what would be right.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.0.body.detail = Some(detail.into());
        self
    }

    /// Names a field at fault by its path, such as `items[0].quantity`, and what would be right.
    #[must_use]
    pub fn field(mut self, path: impl Into<String>, detail: impl Into<String>) -> Self {
        self.0.body.errors.push(FieldError { field: path.into(), detail: detail.into() });
        self
    }

    /// Shows a complete body that would be accepted.
    #[must_use]
    pub fn example(mut self, example: serde_json::Value) -> Self {
        self.0.body.example = Some(example);
        self
    }

    /// Says after how many seconds trying again is worth it.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.0.retry_after_s = Some(seconds);
        self
    }

    /// Notes why, for the log only. Never put a key, token or body here.
    #[must_use]
    pub fn cause(mut self, cause: impl Into<String>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    /// Ends the connection after the answer, because the rest of the request is not going to be read.
    #[must_use]
    pub(crate) fn closing(mut self) -> Self {
        self.0.closes = true;
        self
    }

    /// Names the request's trace.
    #[must_use]
    pub(crate) fn within(mut self, trace: TraceContext) -> Self {
        self.0.body.trace_id = Some(trace.trace_id().to_string());
        self
    }

    /// Why, for the log and never for the caller.
    pub(crate) fn why(&self) -> Option<&str> {
        self.0.cause.as_deref()
    }

    /// Whether any field is named as being at fault.
    pub(crate) fn names_fields(&self) -> bool {
        !self.0.body.errors.is_empty()
    }

    /// The answer's JSON.
    pub(crate) fn json(&self) -> Vec<u8> {
        serde_json::to_vec(&self.0.body).unwrap_or_default()
    }

    /// The answer's status.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The stable name of this kind of problem, the end of its `type`.
    pub fn slug(&self) -> &'static str {
        self.0.body.slug
    }
}

fn as_urn<S: serde::Serializer>(slug: &&'static str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("urn:cafe:problem:{slug}"))
}

/// The problem travels with its answer to where requests are logged, and the trace is named.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let json = self.json();
        let Parts { status, retry_after_s, closes, .. } = *self.0;
        let mut response =
            (status, [(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE))], json).into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = retry_after_s {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if closes {
            headers.insert(axum::http::header::CONNECTION, HeaderValue::from_static("close"));
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<TurnError> for Problem {
    fn from(error: TurnError) -> Self {
        match error {
            TurnError::Busy => Self::busy(),
            TurnError::DiskFull => Self::disk_full(),
            TurnError::Stopped => Self::stopped(),
            TurnError::OutcomeUnknown => {
                Self::new(StatusCode::GATEWAY_TIMEOUT, "outcome-unknown", "It may or may not have been done.")
                    .detail("Ask again; with the same Idempotency-Key, if it had one, it is done once.")
                    .retry_after(1)
            }
            TurnError::Failed(reason) => Self::internal(reason),
        }
    }
}

impl From<cafe_store::Error> for Problem {
    fn from(error: cafe_store::Error) -> Self {
        use cafe_store::Error;
        let problem = match &error {
            // Only a commit's outcome can be unknown; this is about reading.
            Error::Busy(_) | Error::Unknown(_) => Self::busy(),
            Error::Full(_) => Self::disk_full(),
            Error::Lost(_) => Self::stopped(),
            Error::Absent(_) | Error::Refused(_) => return Self::internal(error.to_string()),
        };
        problem.cause(error.to_string())
    }
}

impl Problem {
    /// 503: more is asked at once than can be done.
    pub(crate) fn busy() -> Self {
        Self::unavailable("busy", "There is more to do than can be done at once.", 1)
            .detail("Nothing has happened. Try again in a moment.")
    }

    /// 503: no room on the disk.
    pub(crate) fn disk_full() -> Self {
        Self::unavailable("disk-full", "There is no room left to write this down.", 10)
            .detail("Nothing has happened. Try again once there is room on the disk.")
    }

    /// 503: the service is stopping, or restarts.
    pub(crate) fn stopped() -> Self {
        Self::unavailable("stopping", "This service is stopping or starting again.", 1)
            .detail("Nothing has happened. Try again in a moment.")
    }
}

impl PartialSchema for Problem {
    fn schema() -> RefOr<Schema> {
        Body::schema()
    }
}

impl ToSchema for Problem {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed(Self::NAME)
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((FieldError::name().into_owned(), FieldError::schema()));
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.0.status.as_u16(), self.0.body.title)?;
        if let Some(detail) = &self.0.body.detail {
            write!(f, " {detail}")?;
        }
        for error in &self.0.body.errors {
            write!(f, " {}: {}.", error.field, error.detail)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}
