//! The steps of an order's way, as spans that say by whom they were caused.

use cafe_clock::Ids;
use cafe_events::{Record, Source};
use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use tracing::field::Empty;
use tracing::{Level, Span, trace_span};
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

/// A step that lasts until it is dropped. What nobody asked for, such as a timer's work, has no cause to stand under and is not
/// shown.
#[derive(Debug)]
pub struct Step(Span);

impl Step {
    /// A request waits for its turn, and then for the disk. Answers also what its consequences carry.
    pub fn turn(service: Source, cause: Option<String>) -> (Self, Option<String>) {
        Self::under(
            cause,
            || trace_span!(target: TARGET, "turn", otel.name = %format_args!("turn {service}")),
        )
    }

    /// A vendor is asked. Answers also what the vendor is sent, and what the call's consequences carry.
    pub fn vendor(call: &'static str, vendor: &str, cause: Option<String>) -> (Self, Option<String>) {
        Self::under(cause, || {
            trace_span!(
                target: TARGET, "vendor",
                otel.name = %format_args!("{call} {vendor}"), otel.kind = "client", otel.status_code = Empty,
                peer.service = vendor, cafe.vendor.call = call, cafe.vendor.outcome = Empty, error.type = Empty,
            )
        })
    }

    /// What the vendor said. It failed if that is nothing that one can go on with.
    pub fn answered(&self, outcome: &'static str, failed: bool) {
        self.0.record("cafe.vendor.outcome", outcome);
        if failed {
            self.0.record("otel.status_code", "ERROR");
            self.0.record("error.type", outcome);
        }
    }

    fn heard(
        listener: Source,
        (source, system): (Source, &'static str),
        record: &Record,
        cause: Option<String>,
    ) -> (Self, Option<String>) {
        Self::under(cause, || {
            trace_span!(
                target: TARGET, "process",
                otel.name = %format_args!("process {source}"), otel.kind = "consumer",
                messaging.operation.name = "process", messaging.operation.type = "process",
                messaging.system = system, messaging.destination.name = source.name(),
                messaging.consumer.group.name = %format_args!("cafe-{listener}"),
                messaging.message.id = short(&record.id(source)), cloudevents.event_type = short(&record.kind),
                cloudevents.event_subject = short(&record.order_id),
            )
        })
    }

    fn under(cause: Option<String>, span: impl FnOnce() -> Span) -> (Self, Option<String>) {
        let known = if are_shown() { cause.as_deref().and_then(TraceContext::read) } else { None };
        if known.is_none() {
            return (Self(Span::none()), cause);
        }
        let span = span();
        let context = begin(&span, known);
        (Self(span), context.map(|context| context.to_string()).or(cause))
    }
}

/// A step for each record that `listener` has heard of a source, through a messaging system of this name; from now on the records
/// are what the steps cause. To be dropped once all of it is on disk.
pub fn hearing<'a>(
    listener: Source,
    from: (Source, &'static str),
    records: impl Iterator<Item = &'a mut Record>,
) -> Vec<Step> {
    if !are_shown() {
        return Vec::new();
    }
    let hear = |record: &mut Record| {
        let cause = record.traceparent.take();
        let (step, traceparent) = Step::heard(listener, from, record, cause);
        record.traceparent = traceparent;
        step
    };
    records.map(hear).collect()
}

/// One commit for many `inputs`; it belongs to no trace of theirs, and names the first of them.
pub fn committing<'a>(service: Source, inputs: usize, causes: impl Iterator<Item = &'a str>) -> Step {
    if !are_shown() {
        return Step(Span::none());
    }
    let causes: Vec<_> = causes.filter_map(TraceContext::read).take(LINKS_LIMIT).collect();
    if causes.is_empty() {
        return Step(Span::none());
    }
    let span = trace_span!(target: TARGET, "commit", otel.name = %format_args!("commit {service}"), cafe.inputs = inputs);
    for cause in causes {
        span.add_link(remote(cause));
    }
    begin(&span, None);
    Step(span)
}

/// Whether anybody wants to see steps at all; costs nothing.
fn are_shown() -> bool {
    tracing::span_enabled!(target: TARGET, Level::TRACE)
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

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use opentelemetry::trace::{SpanKind, Status, TracerProvider};
    use opentelemetry_sdk::error::OTelSdkResult;
    use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    const CALLER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn each_step_is_caused_by_the_one_before_from_the_caller_to_the_vendor() {
        let spans = exported(|| {
            let serving =
                Serving::begin("POST", "/orders", "/orders", TraceContext::read(CALLER), &Ids::seeded(1));
            let (turn, announced) = Step::turn(Source::Order, Some(serving.context().to_string()));
            drop(turn);
            serving.end(201);
            let mut records = [placed(announced)];
            let heard = hearing(Source::Payment, (Source::Order, "cafe"), records.iter_mut());
            let (call, sent) = Step::vendor("charge", "simulator", records[0].traceparent.clone());
            call.answered("unclear", true);
            drop((call, heard));
            assert!(sent.is_some_and(|sent| sent.starts_with(&CALLER[..35])));
        });
        let chain = ["POST /orders", "turn order", "process order", "charge simulator"].map(|name| {
            spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("{name} in {spans:#?}"))
        });
        let mut cause = TraceContext::read(CALLER).unwrap().span_id;
        for span in chain {
            assert_eq!(u64::from_be_bytes(span.parent_span_id.to_bytes()), cause, "{span:#?}");
            assert_eq!(span.span_context.trace_id().to_string(), CALLER[3..35]);
            cause = u64::from_be_bytes(span.span_context.span_id().to_bytes());
        }
        let kinds = chain.map(|span| &span.span_kind);
        assert_eq!(kinds, [&SpanKind::Server, &SpanKind::Internal, &SpanKind::Consumer, &SpanKind::Client]);
        assert!(matches!(chain[3].status, Status::Error { .. }) && chain[0].status == Status::Unset);
    }

    #[test]
    fn a_commit_has_a_trace_of_its_own_that_names_its_inputs() {
        let spans = exported(|| drop(committing(Source::Order, 40, std::iter::repeat_n(CALLER, 40))));
        assert_eq!((spans.len(), spans[0].links.len()), (1, LINKS_LIMIT));
        assert_eq!(spans[0].links.iter().next().unwrap().span_context.trace_id().to_string(), CALLER[3..35]);
        assert_ne!(spans[0].span_context.trace_id().to_string(), CALLER[3..35]);
    }

    #[test]
    fn a_text_from_outside_is_kept_up_to_a_limit() {
        let spans = exported(|| {
            let record = Record { kind: "é".repeat(100_000), ..placed(Some(CALLER.to_owned())) };
            drop(hearing(Source::Payment, (Source::Order, "cafe"), [record].iter_mut()));
            let path = format!("/{}", "x".repeat(100_000));
            Serving::begin("BREW", "unknown", &path, None, &Ids::seeded(1)).end(404);
        });
        for attribute in spans.iter().flat_map(|span| &span.attributes) {
            assert!(attribute.value.to_string().len() <= TEXT_LIMIT, "{attribute:?}");
        }
        assert_eq!(spans[1].name, "_OTHER unknown");
    }

    #[test]
    fn what_nobody_asked_for_and_what_is_no_trace_begins_none() {
        let spans = exported(|| {
            for cause in [None, Some("nonsense".to_owned())] {
                let mut records = [placed(cause.clone())];
                drop(hearing(Source::Order, (Source::Barista, "cafe"), records.iter_mut()));
                drop(committing(Source::Order, 1, cause.as_deref().into_iter()));
                assert_eq!(records[0].traceparent, cause);
                assert_eq!(Step::turn(Source::Barista, cause.clone()).1, cause);
            }
        });
        assert!(spans.is_empty(), "{spans:#?}");
    }

    #[test]
    fn where_nothing_is_exported_what_came_travels_on_and_a_missing_trace_begins() {
        let ids = Ids::seeded(1);
        let serving = Serving::begin("POST", "/orders", "/orders", TraceContext::read(CALLER), &ids);
        assert_eq!(serving.context().to_string(), CALLER);
        assert_ne!(Serving::begin("POST", "/orders", "/orders", None, &ids).context().trace_id, 0);
        assert_eq!(Step::turn(Source::Order, Some(CALLER.to_owned())).1.as_deref(), Some(CALLER));
        assert_eq!(Step::turn(Source::Order, None).1, None);
        let mut records = [placed(Some(CALLER.to_owned())), placed(None)];
        drop(hearing(Source::Payment, (Source::Order, "cafe"), records.iter_mut()));
        assert_eq!(records.map(|record| record.traceparent), [Some(CALLER.to_owned()), None]);
    }

    fn placed(traceparent: Option<String>) -> Record {
        Record {
            position: 1,
            order_id: "o".to_owned(),
            version: 1,
            kind: "cafe.order.placed.v1".to_owned(),
            at_ms: 0,
            body: "{}".to_owned(),
            traceparent,
        }
    }

    fn exported(work: impl FnOnce()) -> Vec<SpanData> {
        let kept = Kept::default();
        let provider = SdkTracerProvider::builder().with_simple_exporter(kept.clone()).build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), work);
        kept.0.lock().unwrap().drain(..).collect()
    }

    #[derive(Clone, Debug, Default)]
    struct Kept(Arc<Mutex<Vec<SpanData>>>);

    impl SpanExporter for Kept {
        async fn export(&self, mut batch: Vec<SpanData>) -> OTelSdkResult {
            self.0.lock().unwrap().append(&mut batch);
            Ok(())
        }
    }
}
