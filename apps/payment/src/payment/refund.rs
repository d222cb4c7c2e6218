//! One refund: asked for once under a key that follows from its cause, and looked up until it is settled.

use std::time::Duration;

use cafe_events::{LineId, OrderId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::attempt::{Measured, SETTLE_AFTER, next_look};

/// After a restore a refund is looked up under so many keys, the first ones that it may have been asked for under.
const PROBED_KEYS: u32 = 3;
/// Pause before a refund that certainly was not made is asked for again; it doubles with each try.
const RETRY_AFTER: Duration = Duration::from_millis(250);
/// Longest pause between two look-ups of a refund.
const LONGEST_GAP: Duration = Duration::from_mins(5);

/// One refund.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Refund {
    /// From 1 within the order.
    pub number: u32,
    /// What it is for, in one word that is the same again when the same is decided again; part of its key.
    pub cause: String,
    /// The attempt whose charge it is taken from.
    pub attempt: u32,
    /// In minor units of the order's currency.
    pub amount: i64,
    /// Given although the drinks are made or being made.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub goodwill: bool,
    /// What staff's client sent to tell a repeated request from a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// The lines it is for; empty for whatever is left of the charge.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<LineId>,
    /// Why, for the customer.
    pub reason: String,
    /// From 1; a refund that the vendor refused is asked for again under a new key.
    #[serde(rename = "try")]
    pub attempted: u32,
    /// When the vendor was last asked for it.
    pub asked_at: Timestamp,
    /// What is known about it.
    pub state: RefundState,
    /// When the next step is due, as long as there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at: Option<Timestamp>,
    /// Not asked in this life of the database: it is only looked up, because it may have been before a restore.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub probe: bool,
}

/// What is known about a refund.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundState {
    /// To be asked for.
    Due,
    /// It is being asked for, or was when this process ended.
    Asking,
    /// The vendor did not answer clearly.
    Unknown {
        /// See [`super::attempt::AttemptState::Unknown`].
        #[serde(default)]
        arrived: bool,
    },
    /// The money went back.
    Done,
    /// The vendor clearly refused; a person must see to it.
    Failed {
        /// In the vendor's words.
        reason: String,
    },
}

/// What came of asking the vendor for a refund, or of looking it up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefundAnswer {
    /// The money went back.
    Done {
        /// In minor units.
        amount: i64,
    },
    /// Clearly not, and it never will under this key.
    Refused {
        /// In the vendor's words.
        reason: String,
    },
    /// Looked up and not there, so far.
    NotFound,
    /// Nobody knows.
    Unclear {
        /// See [`super::attempt::AttemptState::Unknown`].
        arrived: bool,
        /// For the log.
        detail: String,
    },
}

/// What the barista service will not make, kept until there is an approval to take it from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotMade {
    /// Version of the ticket's event.
    pub version: u32,
    /// Which lines; none said means all that are left.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<LineId>,
    /// Why, for the customer.
    pub reason: String,
}

impl Refund {
    /// The key under which the vendor is asked, so that asking twice gives back once.
    pub fn key(&self, order_id: OrderId) -> String {
        format!("{order_id}/refund/{}/{}", self.cause, self.attempted)
    }

    /// True once the money went back.
    pub fn is_done(&self) -> bool {
        self.state == RefundState::Done
    }

    pub(super) fn is_unsettled(&self) -> bool {
        matches!(self.state, RefundState::Asking | RefundState::Unknown { .. })
    }

    /// A request that may still arrive is waited for. Then the refund is asked for again: under a new key if the vendor
    /// had answered, because it may remember its error under the old one; under the same key if it had not, because then
    /// the key itself keeps a late arrival from giving back twice.
    pub(super) fn not_found(&mut self, measured: Measured) {
        let arrived = matches!(self.state, RefundState::Unknown { arrived: true });
        if self.probe {
            self.probe = self.attempted < PROBED_KEYS;
            self.attempted = if self.probe { self.attempted + 1 } else { 1 };
            self.next_at = Some(measured.now);
            if self.probe {
                return;
            }
        } else if arrived || measured.silent_for >= SETTLE_AFTER {
            let pause = RETRY_AFTER * 2_u32.pow(self.attempted.min(8));
            self.attempted += u32::from(arrived);
            self.next_at = Some(cafe_clock::after(measured.now, pause.mul_f64(1.0 + measured.draw / 2.0)));
        } else {
            return self.unclear(false, measured);
        }
        self.state = RefundState::Due;
    }

    pub(super) fn unclear(&mut self, arrived: bool, measured: Measured) {
        let arrived = arrived || matches!(self.state, RefundState::Unknown { arrived: true });
        self.state = RefundState::Unknown { arrived };
        self.next_at = Some(next_look(self.asked_at, LONGEST_GAP, measured));
    }
}
