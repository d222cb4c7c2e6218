//! The JSON Schema (2020-12) of every event's body.
//!
//! A body may have more fields than these: a newer program adds them. Keywords are those that mean the same in draft 7, of
//! which `AsyncAPI`'s own schemas are a superset, and nothing is referred to, so that a schema can be taken out alone.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value};

use crate::record::Common;
use crate::{Event, Source};

/// The body of one type of event.
#[derive(Clone, Debug)]
pub struct BodySchema {
    /// Who says it.
    pub source: Source,
    /// `ce_type`, such as `cafe.order.placed.v1`.
    pub kind: &'static str,
    /// The schema of the value.
    pub schema: Schema,
}

/// Every type that is written or read, in the order of [`Event::TYPES`].
pub fn body_schemas() -> Vec<BodySchema> {
    let mut generator = generator();
    let common = generator.subschema_for::<Common>();
    let with_common = |(source, kind, own): (Source, &'static str, Schema)| BodySchema {
        source,
        kind,
        schema: body(kind, &common, &own),
    };
    Event::own_schemas(&mut generator).into_iter().map(with_common).collect()
}

/// The schema of a type, standing alone.
pub(crate) fn schema_of<T: JsonSchema>() -> Schema {
    generator().subschema_for::<T>()
}

fn generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true).into_generator()
}

/// The fields that every body has, and the event's own, which describe it.
fn body(kind: &str, common: &Schema, own: &Schema) -> Schema {
    let mut schema = Map::new();
    schema.insert("$schema".to_owned(), "https://json-schema.org/draft/2020-12/schema".into());
    schema.insert("$id".to_owned(), format!("urn:cafe:event:{kind}").into());
    schema.insert("title".to_owned(), kind.into());
    schema.extend(own.get("description").map(|words| ("description".to_owned(), words.clone())));
    schema.insert("type".to_owned(), "object".into());
    let properties = [common, own].into_iter().filter_map(|part| part.get("properties")?.as_object());
    schema.insert("properties".to_owned(), Value::Object(properties.flatten().map(owned).collect()));
    let required = [common, own].into_iter().filter_map(|part| part.get("required")?.as_array());
    schema.insert("required".to_owned(), Value::Array(required.flatten().cloned().collect()));
    schema.into()
}

fn owned((name, schema): (&String, &Value)) -> (String, Value) {
    (name.clone(), schema.clone())
}
