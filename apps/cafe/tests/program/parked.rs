//! `cafe parked` shows what was set aside, and settles it.

use cafe_failures::{event, tried};
use cafe_store::Connection;
use serde_json::Value;

use crate::support::{Cafe, wait_for, words};

const ORDER: &str = "01980000-0000-7000-8000-000000000001";

#[test]
fn nothing_is_set_aside_at_first() {
    let cafe = Cafe::open(&[]);
    let listed = cafe.run(&["parked"]);
    assert!(listed.status.success());
    assert_eq!(words(&listed.stdout), "nothing is set aside\n");
}

#[test]
fn a_poisonous_event_is_listed_refused_again_and_dropped() {
    tried(&event::POISON);
    let cafe = with_poison();
    let listed = wait_for("order has set it aside", || {
        let listed: Value = serde_json::from_slice(&cafe.run(&["parked", "--json"]).stdout).unwrap();
        listed.as_array().unwrap().first().cloned()
    });
    assert_eq!((&listed["service"], &listed["source"]), (&"order".into(), &"barista".into()));
    let number = listed["id"].to_string();
    let table = words(&cafe.run(&["parked", "list", "--service", "order"]).stdout);
    assert!(table.contains(ORDER) && table.contains(listed["reason"].as_str().unwrap()), "{table}");
    assert_eq!(words(&cafe.run(&["parked", "--service", "barista"]).stdout), "nothing is set aside\n");

    let again = cafe.run(&["parked", "retry", &number, "--service", "order"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(words(&again.stderr).contains("stays on the list"), "{}", words(&again.stderr));

    let dropped = cafe.run(&["parked", "drop", &number, "--service", "order"]);
    assert!(dropped.status.success(), "{}", words(&dropped.stderr));
    assert_eq!(words(&cafe.run(&["parked", "--service", "order"]).stdout), "nothing is set aside\n");
    let gone = cafe.run(&["parked", "drop", &number, "--service", "order"]);
    assert!(words(&gone.stderr).contains("no event is set aside under number"), "{}", words(&gone.stderr));
}

#[test]
fn a_cafe_that_is_closed_is_named() {
    let mut cafe = Cafe::open(&[]);
    cafe.close();
    let listed = cafe.run(&["parked"]);
    assert_eq!(listed.status.code(), Some(1));
    assert!(words(&listed.stderr).contains("is the order service running?"), "{}", words(&listed.stderr));
}

/// A cafe whose barista service has said what nobody can read.
fn with_poison() -> Cafe {
    let mut cafe = Cafe::open(&[]);
    cafe.close();
    let mut barista = Connection::open_as_it_is(&cafe.data().join("barista.sqlite")).unwrap();
    let say = format!(
        "BEGIN IMMEDIATE;
         UPDATE outbox_head SET last = last + 1;
         INSERT INTO outbox (position, order_id, version, kind, at_ms, body)
         SELECT last, '{ORDER}', 1, 'cafe.ticket.queued.v1', 1760000000000, '{{\"number\":7}}' FROM outbox_head;
         COMMIT;"
    );
    barista.batch(&say).unwrap();
    drop(barista);
    cafe.open_with(&[]);
    cafe
}
