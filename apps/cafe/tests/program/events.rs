//! `cafe events` tells others what they will hear, and that is what they hear.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use crate::audit::QUICK;
use crate::support::{Cafe, SERVICES, words};

#[test]
fn the_document_is_printed_and_nothing_is_made() {
    let cafe = Cafe::closed();
    let printed = cafe.run(&["events"]);
    assert!(printed.status.success(), "{}", words(&printed.stderr));
    let document: Value = serde_json::from_slice(&printed.stdout).unwrap();
    assert_eq!(document["asyncapi"], "3.0.0");
    assert!(document["components"]["messages"]["cafe.order.placed.v1"].is_object());
    assert!(!cafe.data().exists(), "a look at the events needs no data folder");
}

#[test]
fn the_schemas_are_written_one_file_each() {
    let cafe = Cafe::closed();
    let folder = cafe.path("some/schemas");
    let written = cafe.run(&["events", "--schemas", folder.to_str().unwrap()]);
    assert!(written.status.success(), "{}", words(&written.stderr));
    let schemas = schemas_in(&cafe);
    assert_eq!(words(&written.stdout), format!("{} schemas are in {}\n", schemas.len(), folder.display()));
    assert_eq!(schemas["cafe.ticket.ready.v1"]["title"], "cafe.ticket.ready.v1");

    fs::write(cafe.path("file"), "").unwrap();
    let refused = cafe.run(&["events", "--schemas", cafe.path("file").to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(words(&refused.stderr).contains("cannot be made"), "{}", words(&refused.stderr));
}

#[test]
fn whatever_a_cafe_says_in_a_rush_is_valid() {
    let cafe = Cafe::open(&["--robot", "--robot-speed", "1000", "--pay-by", "15s"]);
    let rush = ["rush", "--orders", "60", "--rate", "60", "--cancel", "20%", "--seed", "7"];
    let rush = cafe.run(&[&rush[..], &QUICK[..]].concat());
    assert!(rush.status.success(), "{}{}", words(&rush.stdout), words(&rush.stderr));
    cafe.run(&["events", "--schemas", cafe.path("some/schemas").to_str().unwrap()]);
    let schemas = schemas_in(&cafe);

    let mut said = BTreeSet::new();
    for (kind, body) in SERVICES.iter().flat_map(|service| outbox(&cafe, service)) {
        let errors: Vec<String> =
            validator(&schemas[&kind]).iter_errors(&body).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{kind}: {errors:#?}\n{body:#}");
        said.insert(kind);
    }
    let all = [
        "order.placed",
        "order.cancel_requested",
        "payment.approved",
        "payment.declined",
        "ticket.picked_up",
    ];
    for kind in all {
        assert!(said.contains(&format!("cafe.{kind}.v1")), "nobody said {kind}: {said:?}");
    }
}

fn validator(schema: &Value) -> jsonschema::Validator {
    jsonschema::options().should_validate_formats(true).build(schema).unwrap()
}

fn schemas_in(cafe: &Cafe) -> BTreeMap<String, Value> {
    let files = fs::read_dir(cafe.path("some/schemas")).unwrap().map(|file| file.unwrap().path());
    files
        .map(|path| {
            let kind = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (kind, serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap())
        })
        .collect()
}

/// The type and body of everything that a service has said.
fn outbox(cafe: &Cafe, service: &str) -> Vec<(String, Value)> {
    let database = cafe.data().join(format!("{service}.sqlite"));
    let database = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut said = database.prepare("SELECT kind, body FROM outbox").unwrap();
    let rows = said.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?))).unwrap();
    rows.map(|row| row.map(|(kind, body)| (kind, serde_json::from_str(&body).unwrap())).unwrap()).collect()
}
