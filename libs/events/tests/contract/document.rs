//! The `AsyncAPI` document. Whether it is one by the official schema is a system test: that schema comes from a registry.

use std::collections::BTreeSet;

use cafe_events::{Event, Source, asyncapi};
use serde_json::Value;

use crate::frozen::validator;

#[test]
fn every_type_is_a_message_of_its_sources_channel() {
    let document = document();
    for (source, kind) in Event::TYPES {
        let message = &document["components"]["messages"][kind];
        assert_eq!(message["name"], *kind);
        assert!(message["summary"].as_str().is_some_and(|words| words.ends_with('.')), "{kind}: {message}");
        let reference = format!("#/components/messages/{kind}");
        assert_eq!(document["channels"][source.name()]["messages"][kind]["$ref"], reference);
    }
    assert_eq!(document["components"]["messages"].as_object().unwrap().len(), Event::TYPES.len());
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let mut references = BTreeSet::new();
    collect_references(&document, &mut references);
    assert!(references.len() > 2 * Event::TYPES.len(), "{references:?}");
    for reference in references {
        let found = reference.strip_prefix('#').and_then(|pointer| document.pointer(pointer));
        assert!(found.is_some(), "{reference} leads nowhere");
    }
}

#[test]
fn every_service_sends_on_its_topic_and_receives_from_those_it_hears() {
    let document = document();
    for service in Source::ALL {
        let says = &document["operations"][format!("{service}.says")];
        assert_eq!(
            (&says["action"], &says["channel"]["$ref"]),
            (&"send".into(), &format!("#/channels/{service}").into())
        );
        assert_eq!(says["bindings"]["kafka"]["clientId"]["const"], "my-cafe");
        for peer in Source::ALL {
            let hears = &document["operations"][format!("{service}.hears.{peer}")];
            assert_eq!(hears.is_object(), service.hears().contains(&peer), "{service} hears {peer}");
            if hears.is_object() {
                assert_eq!(hears["action"], "receive");
                assert_eq!(hears["bindings"]["kafka"]["groupId"]["const"], format!("cafe-{service}"));
            }
        }
    }
}

#[test]
fn every_example_is_valid_by_the_documents_own_schemas() {
    let document = document();
    for (kind, message) in document["components"]["messages"].as_object().unwrap() {
        let example = &message["examples"][0];
        for (part, schema) in [("headers", &message["headers"]), ("payload", &message["payload"])] {
            let errors: Vec<String> = standing_alone(&document, schema, |validator| {
                validator.iter_errors(&example[part]).map(|error| error.to_string()).collect()
            });
            assert!(errors.is_empty(), "{kind} {part}: {errors:#?}");
        }
        assert_eq!(example["headers"]["ce_subject"], example["payload"]["order_id"]);
    }
}

#[test]
fn headers_that_are_not_ours_are_not_valid() {
    let document = document();
    let placed = &document["components"]["messages"]["cafe.order.placed.v1"];
    let example = &placed["examples"][0]["headers"];
    for (name, wrong) in [
        ("ce_id", "order/1"),
        ("ce_type", "cafe.order.cancel_requested.v1"),
        ("ce_source", "payment"),
        ("ce_time", "yesterday"),
        ("ce_subject", "latte"),
        ("ce_specversion", "0.3"),
        ("content-type", "text/plain"),
        ("traceparent", "00-nonsense"),
        ("ce_cafelog", "log"),
        ("ce_cafeposition", "0"),
        ("ce_cafeprevious", "-1"),
    ] {
        let is_valid =
            |headers: &Value| standing_alone(&document, &placed["headers"], |it| it.is_valid(headers));
        let (mut changed, mut without) = (example.clone(), example.clone());
        changed[name] = wrong.into();
        without.as_object_mut().unwrap().remove(name);
        assert!(!is_valid(&changed), "{name} may be {wrong}");
        assert_eq!(is_valid(&without), name == "traceparent", "without {name}");
    }
}

fn document() -> Value {
    serde_json::to_value(asyncapi()).unwrap()
}

/// Looks through a schema of the document, with everything that it may refer to.
fn standing_alone<T>(document: &Value, schema: &Value, look: impl FnOnce(&jsonschema::Validator) -> T) -> T {
    look(&validator(&serde_json::json!({ "allOf": [schema], "components": document["components"] })))
}

fn collect_references(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            into.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|value| collect_references(value, into));
        }
        Value::Array(items) => items.iter().for_each(|value| collect_references(value, into)),
        _ => {}
    }
}
