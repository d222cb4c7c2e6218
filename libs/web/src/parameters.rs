//! Extractors for what an address and the headers say.

use std::error::Error;

use axum::extract::path::ErrorKind;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{FromRequestParts, Path, Query, RawPathParams};
use axum::http::request::Parts;
use cafe_trace::TraceContext;
use serde::de::DeserializeOwned;

use crate::{Problem, explain};

/// The parameters of the path. What does not fit is a 400 problem that names the parameter.
#[derive(Clone, Copy, Debug)]
pub struct PathOf<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for PathOf<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(value)) => Ok(Self(value)),
            Err(PathRejection::FailedToDeserializePathParams(failed)) => {
                let names = RawPathParams::from_request_parts(parts, state).await.ok();
                Err(path_problem(failed.into_kind(), names.as_ref()))
            }
            Err(rejection) => Err(Problem::internal(rejection.to_string())),
        }
    }
}

fn path_problem(misfit: ErrorKind, names: Option<&RawPathParams>) -> Problem {
    let must_be = |kind: &str, value: &str| format!("must be {}, not {value:?}", explain::kind(kind));
    let name_at = |index| names.and_then(|names| names.iter().nth(index)).map_or("path", |(name, _)| name);
    match misfit {
        ErrorKind::ParseErrorAtKey { key, value, expected_type } => {
            Problem::invalid_parameter(key, must_be(expected_type, &value))
        }
        ErrorKind::ParseErrorAtIndex { index, value, expected_type } => {
            Problem::invalid_parameter(name_at(index), must_be(expected_type, &value))
        }
        ErrorKind::ParseError { value, expected_type } => {
            Problem::invalid_parameter(name_at(0), must_be(expected_type, &value))
        }
        ErrorKind::DeserializeError { key, message, .. } => Problem::invalid_parameter(key, message),
        ErrorKind::InvalidUtf8InPathParam { key } => Problem::invalid_parameter(key, "must be UTF-8"),
        ErrorKind::Message(message) => Problem::invalid_parameter(name_at(0), message),
        other => Problem::internal(other.to_string()),
    }
}

/// The parameters of the query. What does not fit is a 400 problem that names the parameter.
#[derive(Clone, Copy, Debug)]
pub struct QueryOf<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for QueryOf<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        match Query::try_from_uri(&parts.uri) {
            Ok(Query(value)) => Ok(Self(value)),
            Err(rejection) => Err(query_problem(&rejection)),
        }
    }
}

fn query_problem(rejection: &QueryRejection) -> Problem {
    type AtPath = serde_path_to_error::Error<serde::de::value::Error>;
    let mut causes = std::iter::successors(rejection.source(), |&cause| cause.source());
    let (name, detail) = match causes.find_map(|cause| cause.downcast_ref::<AtPath>()) {
        Some(error) => explain::field_and_detail(&error.path().to_string(), &error.inner().to_string()),
        None => ("query".to_owned(), rejection.body_text()),
    };
    Problem::invalid_parameter(name, detail)
}

/// The request's place in a distributed trace, as the header `traceparent` tells it: what it brings about carries that.
#[derive(Clone, Debug, Default)]
pub struct Traceparent(pub Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for Traceparent {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(parts.extensions.get::<TraceContext>().map(ToString::to_string)))
    }
}
