//! The only vocabulary shared by the apps: what each service says, and how it looks on the wire.
//!
//! A [`Record`] is what travels (a row of an outbox, a Kafka message); [`Record::read`] turns it into a [`Heard`] or says
//! why it cannot. Types here are a boundary: fields are only ever added, and only as optional ones; `examples/` freezes
//! one JSON text per event type and version.

mod asyncapi;
mod barista;
mod headers;
mod line;
mod money;
mod order;
mod partition;
mod payment;
mod record;
mod schema;
pub mod topic;

pub use asyncapi::{AsyncApi, asyncapi};
pub use barista::{
    TicketCancelRefused, TicketCancelled, TicketEvent, TicketLineReady, TicketPickedUp, TicketQueued,
    TicketReady, TicketRecalled, TicketRejected, TicketStarted, TicketUncollected,
};
pub use headers::Headers;
pub use line::{LineId, Name, OrderLine, Size};
pub use money::Currency;
pub use order::{OrderCancelRequested, OrderEvent, OrderPlaced, PaymentChoice};
pub use partition::partition_of;
pub use payment::{
    PaymentApproved, PaymentCancelRequested, PaymentCancelled, PaymentDeclined, PaymentEvent, PaymentExpired,
    PaymentRefundFailed, PaymentRefunded,
};
pub use record::{Event, Heard, Record, Said, Unreadable, content_hash};
pub use schema::{BodySchema, body_schemas};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An order's id, a version 7 UUID. It is the key of everything that is said about the order, in every service.
pub type OrderId = uuid::Uuid;

/// A service that speaks. Its name is also its topic's.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Takes orders.
    Order,
    /// Takes money, and gives it back.
    Payment,
    /// Makes drinks.
    Barista,
}

impl Source {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Order, Self::Payment, Self::Barista];

    /// The service's name, which is its topic and its `ce_source`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Payment => "payment",
            Self::Barista => "barista",
        }
    }

    /// Whom this service listens to.
    pub fn hears(self) -> &'static [Self] {
        match self {
            Self::Order => &[Self::Payment, Self::Barista],
            Self::Payment => &[Self::Order, Self::Barista],
            Self::Barista => &[Self::Payment],
        }
    }

    /// Who listens to this service.
    pub fn heard_by(self) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |listener| listener.hears().contains(&self))
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Source {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|source| source.name() == name)
            .ok_or_else(|| format!("{name:?} is not a service; there are order, payment and barista"))
    }
}

/// Who asked for something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// Whoever holds the order's token.
    Customer,
    /// Whoever holds the staff key.
    Staff,
    /// The cafe itself, by a rule or a timer.
    System,
}
