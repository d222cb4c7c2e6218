//! Tickets as they lie in databases out there.

use cafe_barista::Ticket;

/// Never changed: a program that cannot read this cannot read the tickets of a cafe that was there before it.
const FIRST: &str = r#"{"store":"main","number":"0001","day":"2026-11-23","sequence":1,"status":"making","lines":[{"ordered":{"line_id":1,"menu":"americano","name":{"en":"Americano","ko":"아메리카노"},"size":"medium","quantity":1,"options":[],"takeout":true,"unit_price":3500,"price":3500,"making_ms":2000},"state":"ready"},{"ordered":{"line_id":2,"menu":"latte","name":{"en":"Latte","ko":"라떼"},"size":"large","quantity":2,"options":[],"takeout":true,"unit_price":4000,"price":8000,"making_ms":3000},"state":"waiting","recalled":true}],"version":5,"queued_at":"2026-11-23T06:00:00Z","started_at":"2026-11-23T06:00:01Z"}"#;

#[test]
fn a_ticket_of_the_first_version_is_read_as_it_was_written() {
    let ticket: Ticket = serde_json::from_str(FIRST).unwrap();
    assert_eq!(serde_json::to_string(&ticket).unwrap(), FIRST);
}
