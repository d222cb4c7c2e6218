//! The rules of paying for one order. Pure: the state, what happened and the time go in, events come out.
//!
//! An attempt is on disk before the vendor is asked, so that whatever the vendor may have done is always looked for.
//! Nothing is announced as expired, cancelled or declined while an attempt is open; a charge that nobody wants any more is
//! given back. The state is here; `paying` leads from the order to the decision, `giving_back` is about money on its way
//! back, and [`agenda`] says what is to be done next.

pub mod agenda;
pub mod attempt;
#[cfg(test)]
mod cases;
mod giving_back;
#[cfg(test)]
pub(crate) mod histories;
mod paying;
pub mod refund;

use std::time::Duration;

use cafe_events::{Currency, LineId, OrderId, OrderLine, OrderPlaced, Party, PaymentEvent};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use attempt::{Attempt, AttemptState};
use refund::{NotMade, Refund};

/// No attempt starts later than this before `pay_by`, or than a third of the time to pay if that is shorter.
pub const ASK_MARGIN: Duration = Duration::from_secs(15);

/// What is known about paying for one order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Payment {
    /// The store the order belongs to.
    pub store: String,
    /// How many events this service has announced about the order.
    pub version: u32,
    /// The order, once it was heard of. After a restore the barista service may be heard first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<Order>,
    /// The first word announced about the order; it never changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// Every attempt that may have reached the vendor, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
    /// Not before then is the vendor asked again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Timestamp>,
    /// A wish to cancel that came before the decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wish: Option<Wish>,
    /// Money on its way back, or given back, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refunds: Vec<Refund>,
    /// Lines that will not be made, each once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unmade: Vec<LineId>,
    /// What the barista service said would not be made before the approval was (again) decided.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub early: Vec<NotMade>,
    /// Goodwill that turned out to be owed, because its lines were not made after all, in minor units.
    #[serde(skip_serializing_if = "is_zero")]
    pub excused: i64,
    /// Staff's reason for a full refund that waits for the barista service's word on the forwarded cancel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub staff_refund: Option<String>,
    /// What staff's client sent with the amount that was all there was, to tell a repeated request from a new one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub all_by_amount: Option<Keyed>,
    /// The restore of this database after which the vendor's record is, or was, gone through for this order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restored_at: Option<Timestamp>,
    /// The vendor's record is being gone through: nothing is asked before that is done.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub checking: bool,
    /// W3C trace context of what last moved it: the order, a wish to cancel, a refund. Passed on with what comes of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

/// The order as it was placed: all that the approval repeats, and how it is paid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// Its id.
    pub order_id: OrderId,
    /// When it was placed, by the order service's clock.
    pub placed_at: Timestamp,
    /// What was placed.
    pub placed: OrderPlaced,
}

/// A service's first word about an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The charge of this attempt pays for it.
    Approved {
        /// Number of the attempt.
        attempt: u32,
    },
    /// The vendor, or a rule, clearly refused.
    Declined {
        /// Why.
        reason: String,
    },
    /// Not paid in time.
    Expired,
    /// Somebody wanted it undone before it was approved.
    Cancelled,
}

/// A wish to cancel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// Who asked.
    pub by: Party,
    /// In their words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A wish of staff's for an amount, and the key that makes it the same wish when it is sent again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keyed {
    /// The client's Idempotency-Key.
    pub key: String,
    /// In minor units.
    pub amount: i64,
    /// For the customer.
    pub reason: String,
}

/// What a permitted input did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transition {
    /// The state changed, and this is announced, in this order; perhaps nothing is.
    Changed(Vec<PaymentEvent>),
    /// It had happened before, or there was nothing left to do.
    AlreadyDone,
}

/// Which rule an input would break.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The same order cannot be placed twice.
    #[error("this order was placed before")]
    PlacedBefore,
    /// Nothing is known about the order.
    #[error("no such order was heard of")]
    NoOrder,
    /// The attempt or refund is not one of this payment's.
    #[error("there is no attempt or refund {0}")]
    NoSuch(u32),
    /// Only an approved payment can do this.
    #[error("the payment is not approved")]
    NotApproved,
    /// Nothing was charged, so nothing can be given back.
    #[error("nothing was charged")]
    NothingCharged,
    /// A line that the order does not have.
    #[error("the order has no line {0}")]
    NoLine(LineId),
    /// Money was given back under this Idempotency-Key, for another wish.
    #[error("this Idempotency-Key was used with another body")]
    KeyUsed,
    /// More than is left of the charge.
    #[error("{wanted} is not between 1 and the {available} that can still be given back")]
    Amount {
        /// What was asked for, in minor units.
        wanted: i64,
        /// What is left, in minor units.
        available: i64,
    },
}

/// Where a payment stands, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nothing is asked at the moment; perhaps because the customer's proof is missing.
    Due,
    /// The vendor is being asked.
    Asking,
    /// The vendor did not answer clearly; it is looked up until settled.
    Unknown,
    /// Paid.
    Approved,
    /// Clearly refused.
    Declined,
    /// Not paid in time.
    Expired,
    /// Undone before it was approved.
    Cancelled,
}

impl Payment {
    /// In one word.
    pub fn status(&self) -> Status {
        match &self.decision {
            Some(Decision::Approved { .. }) => Status::Approved,
            Some(Decision::Declined { .. }) => Status::Declined,
            Some(Decision::Expired) => Status::Expired,
            Some(Decision::Cancelled) => Status::Cancelled,
            None => match self.open_attempt().map(|open| &open.state) {
                Some(AttemptState::Asking) => Status::Asking,
                Some(_) => Status::Unknown,
                None => Status::Due,
            },
        }
    }

    /// Why it was declined, if it was.
    pub fn why_declined(&self) -> Option<&str> {
        match &self.decision {
            Some(Decision::Declined { reason }) => Some(reason),
            _ => None,
        }
    }

    /// What the vendor claims that was not asked for.
    pub fn problem(&self) -> Option<&str> {
        self.attempts.iter().find_map(|attempt| match &attempt.state {
            AttemptState::Unknown { problem, .. } => problem.as_deref(),
            _ => None,
        })
    }

    /// True while it is not certain where all money is: something is undecided, unknown or owed.
    pub fn is_open(&self) -> bool {
        let awaits_barista = self.staff_refund.is_some() && self.available() > 0;
        self.decision.is_none()
            || self.open_attempt().is_some()
            || self.refunds.iter().any(|refund| !refund.is_done())
            || !self.early.is_empty()
            || awaits_barista
    }

    /// The order, or a refusal to act on one that was never heard of.
    pub fn order(&self) -> Result<&Order, Refusal> {
        self.order.as_ref().ok_or(Refusal::NoOrder)
    }

    /// The attempt whose outcome is not known yet. There is at most one.
    pub fn open_attempt(&self) -> Option<&Attempt> {
        self.attempts.iter().find(|attempt| attempt.is_open())
    }

    /// Everything the vendor is known to have charged, in minor units.
    pub fn charged(&self) -> i64 {
        self.attempts.iter().filter_map(Attempt::charge).map(|(_, amount)| amount).sum()
    }

    /// The vendor's id of the attempt's charge; empty if there is none.
    pub(crate) fn charge_id_of(&self, attempt: u32) -> String {
        charge_id(&self.attempts, attempt)
    }

    /// True if nothing keeps the order from being decided: it expires unless something happens.
    pub(crate) fn is_idle(&self) -> bool {
        self.order.is_some() && self.decision.is_none() && self.open_attempt().is_none()
    }

    /// True if the vendor may be asked as far as this state goes: with the customer's proof.
    pub(crate) fn may_ask(&self) -> bool {
        let proof = self.order.as_ref().and_then(|order| order.placed.payment.token.as_ref());
        self.is_idle() && proof.is_some()
    }
}

impl Order {
    /// No attempt starts after this.
    pub fn latest_ask(&self) -> Timestamp {
        let time_to_pay = cafe_clock::since(self.placed.pay_by, self.placed_at);
        let margin = ASK_MARGIN.min(time_to_pay / 3);
        cafe_clock::before(self.placed.pay_by, margin)
    }

    /// All amounts are in this currency.
    pub fn currency(&self) -> Currency {
        self.placed.currency
    }

    /// The line of that number.
    pub fn line(&self, line_id: LineId) -> Option<&OrderLine> {
        self.placed.lines.iter().find(|line| line.line_id == line_id)
    }
}

fn charge_id(attempts: &[Attempt], number: u32) -> String {
    let charge = attempts.iter().find(|attempt| attempt.number == number).and_then(Attempt::charge);
    charge.map_or_else(String::new, |(charge_id, _)| charge_id.to_owned())
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(amount: &i64) -> bool {
    *amount == 0
}
