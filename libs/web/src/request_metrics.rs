//! Counts and times of requests, by route.

use std::sync::OnceLock;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use metrics::{Counter, Histogram, counter, histogram};

const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "other"];
const STATUSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// One route's metrics, looked up in the registry at the first request of each method and kept from then on.
#[derive(Default)]
pub(crate) struct RouteMetrics([OnceLock<Recorded>; METHODS.len()]);

struct Recorded {
    by_status: [Counter; STATUSES.len()],
    seconds: Histogram,
}

impl RouteMetrics {
    pub(crate) fn record(&self, method: &Method, path: &str, status: StatusCode, took: Duration) {
        let method = METHODS.iter().position(|name| *name == method.as_str()).unwrap_or(METHODS.len() - 1);
        let recorded = self.0[method].get_or_init(|| Recorded::of(METHODS[method], path));
        recorded.by_status[usize::from(status.as_u16() / 100 - 1).min(STATUSES.len() - 1)].increment(1);
        recorded.seconds.record(took.as_secs_f64());
    }
}

impl Recorded {
    fn of(method: &'static str, path: &str) -> Self {
        let count = |status: &'static str| counter!("cafe_http_requests_total", "method" => method, "path" => path.to_owned(), "status" => status);
        let seconds = histogram!("cafe_http_request_seconds", "method" => method, "path" => path.to_owned());
        Self { by_status: STATUSES.map(count), seconds }
    }
}
