//! Doing what is due: each lane has a task and slots of its own, woken by the scout.

use std::sync::Arc;
use std::time::Duration;

use cafe_delivery::TurnError;
use cafe_events::OrderId;
use cafe_trace::Step;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::asks::{record, refund_outcome};
use super::till::{Job, LookUp, LookUpRefund};
use super::{FOLLOW_SLOTS, LOOK_SLOTS, REFUND_SLOTS, Worker};
use crate::domain::{Request, What};
use crate::payment::Payment;
use crate::payment::agenda::Lane;
use crate::payment::attempt::Finding;
use crate::store;
use crate::vendor::{LookUpRequest, READ_TIMEOUT, Vendor};

/// How soon charges or refunds that are under way make room, in real time.
const ROOM_SOON: Duration = Duration::from_millis(2);
/// Orders that are begun, or expire, in one go.
const BATCH: usize = 256;
/// Rows that are looked at beyond those somebody is already busy with.
const MARGIN: usize = 1_024;
/// Orders that a start, or a clock that was set back, looks at in one go; the rest come when they are due.
const SWEEP: usize = 10_000;

pub(super) fn start(worker: &Worker) {
    worker.spawn(begin_due(worker.clone()));
    worker.spawn(expire_due(worker.clone()));
    for (lane, slots) in [
        (Lane::Look, LOOK_SLOTS),
        (Lane::Asked, LOOK_SLOTS),
        (Lane::Follow, FOLLOW_SLOTS),
        (Lane::Refund, REFUND_SLOTS),
    ] {
        worker.spawn(work_lane(worker.clone(), lane, slots));
    }
}

/// Opens attempts for orders that found no room when they were heard.
async fn begin_due(worker: Worker) {
    while !worker.stop.is_cancelled() {
        let now = worker.till.timer.elapsed();
        let room = worker.till.gate.room(now).min(BATCH);
        if room == 0 && worker.till.gate.is_full(now) {
            tokio::time::sleep(ROOM_SOON).await;
            continue;
        }
        let due = if room > 0 { worker.due(Lane::Ask, room).await } else { Vec::new() };
        worker.till.gate.set_backlog(room > 0 && due.len() == room);
        // Opening an attempt announces nothing that would pass a trace on.
        let due = due.into_iter().map(|order_id| (order_id, None)).collect();
        if worker.hand_in_all(due, &What::Begin).await == 0 {
            worker.unless_stopped(worker.bells.lane(Lane::Ask).rung()).await;
        }
    }
}

async fn expire_due(worker: Worker) {
    while !worker.stop.is_cancelled() {
        let now = worker.till.timer.now();
        let due = worker.search(move |db| store::expiring(db, now, BATCH)).await;
        let due = due.into_iter().map(|(order_id, payment)| (order_id, payment.traceparent)).collect();
        if worker.hand_in_all(due, &What::Expire).await == 0 {
            worker.unless_stopped(worker.bells.expiring.rung()).await;
        }
    }
}

/// Looks up, or asks for refunds, as many at a time as there are slots.
async fn work_lane(worker: Worker, lane: Lane, slots: usize) {
    let free = Arc::new(Semaphore::new(slots));
    let next_slot = || worker.unless_stopped(Arc::clone(&free).acquire_owned());
    // A slot is there before anything is searched for.
    let Some(Ok(mut slot)) = next_slot().await else { return };
    while !worker.stop.is_cancelled() {
        let mut started = 0;
        for order_id in worker.due(lane, slots).await {
            while lane == Lane::Refund && !worker.has_room_for_refunds() && !worker.stop.is_cancelled() {
                tokio::time::sleep(ROOM_SOON).await;
            }
            if !worker.till.memory.enter(order_id) {
                continue;
            }
            let runner = worker.clone();
            worker.spawn(async move { runner.work(order_id, slot).await });
            started += 1;
            let Some(Ok(next)) = next_slot().await else { return };
            slot = next;
        }
        if started == 0 {
            worker.unless_stopped(worker.bells.lane(lane).rung()).await;
        }
    }
}

impl Worker {
    /// What a lane has to do: at start, and after the wall clock was set back, everything in it; otherwise what is due.
    async fn due(&self, lane: Lane, limit: usize) -> Vec<OrderId> {
        if self.bells.lane(lane).takes_all() {
            return self.search(move |db| store::in_lane(db, lane, SWEEP)).await;
        }
        let now = self.till.timer.now();
        let due = self.search(move |db| store::due(db, lane, now, limit + MARGIN)).await;
        self.till.not_busy(due, limit)
    }

    /// Does the next thing about a payment that somebody found in a lane.
    async fn work(&self, order_id: OrderId, slot: OwnedSemaphorePermit) {
        let found = self.search(move |db| Ok(store::payment(db, order_id)?.into_iter().collect())).await;
        let hands_over = match found.first() {
            Some(payment) => self.perform(order_id, payment).await,
            None => false,
        };
        drop(slot);
        if !hands_over {
            self.till.memory.leave(order_id);
        }
    }

    /// True if the order stays busy, because somebody else goes on with it.
    async fn perform(&self, order_id: OrderId, payment: &Payment) -> bool {
        let Some(vendor) =
            payment.order.as_ref().and_then(|order| self.vendor_of(&order.placed.payment.vendor))
        else {
            return false;
        };
        let traceparent = payment.traceparent.clone();
        let (lane, job) = self.till.job(order_id, payment);
        if lane == Some(Lane::Asked) {
            match self.is_being_asked(order_id).await {
                Ok(false) => {}
                Ok(true) => return true,
                // It is found again.
                Err(_) => return self.till.memory.leave_unless_asking(order_id),
            }
        }
        match job {
            Job::Nothing => {}
            Job::LookUp(look_up) => self.look_up(order_id, look_up, vendor, traceparent).await,
            Job::LookUpRefund(look_up) => self.look_up_refund(order_id, look_up, vendor, traceparent).await,
            Job::BeginRefund(number) => {
                // The turn's effect takes the order over.
                self.till.memory.leave(order_id);
                self.report(order_id, What::BeginRefund(number), traceparent).await;
                return true;
            }
        }
        false
    }

    /// True if what seems lost was opened by a turn whose effects were not yet run when its row was read. Another request's
    /// answer comes after them.
    async fn is_being_asked(&self, order_id: OrderId) -> Result<bool, TurnError> {
        let nothing = Request { order_id, what: What::Notified(0), traceparent: None };
        let _ = self.desk.ask(nothing, None).await?;
        Ok(self.till.memory.is_asking(order_id))
    }

    async fn look_up(
        &self,
        order_id: OrderId,
        mut look_up: LookUp,
        vendor: &Vendor,
        traceparent: Option<String>,
    ) {
        let mut found_by = None;
        while let Some(key) = look_up.next_key() {
            found_by = self.look_under(order_id, key, &mut look_up, vendor, traceparent.clone()).await;
        }
        self.report(order_id, look_up.report(), found_by.or(traceparent)).await;
    }

    /// Answers the trace context of the call.
    async fn look_under(
        &self,
        order_id: OrderId,
        key: String,
        look_up: &mut LookUp,
        vendor: &Vendor,
        traceparent: Option<String>,
    ) -> Option<String> {
        let (step, traceparent) = Step::vendor("look_up", vendor.name(), traceparent);
        let request = LookUpRequest { key, traceparent: traceparent.clone() };
        let started = self.till.timer.elapsed();
        look_up.found(self.till.timer.within(READ_TIMEOUT, vendor.look_up(request)).await, &self.till.memory);
        let (finding, attempt) = (look_up.finding(), look_up.under());
        let outcome = match finding {
            Finding::Found(_) => "found",
            Finding::Declined { .. } => "declined",
            Finding::NotFound => "not_found",
            Finding::Unclear { .. } => "unclear",
        };
        step.answered(outcome, matches!(finding, Finding::Unclear { .. }));
        record("look_up", outcome, self.till.timer.elapsed().saturating_sub(started));
        tracing::debug!(%order_id, attempt, outcome, "looked up a charge");
        if matches!(finding, Finding::Found(_) | Finding::Declined { .. }) {
            tracing::info!(%order_id, attempt, outcome, "a charge that was unknown is settled");
        }
        traceparent
    }

    async fn look_up_refund(
        &self,
        order_id: OrderId,
        look_up: LookUpRefund,
        vendor: &Vendor,
        traceparent: Option<String>,
    ) {
        let (step, traceparent) = Step::vendor("look_up_refund", vendor.name(), traceparent);
        let request = LookUpRequest { key: look_up.key.clone(), traceparent: traceparent.clone() };
        let started = self.till.timer.elapsed();
        let answer = self.till.timer.within(READ_TIMEOUT, vendor.look_up_refund(request)).await;
        let outcome = answer.as_ref().map_or("unclear", refund_outcome);
        step.answered(outcome, outcome == "unclear");
        drop(step);
        record("look_up_refund", outcome, self.till.timer.elapsed().saturating_sub(started));
        tracing::debug!(%order_id, refund = look_up.number, outcome, "looked up a refund");
        self.report(order_id, look_up.report(answer, &self.till.memory), traceparent).await;
    }

    fn vendor_of(&self, name: &str) -> Option<&Vendor> {
        self.vendors.named(name)
    }

    /// Asks the same of all orders, so that they share a turn; answers how many there were.
    async fn hand_in_all(&self, orders: Vec<(OrderId, Option<String>)>, what: &What) -> usize {
        let hand_in = |(order_id, traceparent)| {
            let desk = self.desk.clone();
            let request = Request { order_id, what: what.clone(), traceparent: None };
            tokio::spawn(async move { desk.ask(request, traceparent).await })
        };
        let asked: Vec<_> = orders.into_iter().map(hand_in).collect();
        let mut done = 0;
        for asked in asked {
            match asked.await {
                Ok(Ok(_)) => done += 1,
                Ok(Err(error)) => tracing::debug!(%error, "tried again at the next tick"),
                Err(error) => tracing::error!(%error, "a request ended early"),
            }
        }
        done
    }

    pub(super) async fn search<T: Send + 'static>(
        &self,
        search: impl FnOnce(&mut cafe_store::Connection) -> Result<Vec<T>, cafe_store::Error> + Send + 'static,
    ) -> Vec<T> {
        match self.desk.readers().read(search).await {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(%error, "what is due cannot be read at the moment");
                Vec::new()
            }
        }
    }
}
