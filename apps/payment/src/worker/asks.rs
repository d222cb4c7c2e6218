//! Asking vendors for charges and refunds that are on disk.

use std::sync::Arc;
use std::time::Duration;

use cafe_events::OrderId;
use cafe_trace::Step;
use metrics::histogram;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::{ASK_SLOTS, Inbox, REFUND_SLOTS, Till, Worker};
use crate::domain::{Ask, AskRefund};
use crate::payment::attempt::ChargeAnswer;
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
        worker.till.gate.leaves();
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
        let (step, traceparent) = Step::vendor("charge", &ask.vendor, ask.traceparent.take());
        ask.traceparent.clone_from(&traceparent);
        let began = self.till.timer.elapsed();
        let answer = self.ask_vendor(ask).await;
        step.answered(charge_outcome(&answer), matches!(answer, ChargeAnswer::Unclear { .. }));
        drop((step, slot));
        Self::tell(order_id, attempt, &answer);
        let what = self.till.charge_report(order_id, attempt, answer, began);
        self.report(order_id, what, traceparent).await;
        self.till.memory.leave(order_id);
    }

    async fn ask_vendor(&self, ask: Ask) -> ChargeAnswer {
        let Some(vendor) = self.vendors.named(&ask.vendor) else {
            return ChargeAnswer::NotSent { detail: "no such vendor".to_owned() };
        };
        let charging = match self.till.may_charge(&ask, self.desk.is_leading()) {
            Ok(charging) => charging,
            Err(not_sent) => return not_sent,
        };
        let sent_at = self.till.timer.elapsed();
        let answer = self.till.timer.within(READ_TIMEOUT, vendor.charge(ChargeRequest::of(ask))).await;
        let answer = self.till.charge_answered(charging, answer);
        record("charge", charge_outcome(&answer), self.till.timer.elapsed().saturating_sub(sent_at));
        answer
    }

    async fn refund(&self, ask: AskRefund, slot: OwnedSemaphorePermit) {
        let AskRefund { order_id, number, key, charge_id, amount, .. } = ask;
        let (step, traceparent) = Step::vendor("refund", &ask.vendor, ask.traceparent);
        let request = RefundRequest { key: key.clone(), charge_id, amount, traceparent: traceparent.clone() };
        let began = self.till.timer.elapsed();
        let answer = match self.vendors.named(&ask.vendor) {
            Some(vendor) => self.ask_refund(vendor, request).await,
            None => RefundAnswer::Refused { reason: "unknown_vendor".to_owned() },
        };
        step.answered(refund_outcome(&answer), matches!(answer, RefundAnswer::Unclear { .. }));
        drop((step, slot));
        match &answer {
            RefundAnswer::Unclear { detail, .. } => {
                tracing::warn!(%order_id, number, detail, "a refund is unknown; it is looked up until settled");
            }
            RefundAnswer::Refused { reason } => {
                tracing::error!(%order_id, number, reason, "the vendor refuses a refund; a person must see to it");
            }
            _ => {}
        }
        let what = self.till.refund_report(number, key, answer, began);
        self.report(order_id, what, traceparent).await;
        self.till.memory.leave(order_id);
    }

    async fn ask_refund(&self, vendor: &Vendor, request: RefundRequest) -> RefundAnswer {
        if let Err(not_asked) = Till::may_refund(self.desk.is_leading()) {
            return not_asked;
        }
        let sent_at = self.till.timer.elapsed();
        let answer = self.till.timer.within(READ_TIMEOUT, vendor.refund(request)).await;
        let answer = Till::refund_answered(answer);
        record("refund", refund_outcome(&answer), self.till.timer.elapsed().saturating_sub(sent_at));
        answer
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
