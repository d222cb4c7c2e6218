//! Metrics, in Prometheus' text format.

use ::metrics::gauge;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use cafe_clock::{Clock, from_ms, since};
use cafe_delivery::Status;

use super::Common;
use super::health::unreadiness;
use crate::credentials::Watcher;

/// Shows what the service has counted, for Prometheus
///
/// On the service's own machine without a key; from elsewhere, also through a proxy, with the staff key.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "operation",
    security((), ("staff_key" = [])),
    responses((status = 200, body = String, content_type = "text/plain; version=0.0.4; charset=utf-8", description = "All metrics."))
)]
pub(super) async fn metrics(_: Watcher, State(common): State<Common>) -> impl IntoResponse {
    set_gauges(&common.delivery.status());
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], crate::metrics_page::render())
}

fn set_gauges(status: &Status) {
    gauge!("cafe_ready").set(f64::from(u8::from(unreadiness(status).is_none())));
    gauge!("cafe_held").set(status.held as f64);
    gauge!("cafe_parked").set(status.parked as f64);
    let now = Clock::Real.now();
    for link in &status.links {
        let source = link.source.name();
        let age = link.waiting_since_ms.map_or(0.0, |ms| since(now, from_ms(ms)).as_secs_f64());
        gauge!("cafe_backlog", "source" => source).set(link.behind() as f64);
        gauge!("cafe_backlog_age_seconds", "source" => source).set(age);
        gauge!("cafe_position", "source" => source).set(link.position as f64);
        gauge!("cafe_silent", "source" => source).set(f64::from(u8::from(link.silent.is_some())));
    }
}
