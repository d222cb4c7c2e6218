//! The headers of a Kafka message: `CloudEvents` 1.0 in binary mode
//! (<https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md>).

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::OrderId;

/// The headers of every message, each value as UTF-8 text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Headers {
    /// `<source>/<order>/<version>`: the same however often the event is announced. One that was taken in already is passed
    /// over.
    #[schemars(regex(pattern = "^(order|payment|barista)/[0-9a-f-]{36}/[1-9][0-9]*$"))]
    pub ce_id: String,
    /// What happened, and the version of its shape.
    #[schemars(regex(pattern = r"^cafe\.[a-z_.]+\.v[1-9][0-9]*$"))]
    pub ce_type: String,
    /// The service that speaks.
    #[schemars(regex(pattern = "^(order|payment|barista)$"))]
    pub ce_source: String,
    /// When it was decided, by the speaker's clock.
    pub ce_time: Timestamp,
    /// The order's id, which is the key too.
    pub ce_subject: OrderId,
    /// Of `CloudEvents`.
    #[schemars(extend("const" = "1.0"))]
    pub ce_specversion: String,
    /// Of the value.
    #[serde(rename = "content-type")]
    #[schemars(extend("const" = "application/json"))]
    pub content_type: String,
    /// W3C trace context of the request that led to this, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", regex(pattern = "^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"))]
    pub traceparent: Option<String>,
    /// Name of the speaker's log. A new one after the speaker was restored from a copy: it may say again what it has said.
    #[schemars(extend("format" = "uuid"))]
    pub ce_cafelog: String,
    /// Place in that log, decimal, from 1. Grows along a partition; the places between are in other partitions.
    #[schemars(regex(pattern = "^[1-9][0-9]*$"))]
    pub ce_cafeposition: String,
    /// Place of the record before it in the same partition, decimal; 0 for the first. A listener that last read another place
    /// has missed something.
    #[schemars(regex(pattern = "^(0|[1-9][0-9]*)$"))]
    pub ce_cafeprevious: String,
}
