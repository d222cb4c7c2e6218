//! A collector of traces: OTLP over HTTP, in protobuf.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span};
use prost::Message;
use tokio::runtime::Runtime;

/// Takes what is sent to `/v1/traces`.
pub(crate) struct Collector {
    port: u16,
    taken: Arc<Mutex<Taken>>,
    runtime: Runtime,
}

#[derive(Default)]
struct Taken {
    spans: Vec<Told>,
    keys: Vec<String>,
}

/// A span as it was told, its ids in hex.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) service: String,
    pub(crate) environment: String,
    pub(crate) name: String,
    pub(crate) trace_id: String,
    pub(crate) id: String,
    pub(crate) parent: String,
    attributes: Vec<KeyValue>,
}

impl Collector {
    pub(crate) fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a thread for the collector");
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let port = listener.local_addr().expect("a bound port").port();
        let taken = Arc::<Mutex<Taken>>::default();
        let router = Router::new().route("/v1/traces", post(take)).with_state(Arc::clone(&taken));
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { port, taken, runtime }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The spans from the one that nobody here has caused to the one that is looked for, once all of them are here.
    pub(crate) fn way_to(&self, trace_id: &str, last: impl Fn(&Told) -> bool) -> Option<Vec<Told>> {
        let spans = self.taken.lock().expect("taking does not panic").spans.clone();
        let mut way = vec![spans.iter().find(|span| span.trace_id == trace_id && last(span))?.clone()];
        while let Some(cause) = spans.iter().find(|span| span.id == way[0].parent) {
            way.insert(0, cause.clone());
        }
        // Before a request nothing is told; in the middle, the next batch may tell it.
        way[0].name.starts_with("POST").then_some(way)
    }

    /// The different keys that came as a header.
    pub(crate) fn keys(&self) -> Vec<String> {
        let mut keys = self.taken.lock().expect("taking does not panic").keys.clone();
        keys.dedup();
        keys
    }

    /// Ends, and answers with all that was told.
    pub(crate) fn stop(self) -> Vec<Told> {
        self.runtime.shutdown_background();
        std::mem::take(&mut self.taken.lock().expect("taking does not panic").spans)
    }
}

async fn take(State(taken): State<Arc<Mutex<Taken>>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let Ok(request) = ExportTraceServiceRequest::decode(body) else { return StatusCode::BAD_REQUEST };
    let mut taken = taken.lock().expect("taking does not panic");
    let key = headers.get("x-key").and_then(|key| key.to_str().ok());
    taken.keys.extend(key.map(str::to_owned));
    taken.spans.extend(request.resource_spans.into_iter().flat_map(told));
    StatusCode::OK
}

fn told(of_one: ResourceSpans) -> Vec<Told> {
    let resource = of_one.resource.map(|resource| resource.attributes).unwrap_or_default();
    let spans = of_one.scope_spans.into_iter().flat_map(|scope| scope.spans);
    let told = |span: Span| Told {
        service: value(&resource, "service.name"),
        environment: value(&resource, "deployment.environment.name"),
        name: span.name,
        trace_id: hex(&span.trace_id),
        id: hex(&span.span_id),
        parent: hex(&span.parent_span_id),
        attributes: span.attributes,
    };
    spans.map(told).collect()
}

impl Told {
    /// Whether it is this service's step of this name, about an event of this type.
    pub(crate) fn is(&self, service: &str, name: &str, kind: &str) -> bool {
        self.service == service && self.name == name && self.attribute("cloudevents.event_type") == kind
    }

    pub(crate) fn attribute(&self, key: &str) -> String {
        value(&self.attributes, key)
    }
}

fn value(attributes: &[KeyValue], key: &str) -> String {
    let found = attributes.iter().find(|attribute| attribute.key == key);
    match found.and_then(|attribute| attribute.value.as_ref()?.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(other) => format!("{other:?}"),
        None => String::new(),
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
