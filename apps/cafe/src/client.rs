//! A small HTTP client for the services of a cafe: JSON, a bearer key, a limit on time and size for everything.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::{Method, Request, StatusCode};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde::de::DeserializeOwned;

/// A service is on this machine or near; one that does not take a connection in this time is not there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// The longest answer that is read, in bytes.
const LONGEST_ANSWER: usize = 16 * 1024 * 1024;

/// Clones share their connections.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    http: legacy::Client<HttpConnector, Full<Bytes>>,
    bearer: Option<String>,
    limit: Duration,
}

/// What a service answered.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
}

/// Why there is no answer. Whether the request took effect is known only for `Unreachable`: it did not.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// No connection.
    #[error("{0} cannot be reached")]
    Unreachable(String),
    /// No complete answer in time.
    #[error("{0} did not answer in time")]
    TimedOut(String),
    /// The connection ended, or the answer cannot be read.
    #[error("the answer of {0} was lost: {1}")]
    Lost(String, String),
}

impl Client {
    /// A client that waits at most `limit` for a complete answer.
    pub(crate) fn new(limit: Duration) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let http =
            legacy::Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(connector);
        Self { http, bearer: None, limit }
    }

    /// The same connections with `key` as `Authorization: Bearer`.
    pub(crate) fn with_bearer(&self, key: &str) -> Self {
        Self { bearer: Some(key.to_owned()), ..self.clone() }
    }

    /// Asks for `url`.
    pub(crate) async fn get(&self, url: &str) -> Result<Answer, CallError> {
        self.send(Method::GET, url, &[], Bytes::new()).await
    }

    /// Sends a request; a body that is not empty is JSON.
    pub(crate) async fn send(
        &self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Answer, CallError> {
        let lost = |error: &dyn std::fmt::Display| CallError::Lost(url.to_owned(), error.to_string());
        let mut request = Request::builder().method(method).uri(url);
        if !body.is_empty() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if let Some(bearer) = &self.bearer {
            request = request.header(AUTHORIZATION, format!("Bearer {bearer}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body)).map_err(|error| lost(&error))?;
        let answer = async {
            let (head, body) = match self.http.request(request).await {
                Ok(answer) => answer.into_parts(),
                Err(error) if error.is_connect() => return Err(CallError::Unreachable(url.to_owned())),
                Err(error) => return Err(lost(&error)),
            };
            let body = Limited::new(body, LONGEST_ANSWER).collect().await.map_err(|error| lost(&error))?;
            Ok(Answer { status: head.status, body: body.to_bytes() })
        };
        tokio::time::timeout(self.limit, answer)
            .await
            .unwrap_or_else(|_| Err(CallError::TimedOut(url.to_owned())))
    }
}

impl Answer {
    /// The body as `T`.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }
}
