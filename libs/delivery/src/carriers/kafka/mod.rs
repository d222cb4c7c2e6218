//! The carrier over Kafka. The relay writes a service's outbox to its topic; listeners read the topics.
//!
//! Each message says where it stands in its speaker's log, and which message came before it in its partition (`chain.rs`). So
//! the topic itself tells up to where it was written, and a listener notices when something is gone, whatever brokers have
//! acknowledged. What is decided of that is in `chain.rs`, `cursor.rs`, `ends.rs`, `reading.rs` and `writing.rs`, which the
//! simulation runs too.

pub(crate) mod chain;
mod client;
mod cursor;
pub(crate) mod ends;
#[cfg(test)]
mod histories;
pub(crate) mod listen;
pub mod message;
pub(crate) mod reading;
pub(crate) mod relay;
mod sender;
mod tails;
mod topic;
pub(crate) mod writing;

pub use client::{check_option, options_from};
pub use topic::topic_differences;
