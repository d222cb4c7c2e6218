//! The events as an `AsyncAPI` 3.0 document, for whoever listens: topics, messages, headers, who speaks and who listens.

mod shape;

use serde_json::{Value, json};

use crate::schema::schema_of;
use crate::topic::{CLIENT_ID, MIN_INSYNC_REPLICAS, PARTITIONS, REPLICAS, RETENTION_MS};
use crate::{BodySchema, Event, Headers, Source, body_schemas};
use shape::{
    Action, Bindings, Channel, Components, CorrelationId, Example, Info, License, Message, MessageBinding,
    Named, Operation, OperationBinding, Reference, Server, Tag, TopicBinding, TopicConfiguration, Variable,
};

pub use shape::AsyncApi;

const DESCRIPTION: &str = "What the three services of a cafe tell each other. Anybody may listen. Messages of one order \
    are in one partition, in order; one may come more than once, with the same `ce_id`. Fields are only added, and types: \
    pass over what you do not know.";

const TOPIC: &str = "Partitions, replicas and configuration are those of a topic that the cafe makes.";

/// The document of all three services.
pub fn asyncapi() -> AsyncApi {
    let bodies = body_schemas();
    let brokers = Variable { default: "localhost:9092", description: "What `--kafka` names." };
    AsyncApi {
        asyncapi: "3.0.0",
        id: "urn:cafe:events",
        info: Info {
            title: "cafe: events",
            version: env!("CARGO_PKG_VERSION"),
            description: DESCRIPTION,
            license: License { name: env!("CARGO_PKG_LICENSE") },
        },
        default_content_type: "application/json",
        servers: Named::from([("kafka".to_owned(), kafka(brokers))]),
        channels: Source::ALL.map(|source| (source.name().to_owned(), channel(source))).into(),
        operations: Source::ALL.into_iter().flat_map(operations).collect(),
        components: Components {
            messages: bodies.iter().map(|body| (body.kind.to_owned(), message(body))).collect(),
            schemas: schemas(bodies),
        },
    }
}

fn kafka(brokers: Variable) -> Server {
    Server {
        host: "{brokers}",
        protocol: "kafka",
        description: "Where the services announce, in a cafe that has Kafka.",
        variables: Named::from([("brokers".to_owned(), brokers)]),
    }
}

fn channel(source: Source) -> Channel {
    let reference = |kind: &str| (kind.to_owned(), Reference { to: format!("#/components/messages/{kind}") });
    Channel {
        address: source.name(),
        title: format!("What the {source} service says"),
        description: format!("{TOPIC} Only the {source} service should be let write."),
        messages: kinds(source).map(reference).collect(),
        bindings: Bindings::new(TopicBinding {
            topic: source.name(),
            partitions: PARTITIONS,
            replicas: REPLICAS,
            topic_configuration: TopicConfiguration {
                cleanup_policy: ["delete"],
                retention_ms: RETENTION_MS,
                min_insync_replicas: MIN_INSYNC_REPLICAS,
                unclean_leader_election: false,
            },
        }),
    }
}

fn kinds(source: Source) -> impl Iterator<Item = &'static str> {
    Event::TYPES.iter().filter(move |(speaker, _)| *speaker == source).map(|(_, kind)| *kind)
}

/// What a service says, and what it hears.
fn operations(service: Source) -> Vec<(String, Operation)> {
    let says = operation(service, Action::Send, service, format!("The {service} service speaks"));
    let mut all = vec![(format!("{service}.says"), says)];
    for &peer in service.hears() {
        let hears = operation(service, Action::Receive, peer, format!("The {service} service hears {peer}"));
        all.push((format!("{service}.hears.{peer}"), hears));
    }
    all
}

fn operation(service: Source, action: Action, topic: Source, title: String) -> Operation {
    let only = |word: &str| json!({ "type": "string", "const": word });
    let group = matches!(action, Action::Receive).then(|| only(service.group()));
    let reference = |kind| Reference { to: format!("#/channels/{topic}/messages/{kind}") };
    Operation {
        action,
        channel: Reference { to: format!("#/channels/{topic}") },
        title,
        messages: kinds(topic).map(reference).collect(),
        tags: [Tag { name: service.name() }],
        bindings: Bindings::new(OperationBinding { group_id: group, client_id: only(CLIENT_ID) }),
    }
}

fn message(body: &BodySchema) -> Message {
    Message {
        name: body.kind,
        title: title(body.kind),
        summary: body.schema.get("description").cloned(),
        content_type: "application/json",
        headers: json!({
            "type": "object",
            "allOf": [{ "$ref": "#/components/schemas/headers" }],
            "properties": { "ce_type": { "const": body.kind }, "ce_source": { "const": body.source.name() } },
        }),
        payload: Reference { to: format!("#/components/schemas/{}", body.kind) },
        correlation_id: CorrelationId {
            location: "$message.header#/ce_subject",
            description: "The order's id, in whatever any service says about the order.",
        },
        bindings: Bindings::new(MessageBinding {
            key: json!({ "type": "string", "format": "uuid", "description": "The order's id." }),
        }),
        examples: [example(body)],
    }
}

/// `cafe.order.cancel_requested.v1` is an "order cancel requested".
fn title(kind: &str) -> String {
    let name = kind.rsplit_once(".v").map_or(kind, |(name, _)| name);
    name.trim_start_matches("cafe.").replace(['.', '_'], " ")
}

/// The frozen one.
fn example(body: &BodySchema) -> Example {
    let payload: Value = serde_json::from_str(Event::frozen_example(body.kind)).unwrap_or_default();
    Example { name: "frozen", headers: headers(body, &payload), payload }
}

/// As of the first record in a partition.
fn headers(body: &BodySchema, payload: &Value) -> Value {
    let text = |field: &str| payload[field].as_str().unwrap_or_default().to_owned();
    let id = format!("{}/{}/{}", body.source, text("order_id"), payload["version"]);
    json!({
        "ce_id": id,
        "ce_type": body.kind,
        "ce_source": body.source,
        "ce_time": text("at"),
        "ce_subject": text("order_id"),
        "ce_specversion": "1.0",
        "content-type": "application/json",
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "ce_cafelog": "0193570a-5d2c-7c41-9a6e-3f1d2b7c8e90",
        "ce_cafeposition": "1",
        "ce_cafeprevious": "0",
    })
}

/// Of bodies and of headers. A body's names for itself are for when it stands alone.
fn schemas(bodies: Vec<BodySchema>) -> Named<schemars::Schema> {
    let mut schemas = Named::from([("headers".to_owned(), schema_of::<Headers>())]);
    for mut body in bodies {
        body.schema.remove("$schema");
        body.schema.remove("$id");
        schemas.insert(body.kind.to_owned(), body.schema);
    }
    schemas
}
