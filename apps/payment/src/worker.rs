//! What takes time: asking vendors, looking up, giving back. Everything it does is found in the rows; a turn's effects only
//! make it faster. A vendor is never asked inside a turn, and no attempt is asked twice: whatever this process has not
//! itself asked is looked up.

mod asks;
pub mod breaker;
#[cfg(test)]
mod cases;
pub mod gate;
mod lanes;
pub mod memory;
pub mod scout;
pub mod till;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use cafe_clock::Ids;
use cafe_delivery::Desk;
use cafe_events::OrderId;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::domain::{Ask, AskRefund, Cashier, Effect, Request, What};
use crate::timer::Timer;
use crate::vendor::Vendors;
use gate::Gate;
use memory::Memory;
use scout::Bells;
use till::{Reported, Till};

/// Charges that are asked for at a time.
pub const ASK_SLOTS: usize = 256;
/// Refunds that are asked for at a time.
pub const REFUND_SLOTS: usize = 32;
/// Look-ups at a time, apart from asking, so that they go on when every ask hangs.
pub const LOOK_SLOTS: usize = 32;
/// Look-ups of closed attempts at a time.
pub const FOLLOW_SLOTS: usize = 8;
/// Effects that may wait for the worker: a whole turn's, and what the gate and [`REFUNDS_WAITING`] let wait before it. One that
/// found no room nevertheless would be found again from its row.
const MAILBOX: usize = 4_096;
/// Refunds that may wait for one of the [`REFUND_SLOTS`]. Past it they wait in the database.
const REFUNDS_WAITING: usize = 256;
/// Pause before a report is handed in again when the service is too busy or its disk is full.
const REPORT_AGAIN: Duration = Duration::from_millis(100);

/// Takes the effects of turns; made before the service's desk, which calls it.
#[derive(Clone)]
pub struct Mailbox {
    asks: mpsc::Sender<Box<Ask>>,
    refunds: mpsc::Sender<Box<AskRefund>>,
    wake: Arc<Notify>,
    gate: Arc<Gate>,
    memory: Memory,
}

/// The other end of a [`Mailbox`].
pub struct Inbox {
    asks: mpsc::Receiver<Box<Ask>>,
    refunds: mpsc::Receiver<Box<AskRefund>>,
}

/// What every task of the worker shares.
#[derive(Clone)]
struct Worker {
    desk: Desk<Cashier>,
    vendors: Vendors,
    till: Till,
    refunds: mpsc::Sender<Box<AskRefund>>,
    wake: Arc<Notify>,
    bells: Bells,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// A place for effects, and where they come out.
pub fn mailbox(gate: Arc<Gate>) -> (Mailbox, Inbox) {
    let (asks, asks_waiting) = mpsc::channel(MAILBOX);
    let (refunds, refunds_waiting) = mpsc::channel(MAILBOX);
    let mailbox = Mailbox { asks, refunds, wake: Arc::default(), gate, memory: Memory::default() };
    (mailbox, Inbox { asks: asks_waiting, refunds: refunds_waiting })
}

impl Inbox {
    /// A charge to ask for, if one waits.
    pub fn next_charge(&mut self) -> Option<Box<Ask>> {
        self.asks.try_recv().ok()
    }

    /// A refund to ask for, if one waits.
    pub fn next_refund(&mut self) -> Option<Box<AskRefund>> {
        self.refunds.try_recv().ok()
    }
}

impl Mailbox {
    /// What this process remembers of the calls that it takes.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Takes an effect without waiting.
    pub fn take(&self, effect: Effect) {
        match effect {
            Effect::Ask(ask) => self.take_ask(ask),
            Effect::Refund(refund) => {
                let order_id = refund.order_id;
                self.memory.enter_to_ask(order_id);
                if self.refunds.try_send(refund).is_err() {
                    self.memory.leave(order_id);
                }
            }
            Effect::Wake => self.wake.notify_one(),
            Effect::Said(outcome) => {
                metrics::counter!("cafe_payments_total", "outcome" => outcome).increment(1);
            }
            Effect::Alarm(alarm) => {
                let (order_id, problem) = *alarm;
                metrics::counter!("cafe_vendor_contradictions_total").increment(1);
                tracing::error!(%order_id, problem, "the vendor claims a charge that was not asked for; a person must look at it");
            }
        }
    }

    fn take_ask(&self, ask: Box<Ask>) {
        let order_id = ask.order_id;
        self.gate.joins();
        self.memory.enter_to_ask(order_id);
        if self.asks.try_send(ask).is_err() {
            self.gate.leaves();
            self.memory.leave(order_id);
        }
    }
}

/// Starts the worker's tasks. They take nothing new once `stop` is cancelled; what they were doing then is waited for by
/// `tasks`.
#[expect(clippy::too_many_arguments, reason = "each is another part of the service, put together here")]
pub fn start(
    desk: Desk<Cashier>,
    vendors: Vendors,
    timer: Timer,
    ids: Ids,
    mailbox: &Mailbox,
    inbox: Inbox,
    stop: CancellationToken,
    tasks: TaskTracker,
) {
    let worker = Worker {
        desk,
        vendors,
        till: Till { gate: Arc::clone(&mailbox.gate), memory: mailbox.memory.clone(), timer, ids },
        refunds: mailbox.refunds.clone(),
        wake: Arc::clone(&mailbox.wake),
        bells: Bells::default(),
        stop,
        tasks,
    };
    asks::start(&worker, inbox);
    lanes::start(&worker);
    scout::start(&worker);
    watch::start(&worker);
}

impl Worker {
    /// Hands in what was found out, until it is on disk or this process ends; the next one looks it up.
    async fn report(&self, order_id: OrderId, what: What, traceparent: Option<String>) {
        loop {
            let request = Request { order_id, what: what.clone(), traceparent: None };
            let outcome = self.desk.ask(request, traceparent.clone()).await;
            match Reported::of(&outcome) {
                Reported::Done => return,
                Reported::Again => tokio::time::sleep(REPORT_AGAIN).await,
                Reported::Lost => {
                    tracing::error!(%order_id, ?outcome, "a report does not fit the payment, or could not be stored");
                    return;
                }
            }
        }
    }

    fn has_room_for_refunds(&self) -> bool {
        self.refunds.max_capacity() - self.refunds.capacity() < REFUNDS_WAITING
    }

    /// Spawns a task that is waited for at the end.
    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(work);
    }

    /// Runs `work` until this process is to stop.
    async fn unless_stopped<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.stop.run_until_cancelled(work).await
    }
}
