//! Traces, on real processes: one from the customer to the barista, and what becomes of a cafe whose collector is away.

mod collector;

use std::net::TcpListener;
use std::time::Duration;

use cafe_failures::{owner, tried};
use cafe_system_tests::{Cafe, MOMENT, Rung, Rush, Service, http, proc, wait_until};

use collector::{Collector, Told};

const ORDER: &str = r#"{"items":[{"menu":"espresso"}],"payment":{"vendor":"simulator","token":"tok_ok"}}"#;
const CALLER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const TRACE_ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
/// The exporter's thread, by what the system shows of its name.
const EXPORTER: &str = "OpenTelemetry.T";

#[test]
#[ignore = "run by cargo xtask test"]
fn an_order_is_one_trace_from_the_customer_to_the_barista_and_back() {
    is_one_trace(Rung::Embedded, "cafe");
}

#[test]
#[ignore = "run by cargo xtask test"]
fn an_order_is_one_trace_over_kafka_too() {
    is_one_trace(Rung::Kafka, "kafka");
}

fn is_one_trace(rung: Rung, carrier: &str) {
    let collector = Collector::start();
    let mut cafe = Cafe::closed_on(rung, &[]);
    cafe.set("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint());
    cafe.set("OTEL_EXPORTER_OTLP_HEADERS", "x-key=for the collector");
    cafe.set("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test");
    cafe.set("OTEL_BSP_SCHEDULE_DELAY", "50");
    cafe.set("CAFE_LOG", "cafe_web=debug,info");
    cafe.open();
    cafe.wait_until_ready();
    let order_id = place(&cafe, CALLER);

    let last = |span: &Told| span.is("cafe-order", "process barista", "cafe.ticket.queued.v1");
    let (way, _) =
        wait_until(MOMENT, "the order's way back is told whole", || collector.way_to(TRACE_ID, last));
    let names: Vec<_> = way.iter().map(|span| (span.service.as_str(), span.name.as_str())).collect();
    assert_eq!(
        names,
        [
            ("cafe-order", "POST /orders"),
            ("cafe-order", "turn order"),
            ("cafe-payment", "process order"),
            ("cafe-payment", "charge simulator"),
            ("cafe-payment", "turn payment"),
            ("cafe-barista", "process payment"),
            ("cafe-order", "process barista"),
        ]
    );
    assert_eq!(way[0].parent, &CALLER[36..52], "the customer's own span is the first cause");
    assert_eq!(way[0].attribute("http.response.status_code"), "201");
    assert_eq!(way[2].attribute("cloudevents.event_type"), "cafe.order.placed.v1");
    assert_eq!(way[2].attribute("messaging.system"), carrier);
    assert_eq!(way[3].attribute("cafe.vendor.outcome"), "approved");
    assert_eq!(way[5].attribute("cloudevents.event_type"), "cafe.payment.approved.v1");
    assert_eq!(way[0].environment, "test");
    assert_eq!(collector.keys(), ["for the collector"]);

    assert_eq!(
        announced(&cafe, Service::Order, &order_id),
        [("cafe.order.placed.v1".to_owned(), carried(&way[1]))]
    );
    let approved = ("cafe.payment.approved.v1".to_owned(), carried(&way[4]));
    assert_eq!(announced(&cafe, Service::Payment, &order_id), [approved]);
    let queued = ("cafe.ticket.queued.v1".to_owned(), carried(&way[5]));
    assert_eq!(announced(&cafe, Service::Barista, &order_id), [queued]);
    assert_eq!(vendor_was_sent(&cafe, &order_id), carried(&way[3]));
    assert!(
        cafe.log().contains(&format!(r#""trace_id":"{TRACE_ID}""#)),
        "the request's line names the trace"
    );
    assert!(cafe.close().success());
    collector.stop();
}

#[test]
#[ignore = "run by cargo xtask test"]
fn the_customers_sampling_is_heeded() {
    let collector = Collector::start();
    let mut cafe = Cafe::closed(&[]);
    cafe.set("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint());
    cafe.set("OTEL_TRACES_SAMPLER", "parentbased_always_off");
    cafe.set("OTEL_BSP_SCHEDULE_DELAY", "50");
    cafe.open();
    cafe.wait_until_ready();
    let unwanted = CALLER.replace("4bf92f35", "00000000").replace("-01", "-00");
    place(&cafe, &unwanted);
    place(&cafe, CALLER);
    let last = |span: &Told| span.is("cafe-order", "process barista", "cafe.ticket.queued.v1");
    wait_until(MOMENT, "the wanted order's way is told", || collector.way_to(TRACE_ID, last));
    assert!(cafe.close().success());
    let traces = collector.stop();
    assert!(traces.iter().all(|span| span.trace_id == TRACE_ID), "{traces:#?}");
}

#[test]
#[ignore = "run by cargo xtask test"]
fn without_the_settings_or_disabled_nothing_is_sent_and_the_customers_trace_travels_on_as_it_came() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.set_nonblocking(true).expect("a socket of ours");
    let endpoint = format!("http://{}", listener.local_addr().expect("a bound port"));
    for set in [&[][..], &[("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()), ("OTEL_SDK_DISABLED", "true")]]
    {
        let mut cafe = Cafe::closed(&[]);
        for (name, value) in set {
            cafe.set(name, value);
        }
        cafe.open();
        cafe.wait_until_ready();
        let order_id = place(&cafe, CALLER);
        let queued = || announced(&cafe, Service::Barista, &order_id).pop();
        assert_eq!(wait_until(MOMENT, "the ticket is queued", queued).0.1, CALLER);
        assert_eq!(vendor_was_sent(&cafe, &order_id), CALLER);
        for pid in cafe.pids() {
            assert!(!has_exporter(pid), "nobody asked for an exporter");
        }
        assert!(cafe.close().success());
        assert!(listener.accept().is_err(), "nothing connects");
    }
}

#[test]
#[ignore = "run by cargo xtask test"]
fn a_collector_that_is_gone_or_never_answers_harms_nothing() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let gone = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addresses = [&silent, &gone].map(|listener| listener.local_addr().expect("a bound port"));
    drop(gone);
    for address in addresses {
        let mut cafe = Cafe::closed(&["--robot", "--robot-speed", "1000"]);
        cafe.set("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{address}"));
        cafe.set("OTEL_EXPORTER_OTLP_TIMEOUT", "500");
        cafe.set("OTEL_BSP_MAX_QUEUE_SIZE", "64");
        cafe.set("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "32");
        cafe.set("OTEL_BSP_SCHEDULE_DELAY", "50");
        cafe.open();
        cafe.wait_until_ready();
        for pid in Service::ALL.map(|service| cafe.pid(service).expect("it runs")) {
            assert!(has_exporter(pid), "the test must be about an exporter");
        }
        tried(&owner::COLLECTOR_AWAY);
        let rush = Rush::start(&cafe, 50, &["tok_ok", "tok_declined"]);
        rush.wait_for_customers(200);
        rush.stop().demand_all_well(&cafe, &[]);
        cafe.settle(MOMENT);
        let warned = || (cafe.log().matches("traces are lost for now").count() == 3).then_some(());
        wait_until(MOMENT, "each service has said so, once", warned);
        let closing = std::time::Instant::now();
        assert!(cafe.close().success());
        assert!(closing.elapsed() < Duration::from_secs(5), "{:?}", closing.elapsed());
        assert_eq!(cafe.log().matches("traces are lost for now").count(), 3);
    }
}

fn place(cafe: &Cafe, traceparent: &str) -> String {
    let header = ("traceparent", traceparent);
    let answer = http::post_with(cafe.port(Service::Order), "/orders", header, ORDER).expect("order answers");
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.json()["id"].as_str().expect("an order has an id").to_owned()
}

/// What a service has announced about an order, in order: types and trace contexts.
fn announced(cafe: &Cafe, service: Service, order_id: &str) -> Vec<(String, String)> {
    let db = rusqlite::Connection::open(cafe.database(service)).expect("the database is there");
    let mut events = db
        .prepare("SELECT kind, traceparent FROM outbox WHERE order_id = ?1 ORDER BY position")
        .expect("the outbox is public");
    let rows = events.query_map([order_id], |row| Ok((row.get(0)?, row.get(1)?))).expect("it can be read");
    rows.collect::<Result<_, _>>().expect("each event has a trace")
}

fn vendor_was_sent(cafe: &Cafe, order_id: &str) -> String {
    let db = rusqlite::Connection::open(cafe.data().join("simulator.sqlite")).expect("the record is there");
    db.query_row("SELECT traceparent FROM charges WHERE order_id = ?1", [order_id], |row| row.get(0))
        .expect("there is one charge")
}

/// What is caused by a step carries this.
fn carried(span: &Told) -> String {
    format!("00-{}-{}-01", span.trace_id, span.id)
}

fn has_exporter(pid: u32) -> bool {
    proc::threads(pid).iter().any(|name| name.starts_with(EXPORTER))
}
