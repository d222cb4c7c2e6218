//! Asking vendors for charges and refunds that are on disk.

use std::sync::Arc;
use std::time::Duration;

use cafe_events::OrderId;
use cafe_trace::Step;
use metrics::histogram;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::{ASK_SLOTS, Inbox, REFUND_SLOTS, Worker};
use crate::domain::{Ask, AskRefund, Silence, What};
use crate::payment::attempt::{Attempt, ChargeAnswer};
use crate::payment::refund::RefundAnswer;
use crate::vendor::{ChargeRequest, READ_TIMEOUT, RefundRequest, Vendor};

pub(super) fn start(worker: &Worker, inbox: Inbox) {
    worker.spawn(charges(worker.clone(), inbox.asks));
    worker.spawn(refunds(worker.clone(), inbox.refunds));
}

async fn charges(worker: Worker, mut asks: mpsc::Receiver<Box<Ask>>) {
    let slots = Arc::new(Semaphore::new(ASK_SLOTS));
    while let Some(Some(ask)) = worker.unless_stopped(asks.recv()).await {
        let Some(Ok(slot)) = worker.unless_stopped(Arc::clone(&slots).acquire_owned()).await else { return };
        worker.gate.leaves();
        let asker = worker.clone();
        worker.spawn(async move { asker.charge(*ask, slot).await });
    }
}

async fn refunds(worker: Worker, mut asks: mpsc::Receiver<Box<AskRefund>>) {
    let slots = Arc::new(Semaphore::new(REFUND_SLOTS));
    while let Some(Some(ask)) = worker.unless_stopped(asks.recv()).await {
        let Some(Ok(slot)) = worker.unless_stopped(Arc::clone(&slots).acquire_owned()).await else { return };
        let asker = worker.clone();
        worker.spawn(async move { asker.refund(*ask, slot).await });
    }
}

impl Worker {
    async fn charge(&self, mut ask: Ask, slot: OwnedSemaphorePermit) {
        let Ask { order_id, attempt, .. } = ask;
        let key = Attempt::key(order_id, attempt);
        let (step, traceparent) = Step::vendor("charge", &ask.vendor, ask.traceparent.take());
        ask.traceparent.clone_from(&traceparent);
        let sent_at = self.timer.elapsed();
        let answer = self.ask_vendor(ask, &key).await;
        step.answered(charge_outcome(&answer), matches!(answer, ChargeAnswer::Unclear { .. }));
        drop((step, slot));
        let silence = self.silence_since(sent_at);
        if matches!(answer, ChargeAnswer::Unclear { .. }) {
            self.memory.unanswered(key, self.timer.elapsed().saturating_sub(silence.lasted));
        }
        Self::tell(order_id, attempt, &answer);
        self.report(order_id, What::Answered(attempt, answer, silence), traceparent).await;
        self.memory.leave(order_id);
    }

    /// Checks once more, right before sending, that it is not too late and that the vendor is not failing.
    async fn ask_vendor(&self, ask: Ask, key: &str) -> ChargeAnswer {
        let not_sent = |detail: &str| ChargeAnswer::NotSent { detail: detail.to_owned() };
        let Some(vendor) = self.vendors.named(&ask.vendor) else { return not_sent("no such vendor") };
        if self.gate.is_stopping() {
            return not_sent("the service is stopping");
        }
        if !self.desk.is_leading() {
            return not_sent("another process may have taken over");
        }
        if self.timer.now() > ask.latest_at {
            return not_sent("too late");
        }
        let sent_at = self.timer.elapsed();
        let Some(pass) = self.gate.admit(sent_at) else { return not_sent("the breaker is open") };
        let request = ChargeRequest {
            key: key.to_owned(),
            order_id: ask.order_id,
            amount: ask.amount,
            currency: ask.currency,
            token: ask.token,
            traceparent: ask.traceparent,
        };
        let answer = self.timer.within(READ_TIMEOUT, vendor.charge(request)).await;
        let answer = answer
            .unwrap_or(ChargeAnswer::Unclear { arrived: false, detail: "no answer in time".to_owned() });
        let now = self.timer.elapsed();
        let answered = !matches!(answer, ChargeAnswer::Unclear { .. } | ChargeAnswer::NotSent { .. });
        self.gate.record(pass, answered, now, self.ids.fraction());
        record("charge", charge_outcome(&answer), now.saturating_sub(sent_at));
        answer
    }

    async fn refund(&self, ask: AskRefund, slot: OwnedSemaphorePermit) {
        let AskRefund { order_id, number, key, charge_id, amount, .. } = ask;
        let (step, traceparent) = Step::vendor("refund", &ask.vendor, ask.traceparent);
        let request = RefundRequest { key: key.clone(), charge_id, amount, traceparent: traceparent.clone() };
        let sent_at = self.timer.elapsed();
        let answer = match self.vendors.named(&ask.vendor) {
            Some(vendor) => self.ask_refund(vendor, request).await,
            None => RefundAnswer::Refused { reason: "unknown_vendor".to_owned() },
        };
        step.answered(refund_outcome(&answer), matches!(answer, RefundAnswer::Unclear { .. }));
        drop((step, slot));
        let silence = self.silence_since(sent_at);
        match &answer {
            RefundAnswer::Unclear { detail, .. } => {
                self.memory.unanswered(key, self.timer.elapsed().saturating_sub(silence.lasted));
                tracing::warn!(%order_id, number, detail, "a refund is unknown; it is looked up until settled");
            }
            RefundAnswer::Refused { reason } => {
                tracing::error!(%order_id, number, reason, "the vendor refuses a refund; a person must see to it");
            }
            _ => {}
        }
        self.report(order_id, What::RefundAnswered(number, answer, silence), traceparent).await;
        self.memory.leave(order_id);
    }

    async fn ask_refund(&self, vendor: &Vendor, request: RefundRequest) -> RefundAnswer {
        if !self.desk.is_leading() {
            let detail = "another process may have taken over".to_owned();
            return RefundAnswer::Unclear { arrived: false, detail };
        }
        let sent_at = self.timer.elapsed();
        let answer = self.timer.within(READ_TIMEOUT, vendor.refund(request)).await;
        let answer = answer
            .unwrap_or(RefundAnswer::Unclear { arrived: false, detail: "no answer in time".to_owned() });
        record("refund", refund_outcome(&answer), self.timer.elapsed().saturating_sub(sent_at));
        answer
    }

    /// A process that was frozen just before it sent sends when it goes on, and then waits its full time: nothing was sent
    /// longer ago than that.
    fn silence_since(&self, sent_at: Duration) -> Silence {
        let lasted = self.timer.elapsed().saturating_sub(sent_at).min(READ_TIMEOUT);
        Silence { lasted, draw: self.ids.fraction() }
    }

    fn tell(order_id: OrderId, attempt: u32, answer: &ChargeAnswer) {
        match answer {
            ChargeAnswer::Unclear { arrived, detail } => {
                tracing::warn!(%order_id, attempt, arrived, detail, "a charge is unknown; it is looked up until settled");
            }
            ChargeAnswer::NotSent { detail } => {
                tracing::info!(%order_id, attempt, detail, "the vendor was not asked");
            }
            ChargeAnswer::Approved(_) | ChargeAnswer::Declined { .. } => {}
        }
    }
}

pub(super) fn record(call: &'static str, outcome: &'static str, took: Duration) {
    histogram!("cafe_vendor_seconds", "call" => call, "outcome" => outcome).record(took.as_secs_f64());
}

fn charge_outcome(answer: &ChargeAnswer) -> &'static str {
    match answer {
        ChargeAnswer::Approved(_) => "approved",
        ChargeAnswer::Declined { .. } => "declined",
        ChargeAnswer::Unclear { .. } => "unclear",
        ChargeAnswer::NotSent { .. } => "not_sent",
    }
}

pub(super) fn refund_outcome(answer: &RefundAnswer) -> &'static str {
    match answer {
        RefundAnswer::Done { .. } => "done",
        RefundAnswer::Refused { .. } => "refused",
        RefundAnswer::NotFound => "not_found",
        RefundAnswer::Unclear { .. } => "unclear",
    }
}
