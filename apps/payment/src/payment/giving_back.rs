//! Money on its way back. A refund is on disk before the vendor is asked, under a key that follows from its cause, so that
//! the same cause gives money back once, also after a restore. Never more goes back than was charged.

use cafe_events::{Party, PaymentEvent, PaymentRefundFailed, PaymentRefunded};
use jiff::Timestamp;

use super::attempt::{Attempt, Charge, Measured, ORPHAN_AFTER};
use super::refund::{NotMade, Refund, RefundAnswer, RefundState};
use super::{Decision, Keyed, Payment, Refusal, Transition, Wish};

impl Payment {
    /// Lines, or all that is left of the order, will not be made: their price goes back, once.
    pub fn not_made(&mut self, what: NotMade, now: Timestamp) -> Result<Transition, Refusal> {
        match &self.decision {
            None => {
                self.early.push(what);
                return Ok(Transition::Changed(Vec::new()));
            }
            Some(Decision::Approved { .. }) => {}
            Some(_) => return Err(Refusal::NotApproved),
        }
        let order = self.order()?;
        let whole = what.lines.is_empty();
        if let Some(unknown) = what.lines.iter().find(|line_id| order.line(**line_id).is_none()) {
            return Err(Refusal::NoLine(*unknown));
        }
        let concerned = order.placed.lines.iter().filter(|line| {
            (whole || what.lines.contains(&line.line_id)) && !self.unmade.contains(&line.line_id)
        });
        let (lines, prices): (Vec<_>, Vec<_>) = concerned.map(|line| (line.line_id, line.price)).unzip();
        let owed: i64 = prices.iter().sum();
        if lines.is_empty() {
            return Ok(Transition::AlreadyDone);
        }
        let amount = owed.min(self.available());
        // What was given as goodwill before cannot be given again, and turns out to have been owed.
        self.excused += owed - amount;
        self.unmade.extend(&lines);
        let lines = if whole { Vec::new() } else { lines };
        let cause = format!("ticket-{}", what.version);
        self.give_back(Refund { lines, ..self.refund(cause, amount, what.reason, now) });
        Ok(Transition::Changed(Vec::new()))
    }

    /// The barista service would not cancel. If staff had asked for a refund, it is given as goodwill.
    pub fn cancel_refused(&mut self, version: u32, by: Party, now: Timestamp) -> Result<Transition, Refusal> {
        if by != Party::Staff {
            return Ok(Transition::AlreadyDone);
        }
        let Some(reason) = self.staff_refund.take() else {
            return Ok(Transition::AlreadyDone);
        };
        let refund = self.refund(format!("goodwill-ticket-{version}"), self.available(), reason, now);
        self.give_back(Refund { goodwill: true, ..refund });
        Ok(Transition::Changed(Vec::new()))
    }

    /// Staff want all money to go back: a wish to cancel, which becomes goodwill if making has started. What the vendor
    /// had refused is tried again.
    pub fn refund_in_full(&mut self, reason: String, now: Timestamp) -> Result<Transition, Refusal> {
        if self.retry_failed(now) {
            return Ok(Transition::Changed(Vec::new()));
        }
        let wish = Wish { by: Party::Staff, reason: Some(reason.clone()) };
        match &self.decision {
            None => self.cancel(wish, now),
            Some(Decision::Approved { .. }) if self.available() == 0 || self.staff_refund.is_some() => {
                Ok(Transition::AlreadyDone)
            }
            Some(Decision::Approved { .. }) => {
                self.staff_refund = Some(reason);
                Ok(Transition::Changed(vec![self.forward(wish)]))
            }
            Some(_) if self.charged() > 0 => Ok(Transition::AlreadyDone),
            Some(_) => Err(Refusal::NothingCharged),
        }
    }

    /// Staff give back `amount` (minor units) at once, whatever is made; but all of an order of which nothing was given back is
    /// a refund in full, so that nobody makes it for nothing. Asked again under the same `key` it is given once.
    pub fn refund_amount(
        &mut self,
        amount: i64,
        reason: String,
        key: Option<String>,
        now: Timestamp,
    ) -> Result<Transition, Refusal> {
        match key.as_deref().and_then(|key| self.wished_under(key)) {
            Some(before) if before == (amount, &reason) => return Ok(Transition::AlreadyDone),
            Some(_) => return Err(Refusal::KeyUsed),
            None => {}
        }
        let Some(Decision::Approved { attempt }) = self.decision else {
            return Err(Refusal::NotApproved);
        };
        let available = self.available();
        if amount < 1 || amount > available {
            return Err(Refusal::Amount { wanted: amount, available });
        }
        if amount == available && self.is_live(attempt) {
            let keyed = key.map(|key| Keyed { key, amount, reason: reason.clone() });
            self.all_by_amount = self.all_by_amount.take().or(keyed);
            return self.refund_in_full(reason, now);
        }
        let given = self.refunds.iter().filter(|refund| refund.cause.starts_with("goodwill-")).count();
        let refund = self.refund(format!("goodwill-{}", given + 1), amount, reason, now);
        self.give_back(Refund { goodwill: true, idempotency_key: key, ..refund });
        Ok(Transition::Changed(Vec::new()))
    }

    /// The vendor is about to be asked for the refund; it may be once this is on disk.
    pub fn begin_refund(&mut self, number: u32, now: Timestamp) -> Result<Transition, Refusal> {
        let decided = self.decision.is_some();
        let refund = self.refund_mut(number)?;
        if refund.state != RefundState::Due || !decided {
            return Ok(Transition::AlreadyDone);
        }
        refund.state = RefundState::Asking;
        refund.asked_at = now;
        refund.next_at = Some(cafe_clock::after(now, ORPHAN_AFTER));
        Ok(Transition::Changed(Vec::new()))
    }

    /// The vendor was asked for the refund, or its record was looked up, and this came of it.
    pub fn refund_answered(
        &mut self,
        number: u32,
        answer: &RefundAnswer,
        measured: Measured,
    ) -> Result<Transition, Refusal> {
        let refund = self.refund_mut(number)?;
        if !refund.is_unsettled() {
            return Ok(Transition::AlreadyDone);
        }
        let settled = match answer {
            RefundAnswer::Done { amount } if *amount == refund.amount => RefundState::Done,
            // Another amount than asked for is nothing that may be tried again: it stays visible as unknown.
            RefundAnswer::Done { .. } => {
                refund.unclear(false, measured);
                return Ok(Transition::Changed(Vec::new()));
            }
            RefundAnswer::Refused { reason } => RefundState::Failed { reason: reason.clone() },
            RefundAnswer::NotFound => {
                refund.not_found(measured);
                return Ok(Transition::Changed(Vec::new()));
            }
            RefundAnswer::Unclear { arrived, .. } => {
                refund.unclear(*arrived, measured);
                return Ok(Transition::Changed(Vec::new()));
            }
        };
        refund.state = settled;
        refund.next_at = None;
        let event = self.refund_event(number)?;
        self.version += 1;
        Ok(Transition::Changed(vec![event]))
    }

    /// What has gone back, in minor units.
    pub fn refunded(&self) -> i64 {
        self.refunds.iter().filter(|refund| refund.is_done()).map(|refund| refund.amount).sum()
    }

    /// What has gone back although the drinks are made or being made, in minor units.
    pub fn goodwill(&self) -> i64 {
        let given = self.refunds.iter().filter(|refund| refund.is_done() && refund.goodwill);
        (given.map(|refund| refund.amount).sum::<i64>() - self.excused).max(0)
    }

    /// What is left of the charge that pays for the order, less what is on its way back, in minor units.
    pub fn available(&self) -> i64 {
        match self.decision {
            Some(Decision::Approved { attempt }) => self.left_of(attempt),
            _ => 0,
        }
    }

    pub(super) fn is_live(&self, attempt: u32) -> bool {
        self.left_of(attempt) > 0 && self.refunds.iter().all(|refund| refund.attempt != attempt)
    }

    pub(super) fn give_back_charge(&mut self, attempt: u32, now: Timestamp) {
        let refund =
            self.refund(format!("charge-{attempt}"), self.left_of(attempt), "not_wanted".to_owned(), now);
        self.give_back(Refund { attempt, ..refund });
    }

    pub(super) fn give_back_early(&mut self, now: Timestamp) {
        for what in std::mem::take(&mut self.early) {
            // The barista service was heard before; what it said of lines that are not there cannot be mended here.
            let _ = self.not_made(what, now);
        }
    }

    /// Goodwill that staff gave before a restore is taken over from the vendor's record.
    pub(super) fn adopt_goodwill(&mut self, charge: &Charge, now: Timestamp) {
        for found in &charge.refunds {
            let Some((_, cause)) = found.key.split_once("/refund/") else { continue };
            let cause = cause.split('/').next().unwrap_or(cause);
            if cause.starts_with("goodwill-") && self.refunds.iter().all(|refund| refund.cause != cause) {
                let refund = self.refund(cause.to_owned(), found.amount, "restored".to_owned(), now);
                self.give_back(Refund { goodwill: true, ..refund });
            }
        }
    }

    pub(super) fn look_up_refunds_first(&mut self, now: Timestamp) {
        for refund in self.refunds.iter_mut().filter(|refund| refund.state == RefundState::Due) {
            refund.state = RefundState::Unknown { arrived: false };
            refund.probe = true;
            refund.next_at = Some(now);
        }
    }

    /// The amount and the reason that staff's client sent with this key.
    fn wished_under(&self, key: &str) -> Option<(i64, &String)> {
        let all = self.all_by_amount.as_ref().filter(|all| all.key == key);
        let mut some = self.refunds.iter().filter(|refund| refund.idempotency_key.as_deref() == Some(key));
        all.map(|all| (all.amount, &all.reason))
            .or_else(|| some.next().map(|given| (given.amount, &given.reason)))
    }

    fn retry_failed(&mut self, now: Timestamp) -> bool {
        let mut retried = false;
        for refund in &mut self.refunds {
            if matches!(refund.state, RefundState::Failed { .. }) {
                refund.state = RefundState::Due;
                refund.attempted += 1;
                refund.next_at = Some(now);
                retried = true;
            }
        }
        retried
    }

    fn left_of(&self, attempt: u32) -> i64 {
        let charged = self.attempts.iter().find(|other| other.number == attempt).and_then(Attempt::charge);
        let taken =
            self.refunds.iter().filter(|refund| refund.attempt == attempt).map(|refund| refund.amount);
        charged.map_or(0, |(_, amount)| amount) - taken.sum::<i64>()
    }

    /// A refund from the charge that pays for the order. After a restore it may have been made before: look first.
    fn refund(&self, cause: String, amount: i64, reason: String, now: Timestamp) -> Refund {
        let attempt = match self.decision {
            Some(Decision::Approved { attempt }) => attempt,
            _ => 0,
        };
        let probe = self.restored_at.is_some();
        let state = if probe { RefundState::Unknown { arrived: false } } else { RefundState::Due };
        Refund {
            number: self.refunds.len() as u32 + 1,
            cause,
            attempt,
            amount,
            goodwill: false,
            idempotency_key: None,
            lines: Vec::new(),
            reason,
            attempted: 1,
            asked_at: now,
            state,
            next_at: Some(now),
            probe,
        }
    }

    fn give_back(&mut self, refund: Refund) {
        if refund.amount > 0 {
            self.refunds.push(refund);
        }
    }

    fn refund_mut(&mut self, number: u32) -> Result<&mut Refund, Refusal> {
        self.refunds.iter_mut().find(|refund| refund.number == number).ok_or(Refusal::NoSuch(number))
    }

    fn refund_event(&self, number: u32) -> Result<PaymentEvent, Refusal> {
        let refund =
            self.refunds.iter().find(|refund| refund.number == number).ok_or(Refusal::NoSuch(number))?;
        let currency = self.order()?.currency();
        Ok(match &refund.state {
            RefundState::Failed { reason } => PaymentEvent::RefundFailed(PaymentRefundFailed {
                amount: refund.amount,
                currency,
                reason: reason.clone(),
            }),
            _ => PaymentEvent::Refunded(PaymentRefunded {
                amount: refund.amount,
                currency,
                refunded_total: self.refunded(),
                lines: refund.lines.clone(),
                reason: refund.reason.clone(),
                goodwill: refund.goodwill,
            }),
        })
    }
}
