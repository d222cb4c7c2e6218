//! One frozen JSON text per event type and version: what was written once must be readable for ever, and what we write now
//! must have every field that was ever promised.
//!
//! A file in `examples/` is never edited. A new type gets a new file, without which nothing compiles: make an empty one, and
//! run with `CAFE_FREEZE=1` to fill it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::PathBuf;

use cafe_events::*;
use jiff::Timestamp;

const ORDER: OrderId = OrderId::from_u128(0x0193_5a3c_7e00_7000_8000_0000_0000_0001);

#[test]
fn every_type_has_a_frozen_example_that_is_still_read_as_it_was_meant() {
    for event in examples() {
        let path = path_of(event.kind());
        let written = Record::write(&event, ORDER, "main", 3, at("2026-11-23T03:00:00Z"), None);
        let mut frozen = std::fs::read_to_string(&path).unwrap();
        if frozen.is_empty() && std::env::var_os("CAFE_FREEZE").is_some() {
            frozen = pretty(&written.body);
            std::fs::write(&path, &frozen).unwrap();
        }
        let heard = Record { body: frozen.clone(), ..written.clone() }.read(source_of(event.kind())).unwrap();
        assert_eq!(heard.said, Said::Known(event.clone()), "{}", event.kind());
        assert_eq!((heard.order_id, heard.version, heard.store.as_str()), (ORDER, 3, "main"));
        assert_contains(&json(&written.body), &json(&frozen), event.kind());
    }
}

#[test]
fn every_type_is_among_the_examples_and_every_example_is_of_a_known_type() {
    let mut known: Vec<&str> = Event::TYPES.iter().map(|(_, kind)| *kind).collect();
    let mut shown: Vec<&str> = examples().iter().map(Event::kind).collect();
    known.sort_unstable();
    shown.sort_unstable();
    assert_eq!(known, shown);
    for file in std::fs::read_dir(path_of("x").parent().unwrap()).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        assert!(known.contains(&name.trim_end_matches(".json")), "{name} is of no known type");
    }
}

#[test]
fn what_is_said_has_one_hash_whenever_it_is_said_and_another_if_it_is_something_else() {
    let body = r#"{"at":"2026-11-23T03:00:00Z","reason":"no"}"#;
    let hash = content_hash("cafe.payment.declined.v1", body);
    assert_eq!(hash, content_hash("cafe.payment.declined.v1", &body.replace("03:00", "04:30")));
    assert_ne!(hash, content_hash("cafe.payment.declined.v1", &body.replace("no", "not")));
    assert_ne!(hash, content_hash("cafe.payment.expired.v1", body));
}

#[test]
fn a_currency_is_three_capital_letters() {
    for (code, is_one) in [("KRW", true), ("krw", false), ("KR", false), ("KRWX", false), ("K1W", false)] {
        assert_eq!(Currency::try_from(code.to_owned()).is_ok(), is_one, "{code}");
    }
}

#[test]
fn fields_that_a_newer_program_adds_are_passed_over() {
    for event in examples() {
        let mut record = Record::write(&event, ORDER, "main", 3, at("2026-11-23T03:00:00Z"), None);
        let mut body = json(&record.body);
        add_fields(&mut body);
        record.body = body.to_string();
        let heard = record.read(source_of(event.kind())).unwrap();
        assert_eq!(heard.said, Said::Known(event));
    }
}

#[test]
fn what_is_written_today_is_valid_by_the_schema_that_was_frozen() {
    for event in examples() {
        let written = Record::write(&event, ORDER, "main", 3, at("2026-11-23T03:00:00.123Z"), None);
        let schema = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("schemas/{}.json", event.kind()));
        let schema = json(&std::fs::read_to_string(schema).unwrap());
        let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
        let errors: Vec<String> =
            validator.iter_errors(&json(&written.body)).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{}: {errors:#?}", event.kind());
    }
}

#[test]
fn the_envelope_and_the_body_must_speak_of_the_same_order_and_version() {
    let event = Event::Ticket(TicketEvent::Ready(TicketReady {}));
    let record = Record::write(&event, ORDER, "main", 3, at("2026-11-23T03:00:00Z"), None);
    assert!(record.read(Source::Barista).is_ok());
    assert!(matches!(record.read(Source::Order), Err(Unreadable::Foreign(_))));
    for wrong in [
        Record { version: 4, ..record.clone() },
        Record { order_id: OrderId::nil().to_string(), ..record.clone() },
        Record { body: "{}".to_owned(), ..record.clone() },
        Record { body: record.body[..20].to_owned(), ..record.clone() },
    ] {
        assert!(matches!(wrong.read(Source::Barista), Err(Unreadable::Malformed { .. })), "{wrong:?}");
    }
    let not_an_order = Record { order_id: "hello".to_owned(), ..record };
    assert!(matches!(not_an_order.read(Source::Barista), Err(Unreadable::Foreign(_))));
}

fn examples() -> Vec<Event> {
    let lines = vec![OrderLine {
        line_id: 1,
        menu: "americano".to_owned(),
        name: Name { en: "Americano".to_owned(), ko: "아메리카노".to_owned() },
        size: Size::Large,
        quantity: 2,
        options: Vec::new(),
        takeout: true,
        unit_price: 3500,
        price: 7000,
        making_ms: 3000,
    }];
    let payment = PaymentChoice { vendor: "simulator".to_owned(), token: Some("tok_ok".to_owned()) };
    let reason = Some("changed my mind".to_owned());
    vec![
        Event::Order(OrderEvent::Placed(OrderPlaced {
            number: "0001".to_owned(),
            day: "2026-11-23".to_owned(),
            lines: lines.clone(),
            takeout: true,
            total: 7000,
            currency: Currency::KRW,
            payment,
            pay_by: at("2026-11-23T03:10:00Z"),
        })),
        Event::Order(OrderEvent::CancelRequested(OrderCancelRequested {
            by: Party::Customer,
            reason: reason.clone(),
        })),
        Event::Payment(PaymentEvent::Approved(PaymentApproved {
            number: "0001".to_owned(),
            day: "2026-11-23".to_owned(),
            placed_at: at("2026-11-23T03:00:00Z"),
            lines,
            takeout: true,
            total: 7000,
            currency: Currency::KRW,
            vendor: "simulator".to_owned(),
            charge_id: "ch_1".to_owned(),
        })),
        Event::Payment(PaymentEvent::Declined(PaymentDeclined {
            vendor: "simulator".to_owned(),
            reason: "insufficient_funds".to_owned(),
        })),
        Event::Payment(PaymentEvent::Expired(PaymentExpired { pay_by: at("2026-11-23T03:10:00Z") })),
        Event::Payment(PaymentEvent::Cancelled(PaymentCancelled {
            by: Party::Customer,
            reason: reason.clone(),
        })),
        Event::Payment(PaymentEvent::CancelRequested(PaymentCancelRequested {
            by: Party::Staff,
            reason: reason.clone(),
        })),
        Event::Payment(PaymentEvent::Refunded(PaymentRefunded {
            amount: 7000,
            currency: Currency::KRW,
            refunded_total: 7000,
            lines: vec![1],
            reason: "no milk left".to_owned(),
            goodwill: false,
        })),
        Event::Payment(PaymentEvent::RefundFailed(PaymentRefundFailed {
            amount: 7000,
            currency: Currency::KRW,
            reason: "card_closed".to_owned(),
        })),
        Event::Ticket(TicketEvent::Queued(TicketQueued { number: "0001".to_owned(), sequence: 1 })),
        Event::Ticket(TicketEvent::Started(TicketStarted {})),
        Event::Ticket(TicketEvent::LineReady(TicketLineReady { line_id: 1 })),
        Event::Ticket(TicketEvent::Ready(TicketReady {})),
        Event::Ticket(TicketEvent::PickedUp(TicketPickedUp {})),
        Event::Ticket(TicketEvent::Recalled(TicketRecalled { lines: vec![1], reason: reason.clone() })),
        Event::Ticket(TicketEvent::Rejected(TicketRejected {
            lines: vec![1],
            all: true,
            reason: reason.clone(),
        })),
        Event::Ticket(TicketEvent::Cancelled(TicketCancelled { by: Party::Customer, reason })),
        Event::Ticket(TicketEvent::CancelRefused(TicketCancelRefused {
            by: Party::Customer,
            reason: "making has started".to_owned(),
        })),
        Event::Ticket(TicketEvent::Uncollected(TicketUncollected {})),
    ]
}

fn source_of(kind: &str) -> Source {
    Event::TYPES.iter().find(|(_, known)| *known == kind).map(|(source, _)| *source).unwrap()
}

fn path_of(kind: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples").join(format!("{kind}.json"))
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

fn pretty(text: &str) -> String {
    format!("{:#}\n", json(text))
}

/// One more in every object, however deep.
fn add_fields(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(fields) => {
            fields.values_mut().for_each(add_fields);
            fields.insert("added_later".to_owned(), json(r#"{"deep":[1,2]}"#));
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(add_fields),
        _ => {}
    }
}

/// Everything in `promised` is in `written` too, with the same value.
fn assert_contains(written: &serde_json::Value, promised: &serde_json::Value, place: &str) {
    match promised {
        serde_json::Value::Object(fields) => fields
            .iter()
            .for_each(|(name, value)| assert_contains(&written[name], value, &format!("{place}.{name}"))),
        serde_json::Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(index, value)| assert_contains(&written[index], value, &format!("{place}[{index}]"))),
        value => assert_eq!(written, value, "{place}"),
    }
}
