//! What an order heard from payment and from barista, each kept apart.

use std::collections::BTreeMap;

use cafe_events::LineId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::order::Status;

/// The most steps kept of an order's ticket; only an order recalled again and again has more, and loses its oldest.
pub const STEPS_MAX: usize = 32;

/// What payment said about an order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentSide {
    /// The last version heard.
    #[serde(default)]
    pub version: u32,
    /// Its first word: how paying went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<PaymentOutcome>,
    /// When it said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome_at: Option<Timestamp>,
    /// Whether it passed a wish to cancel on to barista.
    #[serde(default, skip_serializing_if = "is_default")]
    pub cancel_forwarded: bool,
    /// Everything given back so far, in minor units.
    #[serde(default, skip_serializing_if = "is_default")]
    pub refunded: i64,
    /// When money last went back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refunded_at: Option<Timestamp>,
}

/// How paying went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "named as payment's events")]
pub enum PaymentOutcome {
    Approved,
    Declined,
    Expired,
    Cancelled,
}

/// What barista said about an order's ticket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketSide {
    /// The last version heard.
    #[serde(default)]
    pub version: u32,
    /// What happened to it, oldest first, at most [`STEPS_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<TicketStep>,
    /// How each line stands that barista spoke of.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lines: BTreeMap<LineId, LineState>,
    /// How every other line stands.
    #[serde(default, skip_serializing_if = "is_default")]
    pub other_lines: LineState,
    /// A wish to cancel was refused: making had started, or the ticket had ended.
    #[serde(default, skip_serializing_if = "is_default")]
    pub cancel_refused: bool,
}

/// A step of the ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketStep {
    /// Which.
    pub stage: Stage,
    /// When, by barista's clock.
    pub at: Timestamp,
}

/// Where a ticket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "named as barista's events")]
pub enum Stage {
    Queued,
    Making,
    Ready,
    PickedUp,
    /// Nothing is left to make.
    Rejected,
    Cancelled,
    Uncollected,
}

/// How far a line is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LineState {
    /// Not made yet, or being made again.
    #[default]
    Waiting,
    /// Made.
    Ready,
    /// Cannot be made; its price goes back.
    Rejected,
}

impl PaymentOutcome {
    pub(crate) fn status(self) -> Status {
        match self {
            Self::Approved => Status::Paid,
            Self::Declined => Status::Declined,
            Self::Expired => Status::Expired,
            Self::Cancelled => Status::Cancelled,
        }
    }
}

impl TicketSide {
    /// Where the ticket is; nothing while there is none.
    pub fn stage(&self) -> Option<Stage> {
        self.steps.last().map(|step| step.stage)
    }

    pub(crate) fn was_making(&self) -> bool {
        self.steps.iter().any(|step| step.stage == Stage::Making)
    }

    pub(crate) fn has_ended(&self) -> bool {
        matches!(
            self.stage(),
            Some(Stage::PickedUp | Stage::Rejected | Stage::Cancelled | Stage::Uncollected)
        )
    }
}

/// What nothing was said about is not stored.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
