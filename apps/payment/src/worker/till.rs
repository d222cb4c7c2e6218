//! What the worker decides, without waiting for anything: whether a vendor is asked, what its answer (or silence) comes to, and
//! what is to be done about a payment that was found in a lane.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use cafe_clock::Ids;
use cafe_delivery::TurnError;
use cafe_events::OrderId;

use super::breaker::Pass;
use super::gate::Gate;
use super::memory::Memory;
use crate::domain::{Ask, Done, Silence, What};
use crate::payment::agenda::{Lane, Task};
use crate::payment::attempt::{Attempt, ChargeAnswer, Finding};
use crate::payment::refund::{Refund, RefundAnswer};
use crate::payment::{Payment, Refusal};
use crate::timer::Timer;
use crate::vendor::READ_TIMEOUT;

/// What an unclear answer says that never came.
const NO_ANSWER: &str = "no answer in time";

/// What all tasks of the worker share: what it remembers, and how it measures.
#[derive(Clone)]
pub struct Till {
    /// Whether there is room to ask.
    pub gate: Arc<Gate>,
    /// What this process knows of its own calls.
    pub memory: Memory,
    /// The wall clock, and one that cannot step.
    pub timer: Timer,
    /// For jitter.
    pub ids: Ids,
}

/// A charge that the vendor is asked for.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Charging(Pass);

/// What is to be done about a payment that was found in a lane.
#[derive(Debug)]
pub enum Job {
    /// Nothing: it was done meanwhile.
    Nothing,
    /// Look up an attempt.
    LookUp(LookUp),
    /// Look up a refund.
    LookUpRefund(LookUpRefund),
    /// Open the refund of this number, which is then asked for.
    BeginRefund(u32),
}

/// An attempt that is looked up, under one key after the other until something is found.
#[derive(Debug)]
pub struct LookUp {
    order_id: OrderId,
    number: u32,
    probe: bool,
    silence: Silence,
    keys: RangeInclusive<u32>,
    under: u32,
    finding: Finding,
}

/// A refund that is looked up.
#[derive(Debug)]
pub struct LookUpRefund {
    /// Its number.
    pub number: u32,
    /// Under which key.
    pub key: String,
    silence: Silence,
}

impl Till {
    /// Checks once more, right before a charge is asked for, that it is not too late and that the vendor is not failing.
    ///
    /// # Errors
    /// What the charge comes to without asking.
    pub fn may_charge(&self, ask: &Ask, is_leading: bool) -> Result<Charging, ChargeAnswer> {
        let not_sent = |detail: &str| ChargeAnswer::NotSent { detail: detail.to_owned() };
        if self.gate.is_stopping() {
            return Err(not_sent("the service is stopping"));
        }
        if !is_leading {
            return Err(not_sent("another process may have taken over"));
        }
        if self.timer.now() > ask.latest_at {
            return Err(not_sent("too late"));
        }
        let pass = self.gate.admit(self.timer.elapsed());
        pass.map(Charging).ok_or_else(|| not_sent("the breaker is open"))
    }

    /// What the vendor's answer is, or its silence until [`READ_TIMEOUT`].
    pub fn charge_answered(&self, charging: Charging, answer: Option<ChargeAnswer>) -> ChargeAnswer {
        let answer = answer.unwrap_or(ChargeAnswer::Unclear { arrived: false, detail: NO_ANSWER.to_owned() });
        let answered = !matches!(answer, ChargeAnswer::Unclear { .. } | ChargeAnswer::NotSent { .. });
        self.gate.record(charging.0, answered, self.timer.elapsed(), self.ids.fraction());
        answer
    }

    /// What to report about an attempt that was taken up at `began`.
    pub fn charge_report(
        &self,
        order_id: OrderId,
        attempt: u32,
        answer: ChargeAnswer,
        began: Duration,
    ) -> What {
        let silence = self.silence_since(began);
        if matches!(answer, ChargeAnswer::Unclear { .. }) {
            self.remember(Attempt::key(order_id, attempt), silence);
        }
        What::Answered(attempt, answer, silence)
    }

    /// Whether a refund may be asked for.
    ///
    /// # Errors
    /// What it comes to without asking.
    pub fn may_refund(is_leading: bool) -> Result<(), RefundAnswer> {
        if is_leading {
            return Ok(());
        }
        let detail = "another process may have taken over".to_owned();
        Err(RefundAnswer::Unclear { arrived: false, detail })
    }

    /// What the vendor's answer to a refund or its look-up is, or its silence until [`READ_TIMEOUT`].
    pub fn refund_answered(answer: Option<RefundAnswer>) -> RefundAnswer {
        answer.unwrap_or(RefundAnswer::Unclear { arrived: false, detail: NO_ANSWER.to_owned() })
    }

    /// What to report about a refund under `key` that was taken up at `began`.
    pub fn refund_report(&self, number: u32, key: String, answer: RefundAnswer, began: Duration) -> What {
        let silence = self.silence_since(began);
        if matches!(answer, RefundAnswer::Unclear { .. }) {
            self.remember(key, silence);
        }
        What::RefundAnswered(number, answer, silence)
    }

    /// What is to be done about a payment, and in which lane it is now.
    pub fn job(&self, order_id: OrderId, payment: &Payment) -> (Option<Lane>, Job) {
        let Some((_, lane, task)) = payment.next_task() else { return (None, Job::Nothing) };
        let job = match task {
            Task::Begin => Job::Nothing,
            Task::LookUp(number) => payment
                .attempts
                .iter()
                .find(|attempt| attempt.number == number)
                .map_or(Job::Nothing, |attempt| Job::LookUp(self.look_up(order_id, attempt))),
            Task::LookUpRefund(number) => payment
                .refunds
                .iter()
                .find(|refund| refund.number == number)
                .map_or(Job::Nothing, |refund| Job::LookUpRefund(self.look_up_refund(order_id, refund))),
            Task::Refund(number) => Job::BeginRefund(number),
        };
        (Some(lane), job)
    }

    fn look_up(&self, order_id: OrderId, attempt: &Attempt) -> LookUp {
        let number = attempt.number;
        LookUp {
            order_id,
            number,
            probe: attempt.probe,
            silence: self.silence(&Attempt::key(order_id, number)),
            keys: attempt.looked_up_under(),
            under: number,
            finding: Finding::NotFound,
        }
    }

    fn look_up_refund(&self, order_id: OrderId, refund: &Refund) -> LookUpRefund {
        let key = refund.key(order_id);
        LookUpRefund { number: refund.number, silence: self.silence(&key), key }
    }

    /// Of the orders that were found in a lane, those that nobody is busy with.
    pub fn not_busy(&self, found: Vec<OrderId>, limit: usize) -> Vec<OrderId> {
        found.into_iter().filter(|order_id| !self.memory.is_busy(*order_id)).take(limit).collect()
    }

    /// How long ago the request under `key` was sent, at the least: one that this process did not send was sent before it
    /// started.
    fn silence(&self, key: &str) -> Silence {
        let sent = self.memory.sent_at(key).unwrap_or_default();
        Silence { lasted: self.timer.elapsed().saturating_sub(sent), draw: self.ids.fraction() }
    }

    /// A process that was frozen just before it sent sends when it goes on, and then waits its full time: nothing was sent
    /// longer ago than that.
    fn silence_since(&self, began: Duration) -> Silence {
        let lasted = self.timer.elapsed().saturating_sub(began).min(READ_TIMEOUT);
        Silence { lasted, draw: self.ids.fraction() }
    }

    fn remember(&self, key: String, silence: Silence) {
        self.memory.unanswered(key, self.timer.elapsed().saturating_sub(silence.lasted));
    }
}

impl LookUp {
    /// The key to look under next; nothing when it is over.
    pub fn next_key(&mut self) -> Option<String> {
        if self.finding != Finding::NotFound {
            return None;
        }
        self.under = self.keys.next()?;
        Some(Attempt::key(self.order_id, self.under))
    }

    /// Takes in what was found under the last key, or that no answer came in time.
    pub fn found(&mut self, finding: Option<Finding>, memory: &Memory) {
        self.finding = finding.unwrap_or(Finding::Unclear { detail: NO_ANSWER.to_owned() });
        if matches!(self.finding, Finding::Found(_) | Finding::Declined { .. }) {
            memory.settled(&Attempt::key(self.order_id, self.under));
        }
    }

    /// What was found last.
    pub fn finding(&self) -> &Finding {
        &self.finding
    }

    /// The attempt's number whose key was looked under last.
    pub fn under(&self) -> u32 {
        self.under
    }

    /// What to report when it is over.
    pub fn report(self) -> What {
        if self.probe {
            What::Probed(self.number, self.under, self.finding, self.silence)
        } else {
            What::LookedUp(self.number, self.finding, self.silence)
        }
    }
}

impl LookUpRefund {
    /// What to report about what was found, or that no answer came in time.
    pub fn report(self, answer: Option<RefundAnswer>, memory: &Memory) -> What {
        let answer = Till::refund_answered(answer);
        if matches!(answer, RefundAnswer::Done { .. } | RefundAnswer::Refused { .. }) {
            memory.settled(&self.key);
        }
        What::RefundAnswered(self.number, answer, self.silence)
    }
}

/// What became of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reported {
    /// It is on disk, or this process ends and the next one looks it up.
    Done,
    /// It is to be handed in again after a pause.
    Again,
    /// It can never be stored.
    Lost,
}

impl Reported {
    /// What the desk's answer means for a report.
    pub fn of(outcome: &Result<Result<Done, Refusal>, TurnError>) -> Self {
        match outcome {
            Ok(Ok(_)) | Err(TurnError::Stopped | TurnError::OutcomeUnknown) => Self::Done,
            Err(TurnError::Busy | TurnError::DiskFull) => Self::Again,
            Ok(Err(_)) | Err(TurnError::Failed(_)) => Self::Lost,
        }
    }
}
