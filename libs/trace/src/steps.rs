//! The steps of an order's way, as spans that say by whom they were caused.

use cafe_clock::Ids;
use cafe_events::{Record, Source};
use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use tracing::field::Empty;
use tracing::{Span, trace_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::TraceContext;

/// The spans of this crate, which are for traces and not for the log: they are of the lowest level, so that nobody makes them
/// for a log that shows what is usual.
pub const TARGET: &str = "cafe_trace";
/// Inputs that a commit names at most; a turn may hold a thousand.
const LINKS_LIMIT: usize = 32;
/// Bytes of a text from outside that are kept: spans wait in memory until they are sent.
const TEXT_LIMIT: usize = 200;
/// Any other is called by what the conventions call it, whatever it says.
const METHODS: [&str; 9] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT"];

/// A request while it is answered.
#[derive(Debug)]
pub struct Serving {
    span: Span,
    context: TraceContext,
}

impl Serving {
    /// A request whose caller is at `caller` of a trace; without one, a trace begins here.
    pub fn begin(method: &str, route: &str, path: &str, caller: Option<TraceContext>, ids: &Ids) -> Self {
        let method = if METHODS.contains(&method) { method } else { "_OTHER" };
        let span = trace_span!(
            target: TARGET, "request",
            otel.name = %format_args!("{method} {route}"), otel.kind = "server", otel.status_code = Empty,
            http.request.method = method, http.route = route, url.path = short(path), url.scheme = "http",
            http.response.status_code = Empty, error.type = Empty,
        );
        let context = begin(&span, caller).or(caller);
        Self { span, context: context.unwrap_or_else(|| TraceContext::anew(ids)) }
    }

    /// The same, for what is asked every few seconds and would fill a trace store with nothing: no span.
    pub fn unseen(caller: Option<TraceContext>, ids: &Ids) -> Self {
        Self { span: Span::none(), context: caller.unwrap_or_else(|| TraceContext::anew(ids)) }
    }

    /// What the request's consequences are caused by.
    pub fn context(&self) -> TraceContext {
        self.context
    }

    /// It was answered.
    pub fn end(&self, status: u16) {
        self.span.record("http.response.status_code", status);
        if status >= 500 {
            self.span.record("otel.status_code", "ERROR");
            self.span.record("error.type", tracing::field::display(status));
        }
    }
}

/// A step that lasts until it is dropped.
#[derive(Debug)]
pub struct Step(Span);

impl Step {
    /// A request waits for its turn, and then for the disk. Answers also what its consequences carry.
    pub fn turn(service: Source, cause: Option<String>) -> (Self, Option<String>) {
        let span = trace_span!(target: TARGET, "turn", otel.name = %format_args!("turn {service}"));
        Self::of(span, cause)
    }

    /// A vendor is asked. Answers also what the vendor is sent, and what the call's consequences carry.
    pub fn vendor(call: &'static str, vendor: &str, cause: Option<String>) -> (Self, Option<String>) {
        let span = trace_span!(
            target: TARGET, "vendor",
            otel.name = %format_args!("{call} {vendor}"), otel.kind = "client", otel.status_code = Empty,
            peer.service = vendor, cafe.vendor.call = call, cafe.vendor.outcome = Empty, error.type = Empty,
        );
        Self::of(span, cause)
    }

    /// What the vendor said. It failed if that is nothing that one can go on with.
    pub fn answered(&self, outcome: &'static str, failed: bool) {
        self.0.record("cafe.vendor.outcome", outcome);
        if failed {
            self.0.record("otel.status_code", "ERROR");
            self.0.record("error.type", outcome);
        }
    }

    fn of(span: Span, cause: Option<String>) -> (Self, Option<String>) {
        let context = begin(&span, cause.as_deref().and_then(TraceContext::read));
        (Self(span), context.map(|context| context.to_string()).or(cause))
    }
}

/// A step for each record that `listener` has heard of `source`; from now on the records are what the steps cause. To be
/// dropped once all of it is on disk.
pub fn hearing(listener: Source, source: Source, records: &mut [Record]) -> Vec<Step> {
    let mut steps = Vec::new();
    for record in records {
        let span = trace_span!(
            target: TARGET, "process",
            otel.name = %format_args!("process {source}"), otel.kind = "consumer",
            messaging.operation.name = "process", messaging.operation.type = "process",
            messaging.system = "cafe", messaging.destination.name = source.name(),
            messaging.consumer.group.name = %format_args!("cafe-{listener}"),
            messaging.message.id = short(&record.id(source)), cloudevents.event_type = short(&record.kind),
            cloudevents.event_subject = short(&record.order_id),
        );
        if span.is_disabled() {
            break;
        }
        let (step, traceparent) = Step::of(span, record.traceparent.take());
        record.traceparent = traceparent;
        steps.push(step);
    }
    steps
}

/// One commit for many `inputs`; it belongs to no trace of theirs, and names the first of them.
pub fn committing<'a>(service: Source, inputs: usize, causes: impl Iterator<Item = &'a str>) -> Step {
    let span = trace_span!(target: TARGET, "commit", otel.name = %format_args!("commit {service}"), cafe.inputs = inputs);
    if !span.is_disabled() {
        let linked = causes.filter_map(TraceContext::read).take(LINKS_LIMIT);
        linked.for_each(|cause| span.add_link(remote(cause)));
        begin(&span, None);
    }
    Step(span)
}

/// Begins a span under its cause, and answers where that is; nothing if it is not to be exported at all.
fn begin(span: &Span, cause: Option<TraceContext>) -> Option<TraceContext> {
    if span.is_disabled() {
        return None;
    }
    let parent =
        cause.map_or_else(Context::new, |cause| Context::new().with_remote_span_context(remote(cause)));
    span.set_parent(parent).ok()?;
    let context = span.context();
    let begun = context.span().span_context().clone();
    begun.is_valid().then(|| TraceContext {
        trace_id: u128::from_be_bytes(begun.trace_id().to_bytes()),
        span_id: u64::from_be_bytes(begun.span_id().to_bytes()),
        flags: begun.trace_flags().to_u8(),
    })
}

fn short(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_LIMIT)]
}

fn remote(cause: TraceContext) -> SpanContext {
    let TraceContext { trace_id, span_id, flags } = cause;
    let (trace_id, span_id) = (TraceId::from(trace_id), SpanId::from(span_id));
    SpanContext::new(trace_id, span_id, TraceFlags::new(flags), true, TraceState::NONE)
}
