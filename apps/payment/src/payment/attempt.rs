//! One attempt to charge: asked once, and looked up until it is settled.

use std::ops::RangeInclusive;
use std::time::Duration;

use cafe_events::{Currency, OrderId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::paying::MAX_ATTEMPTS;

/// A request that got no answer at all may still arrive; after so long it cannot: the vendor is given
/// [`crate::vendor::READ_TIMEOUT`] to answer, and 25 s more for what lingers in queues and proxies on the way.
pub const SETTLE_AFTER: Duration = Duration::from_secs(35);
/// An attempt that nobody has reported on after so long was lost between the commit and the vendor.
pub const ORPHAN_AFTER: Duration = Duration::from_secs(30);
/// A closed attempt goes on being looked up for so long, in case a charge turns up after all.
pub const FOLLOW_FOR: Duration = Duration::from_hours(24);
/// Shortest pause between two look-ups.
const SHORTEST_GAP: Duration = Duration::from_secs(1);
/// Longest pause between two look-ups of an open attempt.
const LONGEST_GAP: Duration = Duration::from_mins(5);

/// One attempt to charge an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// From 1 within the order.
    pub number: u32,
    /// When it was opened; the vendor is asked right after.
    pub asked_at: Timestamp,
    /// What is known about it.
    pub state: AttemptState,
    /// When the vendor's record is to be looked up, as long as that makes sense.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look_at: Option<Timestamp>,
    /// Not asked in this life of the database: it is only looked up, because it, or one after it, may have been before a
    /// restore.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub probe: bool,
}

/// What is known about an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptState {
    /// It is being asked, or was when this process ended.
    Asking,
    /// The vendor did not answer clearly.
    Unknown {
        /// The vendor's own application answered, though not clearly: the request is not on its way any more.
        #[serde(default)]
        arrived: bool,
        /// The vendor claims a charge that is not the one asked for; a person must look at it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        problem: Option<String>,
    },
    /// The customer was charged.
    Charged {
        /// The vendor's id of the charge.
        charge_id: String,
        /// In minor units of the order's currency.
        amount: i64,
        /// By the vendor's clock.
        at: Timestamp,
    },
    /// The vendor clearly refused.
    Declined {
        /// In the vendor's words.
        reason: String,
    },
    /// Closed: no charge was found when there could no longer be one.
    NotCharged,
}

/// A charge as the vendor reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// The vendor's id of it.
    pub charge_id: String,
    /// The order it was asked for.
    pub order_id: OrderId,
    /// In minor units.
    pub amount: i64,
    /// Of `amount`.
    pub currency: Currency,
    /// When it was made, by the vendor's clock.
    pub at: Timestamp,
    /// What was given back of it.
    pub refunds: Vec<RefundOnRecord>,
}

/// A refund in the vendor's record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundOnRecord {
    /// The key it was asked for under.
    pub key: String,
    /// In minor units.
    pub amount: i64,
}

/// What came of asking the vendor for a charge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChargeAnswer {
    /// Charged.
    Approved(Charge),
    /// Clearly not charged, and it never will be under this key.
    Declined {
        /// In the vendor's words.
        reason: String,
    },
    /// Nobody knows.
    Unclear {
        /// See [`AttemptState::Unknown`].
        arrived: bool,
        /// For the log.
        detail: String,
    },
    /// Certainly not asked: too late, the breaker was open, no connection.
    NotSent {
        /// For the log.
        detail: String,
    },
}

/// What is in the vendor's record under an attempt's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// A charge.
    Found(Charge),
    /// A clear refusal.
    Declined {
        /// In the vendor's words.
        reason: String,
    },
    /// Nothing, so far.
    NotFound,
    /// The vendor did not answer.
    Unclear {
        /// For the log.
        detail: String,
    },
}

/// When an answer came, and what else its rules need from outside.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    /// The time now.
    pub now: Timestamp,
    /// How long ago the request was sent, at the least, by a clock that cannot step.
    pub silent_for: Duration,
    /// A random number in `0.0..1.0`, so that what failed together is not tried again together.
    pub draw: f64,
}

impl Measured {
    /// How long it is until "not found" counts, though nothing answered.
    pub(crate) fn settles_in(self) -> Duration {
        SETTLE_AFTER.saturating_sub(self.silent_for)
    }
}

impl Attempt {
    pub(crate) fn asking(number: u32, now: Timestamp) -> Self {
        let look_at = Some(cafe_clock::after(now, ORPHAN_AFTER));
        Self { number, asked_at: now, state: AttemptState::Asking, look_at, probe: false }
    }

    pub(crate) fn probe(number: u32, now: Timestamp, look_at: Timestamp) -> Self {
        let state = AttemptState::Unknown { arrived: false, problem: None };
        Self { number, asked_at: now, state, look_at: Some(look_at), probe: true }
    }

    /// The key under which the vendor is asked, so that asking twice charges once.
    pub fn key(order_id: OrderId, number: u32) -> String {
        format!("{order_id}/{number}")
    }

    /// Under which keys the vendor's record is looked up: a probe seeks the first charge under its own and all that follow.
    pub fn looked_up_under(&self) -> RangeInclusive<u32> {
        let seeks = self.probe && matches!(self.state, AttemptState::Unknown { problem: None, .. });
        self.number..=if seeks { MAX_ATTEMPTS } else { self.number }
    }

    /// True as long as the outcome is not known.
    pub fn is_open(&self) -> bool {
        matches!(self.state, AttemptState::Asking | AttemptState::Unknown { .. })
    }

    /// The charge's id and amount, if there was one.
    pub fn charge(&self) -> Option<(&str, i64)> {
        match &self.state {
            AttemptState::Charged { charge_id, amount, .. } => Some((charge_id, *amount)),
            _ => None,
        }
    }

    pub(crate) fn charged(&mut self, charge: &Charge) {
        self.state = AttemptState::Charged {
            charge_id: charge.charge_id.clone(),
            amount: charge.amount,
            at: charge.at,
        };
        self.look_at = None;
    }

    pub(crate) fn unclear(&mut self, arrived: bool, measured: Measured) {
        match &mut self.state {
            AttemptState::Unknown { arrived: known, .. } => *known |= arrived,
            state => *state = AttemptState::Unknown { arrived, problem: None },
        }
        self.look_again(measured);
    }

    /// The vendor claims something else than what was asked for: never approved, never closed, visible as unknown.
    pub(crate) fn distrust(&mut self, problem: String, measured: Measured) {
        self.state = AttemptState::Unknown { arrived: true, problem: Some(problem) };
        self.look_again(measured);
    }

    pub(crate) fn close(&mut self, measured: Measured) {
        self.state = AttemptState::NotCharged;
        self.look_again(measured);
    }

    /// True if "not found", looked up now, proves that there was and will be no charge.
    pub(crate) fn closes_when_not_found(&self, silent_for: Duration) -> bool {
        match &self.state {
            AttemptState::Unknown { problem: Some(_), .. } => false,
            AttemptState::Unknown { arrived, .. } => *arrived || silent_for >= SETTLE_AFTER,
            AttemptState::Asking => silent_for >= SETTLE_AFTER,
            _ => true,
        }
    }

    /// Puts the next look-up a quarter of the age away, and one exactly where "not found" begins to count. A closed attempt
    /// is left alone after [`FOLLOW_FOR`].
    pub(crate) fn look_again(&mut self, measured: Measured) {
        if self.state == AttemptState::Asking {
            self.state = AttemptState::Unknown { arrived: false, problem: None };
        }
        let age = cafe_clock::since(measured.now, self.asked_at);
        if !self.is_open() && age >= FOLLOW_FOR {
            self.look_at = None;
            return;
        }
        let longest = if self.is_open() { LONGEST_GAP } else { FOLLOW_FOR };
        self.look_at = Some(next_look(self.asked_at, longest, measured));
    }
}

/// When to look again at what was asked then. Shared with refunds. Where the clock was set back since, it is as old as it seems
/// young: a vendor is not to be asked each second until the clock is there again.
pub(crate) fn next_look(asked_at: Timestamp, longest: Duration, measured: Measured) -> Timestamp {
    let (now, then) = (measured.now, asked_at);
    let age = cafe_clock::since(now, then).max(cafe_clock::since(then, now));
    let gap = (age / 4).clamp(SHORTEST_GAP, longest).mul_f64(1.0 + measured.draw / 10.0);
    let settles_in = measured.settles_in();
    let gap = if settles_in.is_zero() { gap } else { gap.min(settles_in) };
    cafe_clock::after(measured.now, gap.max(Duration::from_millis(1)))
}

impl Charge {
    /// In what this is not the charge that was asked for.
    pub(crate) fn differs_from(&self, order_id: OrderId, amount: i64, currency: Currency) -> Option<String> {
        if self.order_id != order_id {
            return Some(format!("it is for order {}", self.order_id));
        }
        let as_asked = self.amount == amount && self.currency == currency;
        (!as_asked).then(|| format!("{} {} instead of {amount} {currency}", self.amount, self.currency))
    }

    /// True if it was given back under a key that is only used for charges that were never announced as approved.
    pub(crate) fn was_given_back_unannounced(&self) -> bool {
        self.refunds.iter().any(|refund| refund.key.contains("/refund/charge-"))
    }
}
