//! The shape of an `AsyncAPI` 3.0 document (<https://www.asyncapi.com/docs/reference/specification/v3.0.0>) with Kafka's
//! bindings 0.5.0 (<https://github.com/asyncapi/bindings/tree/master/kafka>), as far as ours has it.

use std::collections::BTreeMap;

use schemars::Schema;
use serde::Serialize;
use serde_json::Value;

/// What is called by a name.
pub(super) type Named<T> = BTreeMap<String, T>;

/// An `AsyncAPI` 3.0 document, ready to be serialized.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AsyncApi {
    pub(super) asyncapi: &'static str,
    pub(super) id: &'static str,
    pub(super) info: Info,
    pub(super) default_content_type: &'static str,
    pub(super) servers: Named<Server>,
    pub(super) channels: Named<Channel>,
    pub(super) operations: Named<Operation>,
    pub(super) components: Components,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Info {
    pub(super) title: &'static str,
    pub(super) version: &'static str,
    pub(super) description: &'static str,
    pub(super) license: License,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct License {
    pub(super) name: &'static str,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Server {
    pub(super) host: &'static str,
    pub(super) protocol: &'static str,
    pub(super) description: &'static str,
    pub(super) variables: Named<Variable>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Variable {
    pub(super) default: &'static str,
    pub(super) description: &'static str,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Channel {
    pub(super) address: &'static str,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) messages: Named<Reference>,
    pub(super) bindings: Bindings<TopicBinding>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Message {
    pub(super) name: &'static str,
    pub(super) title: String,
    pub(super) summary: Option<Value>,
    pub(super) content_type: &'static str,
    pub(super) headers: Value,
    pub(super) payload: Reference,
    pub(super) correlation_id: CorrelationId,
    pub(super) bindings: Bindings<MessageBinding>,
    pub(super) examples: [Example; 1],
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct CorrelationId {
    pub(super) location: &'static str,
    pub(super) description: &'static str,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Example {
    pub(super) name: &'static str,
    pub(super) headers: Value,
    pub(super) payload: Value,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Operation {
    pub(super) action: Action,
    pub(super) channel: Reference,
    pub(super) title: String,
    pub(super) messages: Vec<Reference>,
    pub(super) tags: [Tag; 1],
    pub(super) bindings: Bindings<OperationBinding>,
}

#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Action {
    Send,
    Receive,
}

/// Of an operation: whose it is.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Tag {
    pub(super) name: &'static str,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Components {
    pub(super) messages: Named<Message>,
    pub(super) schemas: Named<Schema>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Reference {
    #[serde(rename = "$ref")]
    pub(super) to: String,
}

/// What is particular to Kafka.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Bindings<T> {
    pub(super) kafka: Versioned<T>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Versioned<T> {
    #[serde(flatten)]
    binding: T,
    binding_version: &'static str,
}

impl<T> Bindings<T> {
    pub(super) fn new(binding: T) -> Self {
        Self { kafka: Versioned { binding, binding_version: "0.5.0" } }
    }
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TopicBinding {
    pub(super) topic: &'static str,
    pub(super) partitions: u16,
    pub(super) replicas: u16,
    pub(super) topic_configuration: TopicConfiguration,
}

/// Kafka's own names.
#[derive(Clone, Debug, Serialize)]
pub(super) struct TopicConfiguration {
    #[serde(rename = "cleanup.policy")]
    pub(super) cleanup_policy: [&'static str; 1],
    #[serde(rename = "retention.ms")]
    pub(super) retention_ms: u64,
    #[serde(rename = "min.insync.replicas")]
    pub(super) min_insync_replicas: u16,
    #[serde(rename = "unclean.leader.election.enable")]
    pub(super) unclean_leader_election: bool,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct MessageBinding {
    pub(super) key: Value,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OperationBinding {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) group_id: Option<Value>,
    pub(super) client_id: Value,
}
