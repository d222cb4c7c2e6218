//! The rules of paying for one order. Pure: the state, what happened and the time go in, events come out.
//!
//! An attempt is on disk before the vendor is asked, so that whatever the vendor may have done is always looked for.
//! Nothing is announced as expired, cancelled or declined while an attempt is open; a charge that nobody wants any more is
//! given back. [`attempt`] is about one attempt, [`refund`] about money on its way back.

pub mod agenda;
pub mod attempt;
#[cfg(test)]
mod histories;
pub mod refund;

use std::time::Duration;

use cafe_events::{
    Currency, LineId, OrderId, OrderLine, OrderPlaced, Party, PaymentApproved, PaymentCancelRequested,
    PaymentCancelled, PaymentDeclined, PaymentEvent, PaymentExpired,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use attempt::{Attempt, AttemptState, Charge, ChargeAnswer, Finding, Measured};
use refund::{NotMade, Refund};

/// No attempt starts later than this before `pay_by`, or than a third of the time to pay if that is shorter.
pub const ASK_MARGIN: Duration = Duration::from_secs(15);
/// So many attempts that the vendor left without a charge, and the payment is declined as `vendor_unavailable`.
pub const MAX_ATTEMPTS: u32 = 5;
/// Pause before a second attempt; it doubles with each further one.
const RETRY_AFTER: Duration = Duration::from_millis(250);

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
    /// The restore of this database after which the vendor's record is, or was, gone through for this order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restored_at: Option<Timestamp>,
    /// The vendor's record is being gone through: nothing is asked before that is done.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub checking: bool,
    /// W3C trace context of the order, passed on with whatever is announced later.
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
    /// Nothing is asked at the moment.
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
    /// An order was placed. What cannot be paid at all is declined at once. For `restored_at` see
    /// [`Payment::after_restore`].
    pub fn placed(
        &mut self,
        order: Order,
        known_vendor: bool,
        restored_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Transition, Refusal> {
        if self.order.is_some() {
            return Err(Refusal::PlacedBefore);
        }
        let refused = match &order.placed.payment {
            _ if !known_vendor => Some("unknown_vendor"),
            choice if choice.token.is_none() => Some("token_required"),
            _ => None,
        };
        self.order = Some(order);
        if let Some(reason) = refused {
            let decision = Decision::Declined { reason: reason.to_owned() };
            return Ok(Transition::Changed(vec![self.decide(decision)?]));
        }
        if let Some(restored_at) = restored_at {
            self.after_restore(restored_at);
        }
        Ok(self.concluded(now))
    }

    /// Opens the next attempt, if it is not too late; the vendor may be asked once this is on disk.
    pub fn begin(&mut self, now: Timestamp) -> Result<Transition, Refusal> {
        let latest = self.order()?.latest_ask();
        if !self.may_ask() {
            return Ok(Transition::AlreadyDone);
        }
        if self.checking {
            return Ok(self.concluded(now));
        }
        if now > latest {
            // Never again: from here the order waits for `pay_by`.
            self.retry_at = Some(self.order()?.placed.pay_by);
            return Ok(Transition::Changed(Vec::new()));
        }
        self.attempts.push(Attempt::asking(self.next_attempt(), now));
        self.retry_at = None;
        Ok(Transition::Changed(Vec::new()))
    }

    /// The vendor was asked for `attempt`, and this came of it.
    pub fn answered(
        &mut self,
        attempt: u32,
        answer: &ChargeAnswer,
        measured: Measured,
    ) -> Result<Transition, Refusal> {
        match answer {
            ChargeAnswer::Approved(charge) => self.found(attempt, charge, measured),
            ChargeAnswer::Declined { reason } => self.declined(attempt, reason, measured.now),
            ChargeAnswer::Unclear { arrived, .. } => {
                let open = self.attempt_mut(attempt)?;
                if !open.is_open() {
                    return Ok(Transition::AlreadyDone);
                }
                open.unclear(*arrived, measured);
                Ok(Transition::Changed(Vec::new()))
            }
            // Its key is unused, so the next attempt may have it.
            ChargeAnswer::NotSent { .. } => {
                if self.attempt_mut(attempt)?.state != AttemptState::Asking {
                    return Ok(Transition::AlreadyDone);
                }
                self.attempts.retain(|other| other.number != attempt);
                self.retry_at = Some(self.retry_after(measured));
                Ok(self.concluded(measured.now))
            }
        }
    }

    /// The vendor's record was looked up for `attempt`, open or closed, and this is in it.
    pub fn looked_up(
        &mut self,
        attempt: u32,
        finding: &Finding,
        measured: Measured,
    ) -> Result<Transition, Refusal> {
        let seen = self.attempt_mut(attempt)?;
        if matches!(seen.state, AttemptState::Charged { .. } | AttemptState::Declined { .. }) {
            return Ok(Transition::AlreadyDone);
        }
        match finding {
            Finding::Found(charge) => self.found(attempt, charge, measured),
            Finding::Declined { reason } => self.declined(attempt, reason, measured.now),
            Finding::NotFound if seen.closes_when_not_found(measured.silent_for) => {
                self.not_charged(attempt, measured)
            }
            Finding::NotFound | Finding::Unclear { .. } => {
                seen.look_again(measured);
                Ok(Transition::Changed(Vec::new()))
            }
        }
    }

    /// Somebody outside says that there is news of an attempt: it is looked up at once, nothing else is believed.
    pub fn notified(&mut self, attempt: u32, now: Timestamp) -> Result<Transition, Refusal> {
        let seen = self.attempt_mut(attempt)?;
        let worth_a_look = matches!(seen.state, AttemptState::Unknown { .. } | AttemptState::NotCharged);
        if !worth_a_look || seen.look_at.is_some_and(|at| at <= now) {
            return Ok(Transition::AlreadyDone);
        }
        seen.look_at = Some(now);
        Ok(Transition::Changed(Vec::new()))
    }

    /// Somebody wants the order undone. Before the decision it is decided here, from then on by the barista service.
    pub fn cancel(&mut self, wish: Wish, now: Timestamp) -> Result<Transition, Refusal> {
        self.order()?;
        match self.decision {
            None if self.wish.is_some() => Ok(Transition::AlreadyDone),
            None => {
                self.wish = Some(wish);
                Ok(self.concluded(now))
            }
            Some(Decision::Approved { .. }) => Ok(Transition::Changed(vec![self.forward(wish)])),
            Some(_) => Ok(Transition::AlreadyDone),
        }
    }

    /// The time to pay may be over.
    pub fn expire(&mut self, now: Timestamp) -> Result<Transition, Refusal> {
        self.order()?;
        if self.decision.is_some() {
            return Ok(Transition::AlreadyDone);
        }
        Ok(self.concluded(now))
    }

    /// This database was restored from an older copy at `restored_at`. What was decided since then is forgotten here but not
    /// by the vendor: the record is gone through under every key that may have been used, before anything is asked.
    pub fn after_restore(&mut self, restored_at: Timestamp) {
        let older = self.order.as_ref().is_some_and(|order| order.placed_at < restored_at);
        if !older || self.restored_at == Some(restored_at) {
            return;
        }
        self.restored_at = Some(restored_at);
        self.checking = self.decision.is_none();
        self.look_up_refunds_first(restored_at);
    }

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

    /// True if the vendor may be asked as far as this state goes.
    pub(crate) fn may_ask(&self) -> bool {
        self.order.is_some() && self.decision.is_none() && self.open_attempt().is_none()
    }

    fn found(&mut self, attempt: u32, charge: &Charge, measured: Measured) -> Result<Transition, Refusal> {
        let order = self.order()?;
        let wrong = charge.differs_from(order.order_id, order.placed.total, order.placed.currency);
        let seen = self.attempt_mut(attempt)?;
        if seen.charge().is_some() {
            return Ok(Transition::AlreadyDone);
        }
        if let Some(wrong) = wrong {
            seen.distrust(wrong, measured);
            return Ok(Transition::Changed(Vec::new()));
        }
        seen.charged(charge);
        if self.decision.is_some() || !self.is_wanted(charge) {
            self.give_back_charge(attempt, measured.now);
        }
        let events = if self.checking { self.resume(attempt, charge, measured.now)? } else { Vec::new() };
        Ok(Transition::Changed([events, self.conclude(measured.now)].concat()))
    }

    fn declined(&mut self, attempt: u32, reason: &str, now: Timestamp) -> Result<Transition, Refusal> {
        let seen = self.attempt_mut(attempt)?;
        if !matches!(
            seen.state,
            AttemptState::Asking | AttemptState::Unknown { .. } | AttemptState::NotCharged
        ) {
            return Ok(Transition::AlreadyDone);
        }
        seen.state = AttemptState::Declined { reason: reason.to_owned() };
        seen.look_at = None;
        self.checking = false;
        Ok(self.concluded(now))
    }

    fn not_charged(&mut self, attempt: u32, measured: Measured) -> Result<Transition, Refusal> {
        let seen = self.attempt_mut(attempt)?;
        if !seen.is_open() {
            seen.look_again(measured);
            return Ok(Transition::Changed(Vec::new()));
        }
        if seen.probe {
            self.attempts.retain(|other| other.number != attempt);
            self.checking = attempt < MAX_ATTEMPTS;
            if self.checking {
                self.attempts.push(Attempt::probe(attempt + 1, measured.now));
                return Ok(Transition::Changed(Vec::new()));
            }
        } else {
            seen.close(measured);
            self.retry_at = Some(self.retry_after(measured));
        }
        Ok(self.concluded(measured.now))
    }

    /// True if the charge may pay for the order: it was made in time, and nobody wants the order undone. What an earlier
    /// life of this service had approved stays approved, and a wish is forwarded again as it was then.
    fn is_wanted(&self, charge: &Charge) -> bool {
        let in_time = self.order.as_ref().is_some_and(|order| charge.at <= order.placed.pay_by);
        let undone = if self.checking { charge.was_given_back_unannounced() } else { self.wish.is_some() };
        in_time && !undone
    }

    /// Takes up again what was decided before the restore and is still in the vendor's record.
    fn resume(
        &mut self,
        attempt: u32,
        charge: &Charge,
        now: Timestamp,
    ) -> Result<Vec<PaymentEvent>, Refusal> {
        self.checking = false;
        if !self.is_live(attempt) {
            let in_time = charge.at <= self.order()?.placed.pay_by;
            if in_time && self.wish.is_none() {
                self.wish = Some(Wish { by: Party::System, reason: Some("restored".to_owned()) });
            }
            return Ok(Vec::new());
        }
        let wish = self.wish.take();
        let mut events = self.conclude(now);
        events.extend(wish.map(|wish| self.forward(wish)));
        self.adopt_goodwill(charge, now);
        Ok(events)
    }

    fn concluded(&mut self, now: Timestamp) -> Transition {
        Transition::Changed(self.conclude(now))
    }

    /// Decides what can be decided now.
    fn conclude(&mut self, now: Timestamp) -> Vec<PaymentEvent> {
        if self.decision.is_some() {
            return Vec::new();
        }
        let live = self.attempts.iter().map(|attempt| attempt.number).find(|number| self.is_live(*number));
        let decision = match live {
            Some(attempt) => Decision::Approved { attempt },
            None if self.open_attempt().is_some() => return Vec::new(),
            None if self.checking => {
                self.attempts.push(Attempt::probe(self.next_attempt(), now));
                return Vec::new();
            }
            None => match self.decide_without_charge(now) {
                Some(decision) => decision,
                None => return Vec::new(),
            },
        };
        let events = self.decide(decision).into_iter().collect();
        if live.is_some() {
            self.give_back_early(now);
        }
        events
    }

    /// No attempt is open and nothing was charged that could pay for the order.
    fn decide_without_charge(&self, now: Timestamp) -> Option<Decision> {
        let order = self.order.as_ref()?;
        let refused = self.attempts.iter().find_map(|attempt| match &attempt.state {
            AttemptState::Declined { reason } => Some(reason.clone()),
            _ => None,
        });
        if let Some(reason) = refused {
            return Some(Decision::Declined { reason });
        }
        if self.wish.is_some() {
            return Some(Decision::Cancelled);
        }
        if now > order.placed.pay_by || self.charged() > 0 {
            return Some(Decision::Expired);
        }
        let exhausted = self.attempts.len() >= MAX_ATTEMPTS as usize;
        exhausted.then(|| Decision::Declined { reason: "vendor_unavailable".to_owned() })
    }

    /// Announces the first word about the order.
    fn decide(&mut self, decision: Decision) -> Result<PaymentEvent, Refusal> {
        let order = self.order.as_mut().ok_or(Refusal::NoOrder)?;
        // The customer's one-time proof is kept no longer than it is needed.
        order.placed.payment.token = None;
        let placed = &order.placed;
        let event = match &decision {
            Decision::Approved { attempt } => PaymentEvent::Approved(PaymentApproved {
                number: placed.number.clone(),
                day: placed.day.clone(),
                placed_at: order.placed_at,
                lines: placed.lines.clone(),
                takeout: placed.takeout,
                total: placed.total,
                currency: placed.currency,
                vendor: placed.payment.vendor.clone(),
                charge_id: charge_id(&self.attempts, *attempt),
            }),
            Decision::Declined { reason } => PaymentEvent::Declined(PaymentDeclined {
                vendor: placed.payment.vendor.clone(),
                reason: reason.clone(),
            }),
            Decision::Expired => PaymentEvent::Expired(PaymentExpired { pay_by: placed.pay_by }),
            Decision::Cancelled => {
                let wish = self.wish.clone().unwrap_or(Wish { by: Party::System, reason: None });
                PaymentEvent::Cancelled(PaymentCancelled { by: wish.by, reason: wish.reason })
            }
        };
        self.decision = Some(decision);
        self.version += 1;
        Ok(event)
    }

    fn forward(&mut self, wish: Wish) -> PaymentEvent {
        self.version += 1;
        PaymentEvent::CancelRequested(PaymentCancelRequested { by: wish.by, reason: wish.reason })
    }

    fn attempt_mut(&mut self, number: u32) -> Result<&mut Attempt, Refusal> {
        self.attempts.iter_mut().find(|attempt| attempt.number == number).ok_or(Refusal::NoSuch(number))
    }

    fn next_attempt(&self) -> u32 {
        self.attempts.last().map_or(1, |last| last.number + 1)
    }

    fn retry_after(&self, measured: Measured) -> Timestamp {
        let doublings = self.attempts.len().min(8) as u32;
        let pause = RETRY_AFTER * 2_u32.pow(doublings);
        cafe_clock::after(measured.now, pause.mul_f64(1.0 + measured.draw / 2.0))
    }
}

impl Order {
    /// No attempt starts after this.
    pub fn latest_ask(&self) -> Timestamp {
        let time_to_pay = cafe_clock::since(self.placed.pay_by, self.placed_at);
        let margin = ASK_MARGIN.min(time_to_pay / 3);
        cafe_clock::from_ms(self.placed.pay_by.as_millisecond() - margin.as_millis() as i64)
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
