//! Whether one JSON Schema may follow another: what was written under the old one is read under the new one, and a listener
//! that relies on the old one finds in what is written under the new one all that it was promised.
//!
//! Fields may be added, as optional ones; an enumeration may grow; a bound may widen; words may change. Nothing else.

use serde_json::{Map, Value, json};

/// What is a break in going from one to the other, each with its place; none if the new one may follow.
pub(crate) fn breaks(old: &Value, new: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare("", old, new, &mut found);
    found
}

/// Of no consequence to a reader.
const WORDS: [&str; 5] = ["$schema", "$id", "title", "description", "examples"];
/// Bounds from below, which may sink, or go.
const LOWER: [&str; 4] = ["minimum", "exclusiveMinimum", "minLength", "minItems"];
/// Bounds from above, which may rise, or go.
const UPPER: [&str; 4] = ["maximum", "exclusiveMaximum", "maxLength", "maxItems"];
/// Looked at one by one below.
const STRUCTURE: [&str; 6] = ["properties", "required", "items", "oneOf", "enum", "const"];

fn compare(place: &str, old: &Value, new: &Value, found: &mut Vec<String>) {
    let (Value::Object(before), Value::Object(after)) = (old, new) else {
        if old != new {
            found.push(format!("{place}: {old} became {new}"));
        }
        return;
    };
    for keyword in before.keys().chain(after.keys().filter(|keyword| !before.contains_key(*keyword))) {
        compare_keyword(place, keyword, before.get(keyword), after.get(keyword), found);
    }
    compare_fields(place, before, after, found);
    compare_values(place, old, new, found);
    if let (Some(old), Some(new)) = (before.get("items"), after.get("items")) {
        compare(&format!("{place}[]"), old, new, found);
    } else if before.contains_key("items") != after.contains_key("items") {
        found.push(format!("{place}: its items are not what they were"));
    }
}

fn compare_keyword(
    place: &str,
    keyword: &str,
    old: Option<&Value>,
    new: Option<&Value>,
    found: &mut Vec<String>,
) {
    let number =
        |value: Option<&Value>, absent: f64| value.map_or(absent, |it| it.as_f64().unwrap_or(f64::NAN));
    let is_fine = if WORDS.contains(&keyword) || STRUCTURE.contains(&keyword) {
        true
    } else if LOWER.contains(&keyword) {
        number(new, f64::NEG_INFINITY) <= number(old, f64::NEG_INFINITY)
    } else if UPPER.contains(&keyword) {
        number(new, f64::INFINITY) >= number(old, f64::INFINITY)
    } else {
        // Type, format, pattern, default, and whatever this does not know: what a value is stays as it is.
        old == new
    };
    if !is_fine {
        let show = |value: Option<&Value>| value.map_or_else(|| "nothing".to_owned(), Value::to_string);
        found.push(format!("{place}: {keyword} was {} and is {}", show(old), show(new)));
    }
}

fn compare_fields(place: &str, old: &Map<String, Value>, new: &Map<String, Value>, found: &mut Vec<String>) {
    let none = Map::new();
    let fields = |schema: &Map<String, Value>| schema.get("properties").and_then(Value::as_object).cloned();
    let (before, after) = (fields(old).unwrap_or_else(|| none.clone()), fields(new).unwrap_or(none));
    let (needed_before, needed_after) = (texts(old.get("required")), texts(new.get("required")));
    for (name, schema) in &before {
        match after.get(name) {
            Some(now) => compare(&format!("{place}.{name}"), schema, now, found),
            None => found.push(format!("{place}.{name} was removed")),
        }
    }
    for name in needed_before.iter().filter(|name| !needed_after.contains(name) && after.contains_key(**name))
    {
        found.push(format!("{place}.{name} was always there, and may be absent now"));
    }
    for name in needed_after.iter().filter(|name| !needed_before.contains(name)) {
        found.push(format!("{place}.{name} is required, and older events lack it"));
    }
}

fn compare_values(place: &str, old: &Value, new: &Value, found: &mut Vec<String>) {
    match (allowed(old), allowed(new)) {
        (Some(before), Some(after)) => {
            for value in before.iter().filter(|value| !after.contains(value)) {
                found.push(format!("{place}: {value} is no longer among its values"));
            }
        }
        (None, None) => {
            if old.get("oneOf") != new.get("oneOf") {
                found.push(format!("{place}: its alternatives are not what they were"));
            }
        }
        (before, _) => {
            let now = if before.is_some() { "anything" } else { "only some values" };
            found.push(format!("{place}: takes {now} now"));
        }
    }
}

/// The values of an enumeration, whichever way it is written; nothing if it is none.
fn allowed(schema: &Value) -> Option<Vec<Value>> {
    if let Some(value) = schema.get("const") {
        return Some(vec![value.clone()]);
    }
    if let Some(values) = schema.get("enum") {
        return values.as_array().cloned();
    }
    schema.get("oneOf")?.as_array()?.iter().map(|alternative| alternative.get("const").cloned()).collect()
}

fn texts(list: Option<&Value>) -> Vec<&str> {
    list.and_then(Value::as_array)
        .map(|list| list.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default()
}

/// A schema with a bit of everything.
fn sample() -> Value {
    json!({
        "title": "sample",
        "type": "object",
        "properties": {
            "id": { "type": "string", "format": "uuid" },
            "size": { "oneOf": [{ "const": "small", "type": "string" }, { "const": "large", "type": "string" }] },
            "by": { "type": "string", "enum": ["staff", "system"] },
            "lines": { "type": "array", "minItems": 1, "items": {
                "type": "object",
                "properties": { "n": { "type": "integer", "minimum": 1, "maximum": 99 }, "note": { "type": "string" } },
                "required": ["n"],
            } },
            "reason": { "type": ["string", "null"] },
        },
        "required": ["id", "size", "lines"],
    })
}

/// The one break that a change of the sample is; `at` is a JSON pointer, and null removes what is there.
fn break_of(at: &str, value: Value) -> Vec<String> {
    let mut changed = sample();
    let (parent, name) = at.rsplit_once('/').unwrap();
    match changed.pointer_mut(parent).unwrap() {
        Value::Object(fields) if value.is_null() => drop(fields.remove(name).unwrap()),
        Value::Object(fields) => drop(fields.insert(name.to_owned(), value)),
        Value::Array(items) if value.is_null() => drop(items.remove(name.parse().unwrap())),
        other => panic!("nothing can be changed in {other}"),
    }
    breaks(&sample(), &changed)
}

#[test]
fn what_may_change_is_no_break() {
    let nothing = Vec::<String>::new();
    assert_eq!(breaks(&sample(), &sample()), nothing);
    for (at, value) in [
        ("/title", json!("another title")),
        ("/description", json!("words")),
        ("/properties/note", json!({ "type": "string" })),
        ("/properties/lines/items/properties/milk", json!({ "type": "string" })),
        ("/properties/by/enum", json!(["staff", "system", "robot"])),
        ("/properties/size/oneOf", json!([{ "const": "small" }, { "const": "large" }, { "const": "huge" }])),
        ("/properties/size", json!({ "enum": ["large", "small"] })),
        ("/properties/lines/items/properties/n/maximum", json!(100)),
        ("/properties/lines/items/properties/n/minimum", json!(0)),
        ("/properties/lines/items/properties/n/maximum", Value::Null),
    ] {
        assert_eq!(break_of(at, value.clone()), nothing, "{at} {value}");
    }
}

#[test]
fn a_removed_field_is_a_break() {
    assert_eq!(break_of("/properties/reason", Value::Null), [".reason was removed"]);
    let line = "/properties/lines/items/properties/note";
    assert_eq!(break_of(line, Value::Null), [".lines[].note was removed"]);
    assert_eq!(break_of("/properties/id", Value::Null)[..1], [".id was removed"]);
}

#[test]
fn a_field_made_required_or_no_longer_promised_is_a_break() {
    let required = break_of("/required", json!(["id", "size", "lines", "reason"]));
    assert_eq!(required, [".reason is required, and older events lack it"]);
    let added = break_of("/properties/lines/items/required", json!(["n", "milk"]));
    assert_eq!(added, [".lines[].milk is required, and older events lack it"]);
    let optional = break_of("/required", json!(["id", "lines"]));
    assert_eq!(optional, [".size was always there, and may be absent now"]);
}

#[test]
fn a_changed_type_is_a_break() {
    for (at, value) in [
        ("/properties/id/type", json!("integer")),
        ("/properties/reason/type", json!("string")),
        ("/properties/by/type", json!(["string", "null"])),
        ("/properties/id/format", Value::Null),
        ("/properties/id/format", json!("date")),
        ("/properties/id/pattern", json!("^a")),
        ("/properties/lines/items", json!({ "type": "integer" })),
        ("/properties/lines/items", Value::Null),
        ("/properties/size/oneOf", json!([{ "type": "string" }])),
        ("/properties/reason", json!(true)),
    ] {
        assert!(!break_of(at, value.clone()).is_empty(), "{at} {value}");
    }
}

#[test]
fn a_removed_value_of_an_enumeration_is_a_break() {
    assert_eq!(
        break_of("/properties/size/oneOf/0", Value::Null),
        [".size: \"small\" is no longer among its values"]
    );
    let by = break_of("/properties/by/enum", json!(["staff"]));
    assert_eq!(by, [".by: \"system\" is no longer among its values"]);
    assert_eq!(break_of("/properties/by/enum", Value::Null), [".by: takes anything now"]);
    assert_eq!(break_of("/properties/reason/const", json!("x")), [".reason: takes only some values now"]);
}

#[test]
fn a_tightened_bound_is_a_break() {
    for (at, value) in [
        ("/properties/lines/items/properties/n/maximum", json!(98)),
        ("/properties/lines/items/properties/n/minimum", json!(2)),
        ("/properties/lines/minItems", json!(2)),
        ("/properties/lines/maxItems", json!(50)),
        ("/properties/id/maxLength", json!(36)),
        ("/additionalProperties", json!(false)),
        ("/properties/lines/uniqueItems", json!(true)),
    ] {
        let found = break_of(at, value.clone());
        assert_eq!(found.len(), 1, "{at} {value}: {found:?}");
    }
}
