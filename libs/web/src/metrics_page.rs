//! The process's metrics, in Prometheus' text format.

use std::sync::OnceLock;
use std::time::Duration;

use metrics::{describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio_util::sync::CancellationToken;

/// Upper bounds of the buckets of everything that ends in `_seconds`.
const SECONDS: [f64; 13] = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 10.0];
/// Upper bounds of the buckets of everything that ends in `_size`.
const SIZES: [f64; 10] = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0];
/// Observations are kept one by one until they are sorted into buckets, so this bounds memory.
const SORT_EVERY: Duration = Duration::from_secs(1);

static PAGE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Makes this process keep what the metrics macros are told, for `/metrics`. Call it before anything holds on to a
/// metric: what was looked up earlier counts for nothing. Once per process is enough; more often does no harm.
///
/// Histograms are buckets: names that end in `_seconds` (0.5 ms to 10 s) or `_size` (1 to 1,000) have them; others are
/// shown as summaries.
pub fn install_metrics() {
    PAGE.get_or_init(|| {
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
            .and_then(|builder| builder.set_buckets_for_metric(Matcher::Suffix("_size".to_owned()), &SIZES));
        match builder.and_then(PrometheusBuilder::install_recorder) {
            Ok(page) => {
                describe();
                Some(page)
            }
            Err(error) => {
                tracing::warn!(%error, "there are no metrics");
                None
            }
        }
    });
}

/// Everything recorded so far; nothing if metrics were never installed.
pub(crate) fn render() -> String {
    PAGE.get().and_then(Option::as_ref).map(PrometheusHandle::render).unwrap_or_default()
}

/// Sorts observations into buckets until `stop`.
pub(crate) async fn keep_sorting(stop: CancellationToken) {
    let Some(page) = PAGE.get().and_then(Option::as_ref) else { return };
    while stop.run_until_cancelled(tokio::time::sleep(SORT_EVERY)).await.is_some() {
        page.run_upkeep();
    }
}

fn describe() {
    describe_counter!("cafe_http_requests_total", "Requests answered, by route and kind of status.");
    describe_histogram!("cafe_http_request_seconds", "Time to the first byte of the answer, by route.");
    describe_gauge!("cafe_parked", "Events that were set aside and wait for a person.");
    describe_gauge!("cafe_held", "Events that wait for an earlier version.");
    describe_gauge!("cafe_backlog", "Events of a source that are not taken in yet.");
    describe_gauge!(
        "cafe_backlog_age_seconds",
        "Age of the oldest event of a source that is not taken in yet."
    );
    describe_gauge!("cafe_position", "The last position taken in of a source's log.");
    describe_gauge!("cafe_silent", "1 while nothing can be heard from a source.");
    describe_gauge!("cafe_ready", "1 while this service can take work.");
}
