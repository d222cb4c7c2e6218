//! What the topics in Kafka are called and how they are made. A topic is a service's log: its name is the service's.

use crate::Source;

/// The client id of every connection of ours.
pub const CLIENT_ID: &str = "my-cafe";
/// Of a topic that we make. An order's events are all in one of them; more can be added, but orders then move.
pub const PARTITIONS: u16 = 12;
/// Of a topic that we make, where there are that many brokers.
pub const REPLICAS: u16 = 3;
/// How many of them must have a record before it counts as written.
pub const MIN_INSYNC_REPLICAS: u16 = 2;
/// How long a record is kept: 35 days, as in the speaker's own log.
pub const RETENTION_MS: u64 = 35 * 24 * 60 * 60 * 1_000;

impl Source {
    /// The consumer group under which this service's progress is seen.
    pub fn group(self) -> &'static str {
        match self {
            Self::Order => "cafe-order",
            Self::Payment => "cafe-payment",
            Self::Barista => "cafe-barista",
        }
    }
}
