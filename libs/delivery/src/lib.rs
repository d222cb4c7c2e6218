//! A turn of a service: heard -> decided -> committed -> announced.
//!
//! [`turn`] is pure and synchronous: it decides requests and heard events on loaded rows. `writer.rs` is the one thread that
//! loads, decides and commits; `listener.rs` reads what others announced, through a carrier (`carriers/`); the events that a
//! service commits are its outbox, and the outbox is a log that others read from a position of their own. Of several replicas
//! one listens (`lease.rs`, `crew.rs`).

mod carriers;
mod crew;
mod desk;
mod domain;
mod hints;
mod lease;
mod ledger;
mod listener;
mod outbox;
mod place;
mod rows;
mod schema;
mod status;
mod storage;
mod tables;
pub mod turn;
mod wake;
mod writer;

pub use carriers::kafka::{check_option, message, options_from, topic_differences};
pub use desk::{Desk, INBOX_LIMIT, RETENTION, StartError, TurnError, restored_at, start};
pub use domain::{Announcement, Domain, Elsewhere, Hooks, Poison, Tables, Turn};
pub use ledger::{HeardRow, HeldSlot, Ledger, Parked};
pub use outbox::{Notes, Outbox};
pub use place::{Held as Lock, KafkaSettings, Moved, Place, PlaceError, Rungs};
pub use rows::Rows;
pub use schema::MIGRATIONS;
pub use status::{Link, RelayStatus, Status};
pub use tables::{
    Head, Position, end_moving, head, mark_restored, parked_page, prepare_all, read_after, say_moved,
};
pub use turn::ParkedOutcome;

/// What [`start`] makes a service of, for whoever runs it on other storage and at another pace: the simulation.
pub mod parts {
    pub use crate::carriers::kafka::ends::{Kept, Links, Since, Tail, link};
    pub use crate::carriers::kafka::reading::{Connect, ReadTopic, TopicReader};
    pub use crate::carriers::kafka::writing::{Offsets, Outbox, Relaying, WriteTopic};
    pub use crate::carriers::log::{Placed, Seen, read_from};
    pub use crate::carriers::{Carrier, News, Parts};
    pub use crate::lease::{BEAT, Candidate, LAPSE, Leading, take};
    pub use crate::listener::{Handed, Listener};
    pub use crate::status::Board;
    pub use crate::storage::Storage;
    pub use crate::tables::{Before, Lease, ListsChanged, name_log};
    pub use crate::writer::{Batch, End, Work, Writer};
}
