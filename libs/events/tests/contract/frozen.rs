//! The schemas in `schemas/`: what is promised to listeners.
//!
//! A field that is added is frozen too, or it could go again unseen: run with `CAFE_FREEZE=1`, which writes what has grown
//! and refuses what is a break.

use std::path::PathBuf;

use cafe_events::{BodySchema, body_schemas};
use jsonschema::Validator;
use serde_json::Value;

use crate::compatible::breaks;

#[test]
fn every_schema_is_as_it_was_frozen_or_has_only_grown_and_is_frozen_anew() {
    for BodySchema { kind, schema, .. } in body_schemas() {
        let (path, today) = (path_of("schemas", kind), schema.as_value().clone());
        let frozen = std::fs::read_to_string(&path).ok();
        let found = frozen.as_deref().map_or_else(Vec::new, |frozen| breaks(&json(frozen), &today));
        assert!(found.is_empty(), "{kind} breaks what listeners rely on: {found:#?}");
        if std::env::var_os("CAFE_FREEZE").is_some() {
            std::fs::write(&path, serde_json::to_string_pretty(&schema).unwrap() + "\n").unwrap();
        }
        let frozen = std::fs::read_to_string(&path).map_or(Value::Null, |frozen| json(&frozen));
        assert_eq!(
            frozen, today,
            "{kind} has grown, or is told in other words; run this test with CAFE_FREEZE=1"
        );
    }
}

#[test]
fn every_frozen_schema_is_of_a_known_type() {
    let known: Vec<String> = body_schemas().iter().map(|body| format!("{}.json", body.kind)).collect();
    for file in std::fs::read_dir(path_of("schemas", "x").parent().unwrap()).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        assert!(known.contains(&name), "{name} is of no known type: was one removed?");
    }
}

#[test]
fn frozen_examples_are_valid_today_and_under_the_frozen_schema() {
    for BodySchema { kind, schema, .. } in body_schemas() {
        let example = json(&std::fs::read_to_string(path_of("examples", kind)).unwrap());
        let frozen = json(&std::fs::read_to_string(path_of("schemas", kind)).unwrap());
        for (when, schema) in [("today", schema.to_value()), ("frozen", frozen)] {
            assert_valid(&schema, &example, &format!("{kind} {when}"));
            assert_demanding(&schema, &example, &format!("{kind} {when}"));
        }
    }
}

fn assert_valid(schema: &Value, body: &Value, what: &str) {
    let errors: Vec<String> = validator(schema)
        .iter_errors(body)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{what}: {errors:#?}");
}

/// A schema that takes anything would be valid too: each field that it requires must be missed, and none may be of another
/// type.
fn assert_demanding(schema: &Value, body: &Value, what: &str) {
    let validator = validator(schema);
    for name in schema["required"].as_array().unwrap() {
        let (mut without, mut wrong) = (body.clone(), body.clone());
        without.as_object_mut().unwrap().remove(name.as_str().unwrap());
        wrong[name.as_str().unwrap()] = Value::Array(vec![Value::Null]);
        assert!(!validator.is_valid(&without), "{what} does without {name}");
        assert!(!validator.is_valid(&wrong), "{what} takes anything as {name}");
    }
    let mut more = body.clone();
    more["added_later"] = Value::from(1);
    assert!(validator.is_valid(&more), "{what} refuses a field that a newer program added");
}

pub(crate) fn validator(schema: &Value) -> Validator {
    jsonschema::options().should_validate_formats(true).build(schema).unwrap()
}

fn path_of(folder: &str, kind: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder).join(format!("{kind}.json"))
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}
