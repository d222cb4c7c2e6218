//! Sends spans over HTTP, from the exporter's own thread, which may wait.

use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use tokio::runtime::{Builder, Runtime};

/// How long the collector may take, unless the settings say otherwise: what the specification says.
const USUAL_TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of an answer that are read.
const ANSWER_LIMIT_BYTES: usize = 64 * 1024;

/// A collector, and whether it took the last batch.
#[derive(Debug)]
pub(super) struct Sender {
    endpoint: String,
    timeout: Duration,
    client: Client<HttpConnector, Full<Bytes>>,
    /// Of no use to anybody else: it has no thread of its own.
    runtime: Runtime,
    is_away: AtomicBool,
}

impl Sender {
    pub(super) fn new(endpoint: &str) -> anyhow::Result<Self> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(1)
            .build()
            .context("traces are not exported")?;
        Ok(Self {
            endpoint: endpoint.to_owned(),
            timeout: timeout(),
            client: Client::builder(TokioExecutor::new()).build_http(),
            runtime,
            is_away: AtomicBool::new(false),
        })
    }

    fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let answer = self.runtime.block_on(async {
            tokio::time::timeout(self.timeout, self.ask(request))
                .await
                .unwrap_or_else(|late| Err(late.into()))
        });
        match &answer {
            Ok(answer) if answer.status().is_success() => self.took_it(),
            Ok(answer) => self.is_gone(&format!("answered {}", answer.status())),
            Err(error) => self.is_gone(&error_with_causes(error.as_ref())),
        }
        answer
    }

    async fn ask(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (head, body) = self.client.request(request.map(Full::new)).await?.into_parts();
        let body = Limited::new(body, ANSWER_LIMIT_BYTES).collect().await?.to_bytes();
        Ok(Response::from_parts(head, body))
    }

    /// Said once, however long it lasts.
    fn is_gone(&self, reason: &str) {
        if !self.is_away.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                endpoint = self.endpoint,
                reason,
                "traces are lost for now; nothing else is affected"
            );
        }
    }

    fn took_it(&self) {
        if self.is_away.swap(false, Ordering::Relaxed) {
            tracing::info!(endpoint = self.endpoint, "traces are taken again");
        }
    }
}

impl HttpClient for Sender {
    fn send_bytes<'a, 'b>(
        &'a self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(ready(self.send(request)))
    }
}

fn timeout() -> Duration {
    let variables = ["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"];
    let set = variables.iter().find_map(|name| std::env::var(name).ok()?.trim().parse().ok());
    set.map_or(USUAL_TIMEOUT, Duration::from_millis)
}

fn error_with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |words, cause| format!("{words}: {cause}"))
}
