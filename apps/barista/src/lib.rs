//! The barista service: paid orders become tickets, and drinks are made first in, first out.
//!
//! `ticket.rs` and `queue.rs` are the rules, `reactions.rs` what is done about payment's events, `store.rs` every SQL
//! statement, `http/` the endpoints, `robot.rs` a barista for cafes that have none, `lib.rs` wires them.

mod domain;
mod queue;
mod reactions;
mod store;
mod ticket;

pub use domain::{Answer, Barista, Changed, Loaded, Refused, Request};
pub use queue::{Queue, Unmakeable};
pub use store::{page, ticket};
pub use ticket::{Command, LineState, Lines, Refusal, Status, Ticket, TicketLine, Transition};
