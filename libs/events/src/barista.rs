//! What the barista service says about an order's ticket.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{LineId, Party};

/// Everything the barista service says about an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TicketEvent {
    /// It waits to be made.
    Queued(TicketQueued),
    /// Making has started; from now on a cancel is refused.
    Started(TicketStarted),
    /// One line is made.
    LineReady(TicketLineReady),
    /// Everything that will be made is made.
    Ready(TicketReady),
    /// Handed over.
    PickedUp(TicketPickedUp),
    /// Made lines are made again, at no charge.
    Recalled(TicketRecalled),
    /// Lines cannot be made; their price goes back.
    Rejected(TicketRejected),
    /// Cancelled before making started; all money goes back.
    Cancelled(TicketCancelled),
    /// A wish to cancel came after making had started.
    CancelRefused(TicketCancelRefused),
    /// Ready, but nobody came.
    Uncollected(TicketUncollected),
}

/// The ticket waits to be made, first in first out per store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TicketQueued {
    /// What is called out.
    #[schemars(regex(pattern = r"^[0-9]{4,}$"))]
    pub number: String,
    /// Place in the store's line of all tickets ever queued, from 1.
    #[schemars(range(min = 1))]
    pub sequence: i64,
}

/// Making has started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TicketStarted {}

/// One line (all of its quantity) is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TicketLineReady {
    /// Which.
    #[schemars(range(min = 1))]
    pub line_id: LineId,
}

/// Every line that was not rejected is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TicketReady {}

/// The order was handed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TicketPickedUp {}

/// Lines go back to making, at no charge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TicketRecalled {
    /// Which lines are made again.
    #[schemars(inner(range(min = 1)))]
    pub lines: Vec<LineId>,
    /// Why, in staff's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Lines cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TicketRejected {
    /// Which lines; their price goes back.
    #[schemars(inner(range(min = 1)))]
    pub lines: Vec<LineId>,
    /// True when no line is left to make: the ticket ends here.
    pub all: bool,
    /// Why, in staff's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The ticket was cancelled before making started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TicketCancelled {
    /// Who asked.
    pub by: Party,
    /// In their words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A wish to cancel was refused, because making had started or the ticket had ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TicketCancelRefused {
    /// Who had asked.
    pub by: Party,
    /// Why it was refused.
    pub reason: String,
}

/// Ready, but nobody came for it; it was made and stays paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TicketUncollected {}
