//! The envelope: `CloudEvents` 1.0 attributes around a JSON object, as a row of an outbox or a Kafka message in binary
//! mode (<https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md>).

use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    OrderCancelRequested, OrderEvent, OrderId, OrderPlaced, PaymentApproved, PaymentCancelRequested,
    PaymentCancelled, PaymentDeclined, PaymentEvent, PaymentExpired, PaymentRefundFailed, PaymentRefunded,
    Source, TicketCancelRefused, TicketCancelled, TicketEvent, TicketLineReady, TicketPickedUp, TicketQueued,
    TicketReady, TicketRecalled, TicketRejected, TicketStarted, TicketUncollected,
};

/// What a service says, whichever service it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// On topic `order`.
    Order(OrderEvent),
    /// On topic `payment`.
    Payment(PaymentEvent),
    /// On topic `barista`.
    Ticket(TicketEvent),
}

/// What was said in a record: an event of a type we know, or one that a newer program added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// To be acted on.
    Known(Event),
    /// Well-formed, from a known source, of a type not known here: its version is counted, nothing else.
    Unknown,
}

/// An event as a listener hears it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Who spoke.
    pub source: Source,
    /// About which order.
    pub order_id: OrderId,
    /// The store the order belongs to.
    pub store: String,
    /// Running number of what this source said about this order, from 1.
    pub version: u32,
    /// When it was decided, by the speaker's clock.
    pub at: Timestamp,
    /// W3C trace context of what caused it, as in the `traceparent` header.
    pub traceparent: Option<String>,
    /// See [`content_hash`].
    pub hash: u64,
    /// What was said.
    pub said: Said,
}

/// An event as it travels. Every field but `body` is an attribute that the body repeats.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Place in the speaker's log, from 1 without gaps; 0 before it is committed.
    pub position: i64,
    /// The key: [`OrderId`] in its hyphenated form.
    pub order_id: String,
    /// Running number per source and order, from 1.
    pub version: i64,
    /// `ce_type`, such as `cafe.order.placed.v1`.
    pub kind: String,
    /// `ce_time`, milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// The value: a JSON object with `order_id`, `store`, `version`, `at` and the event's own fields.
    pub body: String,
    /// The `traceparent` header, where there is one.
    pub traceparent: Option<String>,
}

/// Why a record cannot be acted on, now or ever.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum Unreadable {
    /// Not from a program of ours.
    #[error("not one of our events: {0}")]
    Foreign(String),
    /// One of ours, but damaged or not as agreed.
    #[error("{kind} cannot be read: {reason}")]
    Malformed {
        /// Its `ce_type`.
        kind: String,
        /// What is wrong with it.
        reason: String,
    },
}

#[derive(Serialize)]
struct BodyOut<'a, T> {
    order_id: OrderId,
    store: &'a str,
    version: u32,
    at: Timestamp,
    #[serde(flatten)]
    payload: &'a T,
}

/// What every body has, before the event's own fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Common {
    /// The order it is about.
    order_id: OrderId,
    /// The store the order belongs to.
    store: String,
    /// Running number of what this source said about this order, from 1 without gaps.
    #[schemars(range(min = 1))]
    version: u32,
    /// When it was decided, by the speaker's clock.
    at: Timestamp,
}

/// One row per type: its name, its variant. Writing and reading both follow this table.
macro_rules! types {
    ($($source:ident $name:literal => $outer:ident :: $inner_enum:ident :: $variant:ident ($payload:ty)),+ $(,)?) => {
        impl Event {
            /// Every type that we write or read, with its source.
            pub const TYPES: &[(Source, &'static str)] = &[$((Source::$source, $name)),+];

            /// `ce_type`.
            pub fn kind(&self) -> &'static str {
                match self { $(Self::$outer($inner_enum::$variant(_)) => $name),+ }
            }

            /// The schema of each type's own fields.
            pub(crate) fn own_schemas(generator: &mut SchemaGenerator) -> Vec<(Source, &'static str, Schema)> {
                vec![$((Source::$source, $name, generator.subschema_for::<$payload>())),+]
            }

            /// What a body of this type looks like, for ever; empty for a type that there is not.
            pub(crate) fn frozen_example(kind: &str) -> &'static str {
                match kind {
                    $($name => include_str!(concat!("../examples/", $name, ".json")),)+
                    _ => "",
                }
            }

            fn body(&self, order_id: OrderId, store: &str, version: u32, at: Timestamp) -> String {
                match self {
                    $(Self::$outer($inner_enum::$variant(payload)) =>
                        to_json(&BodyOut { order_id, store, version, at, payload }),)+
                }
            }

            fn read(source: Source, kind: &str, body: &str) -> Result<Option<Self>, String> {
                match (source, kind) {
                    $((Source::$source, $name) =>
                        from_json::<$payload>(body).map(|payload| Some(Self::$outer($inner_enum::$variant(payload)))),)+
                    _ => Ok(None),
                }
            }
        }
    };
}

types! {
    Order "cafe.order.placed.v1" => Order::OrderEvent::Placed(OrderPlaced),
    Order "cafe.order.cancel_requested.v1" => Order::OrderEvent::CancelRequested(OrderCancelRequested),
    Payment "cafe.payment.approved.v1" => Payment::PaymentEvent::Approved(PaymentApproved),
    Payment "cafe.payment.declined.v1" => Payment::PaymentEvent::Declined(PaymentDeclined),
    Payment "cafe.payment.expired.v1" => Payment::PaymentEvent::Expired(PaymentExpired),
    Payment "cafe.payment.cancelled.v1" => Payment::PaymentEvent::Cancelled(PaymentCancelled),
    Payment "cafe.payment.cancel_requested.v1" => Payment::PaymentEvent::CancelRequested(PaymentCancelRequested),
    Payment "cafe.payment.refunded.v1" => Payment::PaymentEvent::Refunded(PaymentRefunded),
    Payment "cafe.payment.refund_failed.v1" => Payment::PaymentEvent::RefundFailed(PaymentRefundFailed),
    Barista "cafe.ticket.queued.v1" => Ticket::TicketEvent::Queued(TicketQueued),
    Barista "cafe.ticket.started.v1" => Ticket::TicketEvent::Started(TicketStarted),
    Barista "cafe.ticket.line_ready.v1" => Ticket::TicketEvent::LineReady(TicketLineReady),
    Barista "cafe.ticket.ready.v1" => Ticket::TicketEvent::Ready(TicketReady),
    Barista "cafe.ticket.picked_up.v1" => Ticket::TicketEvent::PickedUp(TicketPickedUp),
    Barista "cafe.ticket.recalled.v1" => Ticket::TicketEvent::Recalled(TicketRecalled),
    Barista "cafe.ticket.rejected.v1" => Ticket::TicketEvent::Rejected(TicketRejected),
    Barista "cafe.ticket.cancelled.v1" => Ticket::TicketEvent::Cancelled(TicketCancelled),
    Barista "cafe.ticket.cancel_refused.v1" => Ticket::TicketEvent::CancelRefused(TicketCancelRefused),
    Barista "cafe.ticket.uncollected.v1" => Ticket::TicketEvent::Uncollected(TicketUncollected),
}

impl Record {
    /// The record that announces `event`; its position is given when it is committed.
    pub fn write(
        event: &Event,
        order_id: OrderId,
        store: &str,
        version: u32,
        at: Timestamp,
        traceparent: Option<String>,
    ) -> Self {
        Self {
            position: 0,
            order_id: order_id.to_string(),
            version: i64::from(version),
            kind: event.kind().to_owned(),
            at_ms: at.as_millisecond(),
            body: event.body(order_id, store, version, at),
            traceparent,
        }
    }

    /// Whether its type is one that `source` says, known here or not.
    pub fn is_of(&self, source: Source) -> bool {
        let prefixes: &[&str] = match source {
            Source::Order => &["cafe.order."],
            Source::Payment => &["cafe.payment."],
            Source::Barista => &["cafe.ticket.", "cafe.item_", "cafe.shop_"],
        };
        prefixes.iter().any(|prefix| self.kind.starts_with(prefix))
    }

    /// Reads what `source` said. The envelope is looked at first: a record that is not ours is told apart from one that
    /// is ours and damaged.
    pub fn read(&self, source: Source) -> Result<Heard, Unreadable> {
        if !self.is_of(source) {
            return Err(Unreadable::Foreign(format!("type {:?} is not one that {source} says", self.kind)));
        }
        let order_id = OrderId::try_parse(&self.order_id)
            .map_err(|_| Unreadable::Foreign(format!("key {:?} is not an order's id", self.order_id)))?;
        let malformed = |reason: String| Unreadable::Malformed { kind: self.kind.clone(), reason };
        let common: Common = from_json(&self.body).map_err(malformed)?;
        if common.order_id != order_id || i64::from(common.version) != self.version || common.version == 0 {
            return Err(malformed(format!(
                "the body speaks of order {} version {}, the envelope of order {order_id} version {}",
                common.order_id, common.version, self.version
            )));
        }
        let said = match Event::read(source, &self.kind, &self.body).map_err(malformed)? {
            Some(event) => Said::Known(event),
            None => Said::Unknown,
        };
        Ok(Heard {
            source,
            order_id,
            store: common.store,
            version: common.version,
            at: common.at,
            traceparent: self.traceparent.clone(),
            hash: content_hash(&self.kind, &self.body),
            said,
        })
    }

    /// `ce_id`: source, order and version, the same however often the event is announced.
    pub fn id(&self, source: Source) -> String {
        format!("{source}/{}/{}", self.order_id, self.version)
    }
}

/// A hash of what an event says, but for when: a service that was restored from an older copy and decides the same again
/// says the same; one that decides otherwise contradicts itself, and its listeners notice.
pub fn content_hash(kind: &str, body: &str) -> u64 {
    let mut digest = Sha256::new_with_prefix(kind.as_bytes());
    let (before, rest) = body.split_once("\"at\":\"").unwrap_or((body, ""));
    let after = rest.split_once('"').map_or("", |(_, after)| after);
    digest.update(before.as_bytes());
    digest.update(after.as_bytes());
    let bytes: [u8; 32] = digest.finalize().into();
    u64::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]])
}

fn to_json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|error| unreachable!("our own types are JSON: {error}"))
}

fn from_json<T: DeserializeOwned>(body: &str) -> Result<T, String> {
    serde_json::from_str(body).map_err(|error| error.to_string())
}
