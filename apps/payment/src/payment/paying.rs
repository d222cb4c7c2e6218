//! From the order to the decision: asking, looking up, deciding.

use std::time::Duration;

use cafe_events::{
    Party, PaymentApproved, PaymentCancelRequested, PaymentCancelled, PaymentDeclined, PaymentEvent,
    PaymentExpired,
};
use jiff::Timestamp;

use super::attempt::{Attempt, AttemptState, Charge, ChargeAnswer, Finding, Measured};
use super::{Decision, Order, Payment, Refusal, Transition, Wish};

/// So many attempts at most; pauses between them grow so that they last for the ten minutes that there are to pay. What
/// the vendor then has not charged expires.
pub(super) const MAX_ATTEMPTS: u32 = 16;
/// Pause after an attempt that was not charged; it doubles with each one, up to 64 s.
const RETRY_AFTER: Duration = Duration::from_millis(250);
const MOST_DOUBLINGS: u32 = 8;

impl Payment {
    /// An order was placed. What cannot be paid at all is declined at once. Without the customer's proof nothing is asked,
    /// and the order waits for it until it expires. For `restored_at` see [`Payment::after_restore`].
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
        self.order = Some(order);
        if !known_vendor {
            let decision = Decision::Declined { reason: "unknown_vendor".to_owned() };
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
        if self.checking && self.next_attempt() <= MAX_ATTEMPTS {
            return Ok(self.concluded(now));
        }
        if now > latest || self.next_attempt() > MAX_ATTEMPTS {
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
        self.ask_again_soon(measured.now);
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

    /// The vendor's record was gone through for a probe: this is in it under the key of attempt `under`, and nothing under
    /// those from `probe` up to it. An attempt is asked only after those before it are closed, so that a charge under a later
    /// key proves that none will come under an earlier one.
    pub fn probed(
        &mut self,
        probe: u32,
        under: u32,
        finding: &Finding,
        measured: Measured,
    ) -> Result<Transition, Refusal> {
        let seen = self.attempt_mut(probe)?;
        if !seen.looked_up_under().contains(&under) {
            return Ok(Transition::AlreadyDone);
        }
        let settles = match finding {
            Finding::Found(_) | Finding::Declined { .. } => true,
            Finding::NotFound => seen.closes_when_not_found(measured.silent_for),
            Finding::Unclear { .. } => false,
        };
        if settles {
            seen.number = under;
        }
        let number = seen.number;
        self.looked_up(number, finding, measured)
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
        let older = self.order.as_ref().is_some_and(|order| order.placed_at <= restored_at);
        if !older || self.restored_at == Some(restored_at) {
            return;
        }
        self.restored_at = Some(restored_at);
        self.checking = self.decision.is_none();
        self.look_up_refunds_first(restored_at);
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
        if self.checking {
            let events = self.resume(attempt, charge, measured.now);
            self.probe_on(attempt + 1, measured);
            return Ok(Transition::Changed([events, self.conclude(measured.now)].concat()));
        }
        Ok(self.concluded(measured.now))
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
            self.probe_on(attempt + 1, measured);
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

    /// Takes up again what was decided before the restore and is still in the vendor's record. A charge that was given back
    /// decides nothing: a later attempt may have paid for the order.
    fn resume(&mut self, attempt: u32, charge: &Charge, now: Timestamp) -> Vec<PaymentEvent> {
        if self.decision.is_some() || !self.is_live(attempt) {
            return Vec::new();
        }
        let (wish, early) = (self.wish.take(), std::mem::take(&mut self.early));
        let mut events = self.conclude(now);
        events.extend(wish.map(|wish| self.forward(wish)));
        // What is still owed is measured against what had been given.
        self.adopt_goodwill(charge, now);
        self.early = early;
        self.give_back_early(now);
        events
    }

    /// Goes on through the vendor's record, up to the last key that may have been used. If nobody waits for what is there,
    /// one look is enough, when "not found" counts.
    fn probe_on(&mut self, attempt: u32, measured: Measured) {
        let pause = if self.decision.is_some() { measured.settles_in() } else { Duration::ZERO };
        self.probe_at(attempt, measured.now, cafe_clock::after(measured.now, pause));
    }

    fn probe_at(&mut self, attempt: u32, now: Timestamp, look_at: Timestamp) {
        if self.open_attempt().is_some() {
            return;
        }
        self.checking = attempt <= MAX_ATTEMPTS;
        if self.checking {
            self.attempts.push(Attempt::probe(attempt, now, look_at));
        }
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
            None if self.checking && self.next_attempt() <= MAX_ATTEMPTS => {
                self.probe_at(self.next_attempt(), now, now);
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
        None
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
                charge_id: super::charge_id(&self.attempts, *attempt),
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

    pub(super) fn forward(&mut self, wish: Wish) -> PaymentEvent {
        self.version += 1;
        PaymentEvent::CancelRequested(PaymentCancelRequested { by: wish.by, reason: wish.reason })
    }

    fn attempt_mut(&mut self, number: u32) -> Result<&mut Attempt, Refusal> {
        self.attempts.iter_mut().find(|attempt| attempt.number == number).ok_or(Refusal::NoSuch(number))
    }

    fn next_attempt(&self) -> u32 {
        self.attempts.last().map_or(1, |last| last.number + 1)
    }

    /// Where the clock was set back, the pause before the next attempt is over: it would be as much longer.
    fn ask_again_soon(&mut self, now: Timestamp) {
        let longest = cafe_clock::after(now, pause_after(MOST_DOUBLINGS, 1.0));
        let never = self.order.as_ref().map(|order| order.placed.pay_by);
        if self.retry_at.is_some_and(|at| at > longest) && self.retry_at != never {
            self.retry_at = Some(now);
        }
    }

    fn retry_after(&self, measured: Measured) -> Timestamp {
        let doublings = (self.attempts.len() as u32).min(MOST_DOUBLINGS);
        cafe_clock::after(measured.now, pause_after(doublings, measured.draw))
    }
}

/// How long is waited before the next attempt, after so many doublings.
fn pause_after(doublings: u32, draw: f64) -> Duration {
    (RETRY_AFTER * 2_u32.pow(doublings)).mul_f64(1.0 + draw / 2.0)
}
