//! What every request passes through: its place in a trace, the limit of requests at once, the log line, the metrics, and the
//! catch of a panic.
//!
//! One layer with a future of its own, because it is on the path of every request: nothing is boxed here, and nothing is
//! allocated but the place in the trace, which travels with the request.

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
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use cafe_clock::Ids;
use cafe_trace::{Serving, TraceContext};
use futures_util::future::Either;
use tower::{Layer, Service};

use crate::Problem;
use crate::request_metrics::RouteMetrics;

/// Wraps every route of a service.
#[derive(Clone)]
pub(crate) struct Guard {
    in_flight: Arc<AtomicUsize>,
    limit: usize,
    ids: Ids,
}

impl Guard {
    /// At most `limit` requests are answered at once. Traces that begin here are named by `ids`.
    pub(crate) fn new(limit: usize, ids: Ids) -> Self {
        Self { in_flight: Arc::default(), limit, ids }
    }

    /// A place among the requests in flight. Health and metrics always get one: they say what is wrong when all is full.
    fn admit(&self, path: &str) -> Option<Place> {
        let place = Place(Arc::clone(&self.in_flight));
        let before = self.in_flight.fetch_add(1, Ordering::Relaxed);
        (before < self.limit || is_for_watchers(path)).then_some(place)
    }

    fn serving(&self, request: &Request, path: &str) -> Serving {
        let caller = caller(request.headers());
        if is_for_watchers(path) {
            return Serving::unseen(caller, &self.ids);
        }
        Serving::begin(request.method().as_str(), path, request.uri().path(), caller, &self.ids)
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

    fn call(&mut self, mut request: Request) -> Self::Future {
        let path: Option<MatchedPath> = request.extensions().get().cloned();
        let asked = Asked {
            since: Instant::now(),
            method: request.method().clone(),
            serving: self.guard.serving(&request, known(path.as_ref())),
            path,
            metrics: Arc::clone(&self.metrics),
        };
        request.extensions_mut().insert(asked.serving.context());
        let place = self.guard.admit(known(asked.path.as_ref()));
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
        let mut response = match catch_unwind(AssertUnwindSafe(|| this.answer.poll(context))) {
            Ok(answer) => ready!(answer)?,
            Err(panic) => Problem::internal(format!("a panic: {}", words_of(&*panic))).into_response(),
        };
        let problem = response.extensions_mut().remove::<Problem>();
        this.asked.note(response.status(), problem.as_ref());
        if let Some(problem) = problem {
            *response.body_mut() = problem.within(this.asked.serving.context()).json().into();
        }
        Poll::Ready(Ok(response))
    }
}

/// What was asked, and when. The query is left out: it may hold a token.
struct Asked {
    since: Instant,
    method: Method,
    path: Option<MatchedPath>,
    serving: Serving,
    metrics: Arc<RouteMetrics>,
}

impl Asked {
    fn note(&self, status: StatusCode, problem: Option<&Problem>) {
        let took = self.since.elapsed();
        let (method, path) = (&self.method, known(self.path.as_ref()));
        self.metrics.record(method, path, status, took);
        let ms = took.as_micros() as f64 / 1000.0;
        self.serving.end(status.as_u16());
        let (status, trace_id) = (status.as_u16(), self.serving.context().trace_id());
        if status >= 500 {
            let cause = problem.and_then(Problem::why);
            tracing::warn!(%method, path, status, ms, %trace_id, cause, "a request failed");
        } else {
            tracing::debug!(%method, path, status, ms, %trace_id, "a request");
        }
    }
}

/// Asked every few seconds, by those who must be answered when all is full.
pub(crate) fn is_for_watchers(path: &str) -> bool {
    path.starts_with("/health/") || path == "/metrics"
}

fn known(path: Option<&MatchedPath>) -> &str {
    path.map_or("unknown", MatchedPath::as_str)
}

/// Where the caller is in a trace. Two headers contradict each other: neither is believed.
fn caller(headers: &HeaderMap) -> Option<TraceContext> {
    let mut values = headers.get_all("traceparent").iter();
    let (value, others) = (values.next()?, values.next());
    value.to_str().ok().filter(|_| others.is_none()).and_then(TraceContext::read)
}

fn words_of(panic: &(dyn Any + Send)) -> &str {
    let formatted = panic.downcast_ref::<String>().map(String::as_str);
    formatted.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without words")
}
