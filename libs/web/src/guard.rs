//! What every request passes through: the limit of requests at once, the log line, the metrics, and the catch of a panic.
//!
//! One layer with a future of its own, because it is on the path of every request: nothing is boxed or allocated here.

use std::any::Any;
use std::convert::Infallible;
use std::future::Ready;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use futures_util::future::Either;
use tower::{Layer, Service};

use crate::Problem;
use crate::problem::Cause;
use crate::request_metrics::RouteMetrics;

/// Wraps every route of a service.
#[derive(Clone)]
pub(crate) struct Guard {
    in_flight: Arc<AtomicUsize>,
    limit: usize,
}

impl Guard {
    /// At most `limit` requests are answered at once.
    pub(crate) fn new(limit: usize) -> Self {
        Self { in_flight: Arc::default(), limit }
    }

    /// A place among the requests in flight. Health and metrics always get one: they say what is wrong when all is full.
    fn admit(&self, path: &str) -> Option<Place> {
        let place = Place(Arc::clone(&self.in_flight));
        let before = self.in_flight.fetch_add(1, Ordering::Relaxed);
        (before < self.limit || path.starts_with("/health/") || path == "/metrics").then_some(place)
    }
}

/// Counted from when it is made until it is dropped.
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<S> Layer<S> for Guard {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { inner, guard: self.clone(), metrics: Arc::default() }
    }
}

/// A route behind the guard. Clones share the route's metrics.
#[derive(Clone)]
pub(crate) struct Guarded<S> {
    inner: S,
    guard: Guard,
    metrics: Arc<RouteMetrics>,
}

impl<S> Service<Request> for Guarded<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Answering<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let asked = Asked {
            since: Instant::now(),
            method: request.method().clone(),
            path: request.extensions().get().cloned(),
            metrics: Arc::clone(&self.metrics),
        };
        let place = self.guard.admit(asked.path());
        let answer = match place {
            Some(_) => Either::Left(self.inner.call(request)),
            None => Either::Right(std::future::ready(Ok(Problem::busy().into_response()))),
        };
        Answering { answer, asked, _place: place }
    }
}

pin_project_lite::pin_project! {
    /// The answer on its way.
    pub(crate) struct Answering<F> {
        #[pin]
        answer: Either<F, Ready<Result<Response, Infallible>>>,
        asked: Asked,
        _place: Option<Place>,
    }
}

impl<F: Future<Output = Result<Response, Infallible>>> Future for Answering<F> {
    type Output = Result<Response, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = match catch_unwind(AssertUnwindSafe(|| this.answer.poll(context))) {
            Ok(answer) => ready!(answer)?,
            Err(panic) => Problem::internal(format!("a panic: {}", words_of(&*panic))).into_response(),
        };
        this.asked.note(&response);
        Poll::Ready(Ok(response))
    }
}

/// What was asked, and when. The query is left out: it may hold a token.
struct Asked {
    since: Instant,
    method: Method,
    path: Option<MatchedPath>,
    metrics: Arc<RouteMetrics>,
}

impl Asked {
    fn path(&self) -> &str {
        self.path.as_ref().map_or("unknown", MatchedPath::as_str)
    }

    fn note(&self, response: &Response) {
        let took = self.since.elapsed();
        let (method, path, status) = (&self.method, self.path(), response.status());
        self.metrics.record(method, path, status, took);
        let ms = took.as_micros() as f64 / 1000.0;
        if status.is_server_error() {
            let cause = response.extensions().get::<Cause>().map(|cause| cause.0.as_str());
            tracing::warn!(%method, path, status = status.as_u16(), ms, cause, "a request failed");
        } else {
            tracing::debug!(%method, path, status = status.as_u16(), ms, "a request");
        }
    }
}

fn words_of(panic: &(dyn Any + Send)) -> &str {
    let formatted = panic.downcast_ref::<String>().map(String::as_str);
    formatted.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without words")
}
