//! Traces go out over OTLP/HTTP when the standard settings (`OTEL_*`) ask for it, and only then.
//!
//! `asked.rs` reads what is asked for, `sender.rs` sends. What the `OpenTelemetry` libraries read by themselves is left to
//! them: headers, time-outs, the sampler, the batches, the resource. Whoever collects may be away or slow: spans wait in a
//! queue of a fixed size, in a thread of its own, and are lost beyond it.

mod asked;
mod sender;

use std::time::Duration;

use anyhow::Context;
use cafe_clock::{Clock, Ids};
use opentelemetry::trace::{SpanId, TraceId, TracerProvider};
use opentelemetry::{KeyValue, Value};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::{EnvResourceDetector, TelemetryResourceDetector};
use opentelemetry_sdk::trace::{IdGenerator, SdkTracerProvider};
use tracing::Subscriber;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::LookupSpan;

pub(crate) use asked::{Asked, asked};
use sender::Sender;

/// How long the end of the program waits for the last spans to be sent.
const LAST_SPANS_TIMEOUT: Duration = Duration::from_millis(500);

/// Sends what is waiting when it is dropped.
pub(crate) struct Export(SdkTracerProvider);

/// Begins to export the spans of `process` to `endpoint`.
///
/// # Errors
/// If the settings cannot be used.
pub(crate) fn export(process: &'static str, endpoint: &str) -> anyhow::Result<Export> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(endpoint)
        .with_http_client(Sender::new(endpoint)?)
        .build()
        .context("traces are not exported")?;
    let ids = Ids::random();
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(resource(process, &ids))
        .with_id_generator(Drawn(ids))
        .build();
    Ok(Export(provider))
}

impl Export {
    /// Takes the spans that are for traces.
    pub(crate) fn layer<S: Subscriber + for<'a> LookupSpan<'a>>(&self) -> impl Layer<S> + use<S> {
        let ours = filter_fn(|about| about.is_span() && about.target() == cafe_trace::TARGET);
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer("cafe"))
            .with_location(false)
            .with_threads(false)
            .with_level(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_filter(ours.with_max_level_hint(LevelFilter::TRACE))
    }
}

impl Drop for Export {
    fn drop(&mut self) {
        // Nobody waits for a collector that is away.
        let _ = self.0.shutdown_with_timeout(LAST_SPANS_TIMEOUT);
    }
}

/// Who speaks: the service under a name of its own, unless the settings say otherwise.
fn resource(process: &str, ids: &Ids) -> Resource {
    let instance = ids.uuid(Clock::Real.now()).to_string();
    let ours = [
        KeyValue::new("service.namespace", "cafe"),
        KeyValue::new("service.name", format!("cafe-{process}")),
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        KeyValue::new("service.instance.id", instance),
    ];
    let told = Resource::builder_empty()
        .with_attributes(ours)
        .with_detectors(&[Box::new(TelemetryResourceDetector), Box::new(EnvResourceDetector::new())]);
    match std::env::var("OTEL_SERVICE_NAME") {
        Ok(name) if !name.is_empty() => told.with_service_name(Value::from(name)).build(),
        _ => told.build(),
    }
}

/// Ids from where all of ours come.
#[derive(Debug)]
struct Drawn(Ids);

impl IdGenerator for Drawn {
    fn new_trace_id(&self) -> TraceId {
        let mut bytes = [0; 16];
        self.0.fill(&mut bytes);
        TraceId::from_bytes(bytes)
    }

    fn new_span_id(&self) -> SpanId {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        SpanId::from_bytes(bytes)
    }
}
