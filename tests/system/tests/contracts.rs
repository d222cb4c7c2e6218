//! What others are told of us, held against what the rest of the world has agreed on.

use cafe_system_tests::{Cafe, Nest, Service, http};
use serde_json::Value;

#[test]
#[ignore = "run by cargo xtask test"]
fn the_events_document_is_asyncapi_by_its_official_schema_and_the_same_everywhere() {
    let nest = Nest::install().unwrap_or_else(|why| panic!("{why:#}"));
    let official = nest.package_file("@asyncapi/specs/schemas/3.0.0-without-$id.json");
    let official = std::fs::read_to_string(official).expect("the package has the schema");
    let official: Value = serde_json::from_str(&official).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&official).expect("the schema is a schema");

    let cafe = Cafe::up(&[]);
    let printed = cafe.shown_command("events").output().expect("the program starts");
    let document: Value = serde_json::from_slice(&printed.stdout).expect("it prints JSON");
    let errors: Vec<String> = validator
        .iter_errors(&document)
        .map(|error| format!("{}: {:.300}", error.instance_path(), error.to_string()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    for service in Service::ALL {
        let served = http::get(cafe.port(service), "/asyncapi.json", None).expect("the service answers");
        assert_eq!((served.status, served.json()), (200, document.clone()), "{}", service.name());
    }
    for (place, wrong) in [
        ("/operations/order.says/action", Value::from("shout")),
        ("/channels/order/bindings/kafka/partitions", Value::from("many")),
        ("/components/schemas/cafe.order.placed.v1/type", Value::from("drink")),
    ] {
        let mut broken = document.clone();
        *broken.pointer_mut(place).unwrap_or_else(|| panic!("{place} is in the document")) = wrong;
        assert!(!validator.is_valid(&broken), "the official schema takes anything at {place}");
    }
}
