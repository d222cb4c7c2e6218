//! The service as its turns see it: what is asked of it, and how a rule's answer becomes rows, events and effects.

#[cfg(test)]
mod cases;

use std::sync::Arc;
use std::time::Duration;

use cafe_delivery::{Announcement, Domain, Poison, Rows, Turn};
use cafe_events::{Currency, Event, Heard, OrderId, PaymentEvent, Said, Source};
use jiff::Timestamp;

use crate::payment::attempt::{Attempt, AttemptState, ChargeAnswer, Finding, Measured};
use crate::payment::refund::{Refund, RefundAnswer, RefundState};
use crate::payment::{Payment, Refusal, Transition};
use crate::reactions;
use crate::worker::gate::Gate;

/// The payment service's decisions.
pub struct Cashier {
    /// Whether there is room to ask a vendor right away.
    pub gate: Arc<Gate>,
    /// When this database was restored from an older copy, if ever.
    pub restored_at: Option<Timestamp>,
}

/// The rows of a turn.
#[derive(Clone, Default)]
pub struct Payments {
    /// By order.
    pub payments: Rows<OrderId, Payment>,
}

/// What is asked of the service, about one order.
#[derive(Clone, Debug)]
pub struct Request {
    /// Which order.
    pub order_id: OrderId,
    /// What.
    pub what: What,
    /// Trace context of a person's request, which the payment goes on under; the worker's own belong to what they answer.
    pub traceparent: Option<String>,
}

/// What is asked of the service.
#[derive(Clone, Debug)]
pub enum What {
    /// Open the next attempt.
    Begin,
    /// See whether the time to pay is over.
    Expire,
    /// The vendor was asked for a charge.
    Answered(u32, ChargeAnswer, Silence),
    /// An attempt was looked up.
    LookedUp(u32, Finding, Silence),
    /// For the probe of this number the record was looked up, last under the key of that attempt.
    Probed(u32, u32, Finding, Silence),
    /// Somebody says there is news of an attempt.
    Notified(u32),
    /// Ask for this refund.
    BeginRefund(u32),
    /// The vendor was asked for a refund, or it was looked up.
    RefundAnswered(u32, RefundAnswer, Silence),
    /// Staff want everything to go back.
    RefundInFull {
        /// For the customer.
        reason: String,
    },
    /// Staff give an amount back.
    RefundAmount {
        /// In minor units.
        amount: i64,
        /// For the customer.
        reason: String,
        /// The same again is the same refund.
        key: Option<String>,
    },
}

/// What a report says besides its answer; see [`Measured`].
#[derive(Clone, Copy, Debug)]
pub struct Silence {
    /// How long ago the request was sent, at the least.
    pub lasted: Duration,
    /// A random number in `0.0..1.0`.
    pub draw: f64,
}

/// Whether a request changed anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// Now.
    Now,
    /// Before, or there was nothing to do.
    Already,
}

/// What is to be done once a turn is on disk.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Ask a vendor for a charge.
    Ask(Box<Ask>),
    /// Ask a vendor for a refund.
    Refund(Box<AskRefund>),
    /// Something is due now.
    Wake,
    /// This was announced; for the figures.
    Said(&'static str),
    /// The vendor claims something that was not asked for; a person must look at it.
    Alarm(Box<(OrderId, String)>),
}

/// A charge to ask for; its attempt is on disk.
#[derive(Clone, Debug)]
pub struct Ask {
    /// For which order.
    pub order_id: OrderId,
    /// Number of the attempt.
    pub attempt: u32,
    /// Whom.
    pub vendor: String,
    /// The customer's proof.
    pub token: String,
    /// In minor units.
    pub amount: i64,
    /// Of `amount`.
    pub currency: Currency,
    /// Not after this.
    pub latest_at: Timestamp,
    /// Passed on.
    pub traceparent: Option<String>,
}

/// A refund to ask for; it is on disk.
#[derive(Clone, Debug)]
pub struct AskRefund {
    /// For which order.
    pub order_id: OrderId,
    /// Number of the refund.
    pub number: u32,
    /// Whom.
    pub vendor: String,
    /// Under which key.
    pub key: String,
    /// The vendor's id of the charge.
    pub charge_id: String,
    /// In minor units.
    pub amount: i64,
    /// Passed on.
    pub traceparent: Option<String>,
}

impl Domain for Cashier {
    const SOURCE: Source = Source::Payment;
    type Tables = Payments;
    type Request = Request;
    type Answer = Result<Done, Refusal>;
    type Effect = Effect;

    fn needs_of_heard(&self, heard: &Heard, tables: &mut Payments) {
        if let Said::Known(event) = &heard.said
            && reactions::concerns_payment(event)
        {
            tables.payments.need(heard.order_id);
        }
    }

    fn needs_of_request(&self, request: &Request, tables: &mut Payments) {
        tables.payments.need(request.order_id);
    }

    fn hear(
        &self,
        tables: &mut Payments,
        heard: &Heard,
        now: Timestamp,
        turn: &mut Turn<Effect>,
    ) -> Result<(), Poison> {
        let Said::Known(event) = &heard.said else { return Ok(()) };
        if !reactions::concerns_payment(event) {
            return Ok(());
        }
        let (mut payment, caught_up) = self.take(tables, heard.order_id).unwrap_or_default();
        let transition = reactions::hear(self, &mut payment, heard, event, now)
            .map_err(|refusal| Poison(format!("{}: {refusal}", event.kind())))?;
        keep(tables, heard.order_id, payment, caught_up.and(transition), now, turn);
        Ok(())
    }

    fn decide(
        &self,
        tables: &mut Payments,
        request: &Request,
        now: Timestamp,
        turn: &mut Turn<Effect>,
    ) -> Result<Done, Refusal> {
        let (mut payment, caught_up) = self.take(tables, request.order_id).ok_or(Refusal::NoOrder)?;
        if request.traceparent.is_some() {
            payment.traceparent.clone_from(&request.traceparent);
        }
        let transition = decide(&mut payment, &request.what, now)?;
        let done = if transition == Transition::AlreadyDone { Done::Already } else { Done::Now };
        keep(tables, request.order_id, payment, caught_up.and(transition), now, turn);
        Ok(done)
    }
}

/// Whether a payment as it is loaded differs from its row: then the row is written whatever comes of the turn, because the row
/// says what is to be done next.
#[derive(Clone, Copy, Default)]
struct CaughtUp(bool);

impl CaughtUp {
    fn and(self, transition: Transition) -> Transition {
        match transition {
            Transition::AlreadyDone if self.0 => Transition::Changed(Vec::new()),
            transition => transition,
        }
    }
}

impl Cashier {
    fn take(&self, tables: &Payments, order_id: OrderId) -> Option<(Payment, CaughtUp)> {
        let mut payment = tables.payments.get(&order_id)?.clone();
        let known = payment.restored_at;
        if let Some(restored_at) = self.restored_at {
            payment.after_restore(restored_at);
        }
        let caught_up = CaughtUp(payment.restored_at != known);
        Some((payment, caught_up))
    }
}

fn decide(payment: &mut Payment, what: &What, now: Timestamp) -> Result<Transition, Refusal> {
    let measured = |silence: &Silence| Measured { now, silent_for: silence.lasted, draw: silence.draw };
    match what {
        What::Begin => payment.begin(now),
        What::Expire => payment.expire(now),
        What::Answered(attempt, answer, silence) => payment.answered(*attempt, answer, measured(silence)),
        What::LookedUp(attempt, finding, silence) => payment.looked_up(*attempt, finding, measured(silence)),
        What::Probed(probe, under, finding, silence) => {
            payment.probed(*probe, *under, finding, measured(silence))
        }
        What::Notified(attempt) => payment.notified(*attempt, now),
        What::BeginRefund(number) => payment.begin_refund(*number, now),
        What::RefundAnswered(number, answer, silence) => {
            payment.refund_answered(*number, answer, measured(silence))
        }
        What::RefundInFull { reason } => payment.refund_in_full(reason.clone(), now),
        What::RefundAmount { amount, reason, key } => {
            payment.refund_amount(*amount, reason.clone(), key.clone(), now)
        }
    }
}

/// Puts the row back, announces what was decided, and has done what the row says is due.
fn keep(
    tables: &mut Payments,
    order_id: OrderId,
    payment: Payment,
    transition: Transition,
    now: Timestamp,
    turn: &mut Turn<Effect>,
) {
    let Transition::Changed(events) = transition else { return };
    let first = payment.version + 1 - events.len() as u32;
    for (version, event) in (first..).zip(events) {
        turn.after_commit(Effect::Said(outcome(&event)));
        let (store, event) = (payment.store.clone(), Event::Payment(event));
        turn.announce(Announcement { order_id, store, version, at: now, event });
    }
    let before = tables.payments.get(&order_id);
    if payment.problem() != before.and_then(Payment::problem)
        && let Some(problem) = payment.problem()
    {
        turn.after_commit(Effect::Alarm(Box::new((order_id, problem.to_owned()))));
    }
    let asks_now = asks(order_id, before, &payment);
    if asks_now.is_empty() && payment.next_task().is_some_and(|(at, ..)| at <= now) {
        turn.after_commit(Effect::Wake);
    }
    for effect in asks_now {
        turn.after_commit(effect);
    }
    tables.payments.put(order_id, payment);
}

/// What has just been opened: it is asked once, by whoever opened it.
fn asks(order_id: OrderId, before: Option<&Payment>, payment: &Payment) -> Vec<Effect> {
    let Some(order) = &payment.order else { return Vec::new() };
    let vendor = &order.placed.payment.vendor;
    let charge = |attempt: &Attempt| {
        Effect::Ask(Box::new(Ask {
            order_id,
            attempt: attempt.number,
            vendor: vendor.clone(),
            token: order.placed.payment.token.clone().unwrap_or_default(),
            amount: order.placed.total,
            currency: order.currency(),
            latest_at: order.latest_ask(),
            traceparent: payment.traceparent.clone(),
        }))
    };
    let refund = |refund: &Refund| {
        Effect::Refund(Box::new(AskRefund {
            order_id,
            number: refund.number,
            vendor: vendor.clone(),
            key: refund.key(order_id),
            charge_id: payment.charge_id_of(refund.attempt),
            amount: refund.amount,
            traceparent: payment.traceparent.clone(),
        }))
    };
    let (attempts_before, refunds_before) =
        before.map_or((&[][..], &[][..]), |before| (&before.attempts[..], &before.refunds[..]));
    let attempts = payment
        .attempts
        .iter()
        .filter(|attempt| attempt.state == AttemptState::Asking && !attempts_before.contains(attempt));
    let refunds = payment
        .refunds
        .iter()
        .filter(|refund| refund.state == RefundState::Asking && !refunds_before.contains(refund));
    attempts.map(charge).chain(refunds.map(refund)).collect()
}

fn outcome(event: &PaymentEvent) -> &'static str {
    match event {
        PaymentEvent::Approved(_) => "approved",
        PaymentEvent::Declined(_) => "declined",
        PaymentEvent::Expired(_) => "expired",
        PaymentEvent::Cancelled(_) => "cancelled",
        PaymentEvent::CancelRequested(_) => "cancel_requested",
        PaymentEvent::Refunded(_) => "refunded",
        PaymentEvent::RefundFailed(_) => "refund_failed",
    }
}

#[cfg(test)]
mod tests {
    use cafe_clock::{after, from_ms};

    use super::*;
    use crate::payment::agenda::Task;
    use crate::payment::attempt::Charge;
    use crate::payment::histories::world::{ORDER, order};
    use crate::payment::refund::NotMade;

    /// Paid, and with a refund that was still to be asked for when the copy was made.
    fn with_a_refund_due(now: Timestamp) -> Payment {
        let order = order(now, after(now, Duration::from_mins(10)));
        let charge = Charge {
            charge_id: "ch".to_owned(),
            order_id: ORDER,
            amount: order.placed.total,
            currency: order.currency(),
            at: now,
            refunds: Vec::new(),
        };
        let mut payment = Payment::default();
        payment.placed(order, true, None, now).unwrap();
        payment.begin(now).unwrap();
        let measured = Measured { now, silent_for: Duration::ZERO, draw: 0.0 };
        payment.answered(1, &ChargeAnswer::Approved(charge), measured).unwrap();
        let nothing = NotMade { version: 1, lines: Vec::new(), reason: "no milk".to_owned() };
        payment.not_made(nothing, now).unwrap();
        payment
    }

    /// The simulation found a worker that was told for ever to ask for a refund that every turn wanted looked up first.
    #[test]
    fn a_refund_that_was_due_in_a_restored_copy_is_looked_up_by_whoever_reads_its_row_next() {
        let now = from_ms(1_800_000_000_000);
        let cashier = Cashier { gate: Arc::default(), restored_at: Some(after(now, Duration::from_mins(1))) };
        let mut tables = Payments::default();
        tables.payments.fill(ORDER, Some(with_a_refund_due(now)));
        let begin = Request { order_id: ORDER, what: What::BeginRefund(1), traceparent: None };
        let later = after(now, Duration::from_mins(2));
        assert_eq!(cashier.decide(&mut tables, &begin, later, &mut Turn::new()), Ok(Done::Already));
        let (_, written) = tables.payments.changed().next().expect("its row is written");
        assert!(
            matches!(written.next_task(), Some((_, _, Task::LookUpRefund(1)))),
            "{:?}",
            written.next_task()
        );
    }
}
