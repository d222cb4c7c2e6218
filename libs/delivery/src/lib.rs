//! A turn of a service: heard -> decided -> committed -> announced.
//!
//! [`turn`] is pure and synchronous: it decides requests and heard events on loaded rows. `writer.rs` is the one thread that
//! loads, decides and commits; `listener.rs` reads what peers announced, through a carrier (`direct.rs` so far); the events
//! that a service commits are its outbox, and the outbox is a log that peers read from a position of their own.

mod desk;
mod direct;
mod domain;
mod ledger;
mod listener;
mod outbox;
mod place;
mod rows;
mod schema;
mod status;
mod tables;
pub mod turn;
mod wake;
mod writer;

pub use desk::{Desk, INBOX_LIMIT, RETENTION, StartError, TurnError, start};
pub use domain::{Announcement, Domain, Poison, Tables, Turn};
pub use ledger::{HeardRow, HeldSlot, Ledger, Parked};
pub use outbox::Outbox;
pub use place::{Held as Lock, Place, PlaceError};
pub use rows::Rows;
pub use schema::MIGRATIONS;
pub use status::{Link, Status};
pub use tables::{Head, Position, head, mark_restored, parked_page, read_after};
pub use turn::ParkedOutcome;
