//! The payment worker's bench: what one process does outside of its turns, a step at a time. What is decided is the worker's own
//! code; here it is only put in some order.

use std::sync::Arc;
use std::time::Duration;

use cafe_clock::{Clock, Ids};
use cafe_delivery::TurnError;
use cafe_events::OrderId;
use cafe_payment::domain::{Ask, AskRefund, Cashier, Done, Request, What};
use cafe_payment::payment::Payment;
use cafe_payment::payment::Refusal;
use cafe_payment::payment::agenda::Lane;
use cafe_payment::payment::attempt::ChargeAnswer;
use cafe_payment::timer::Timer;
use cafe_payment::vendor::{ChargeRequest, READ_TIMEOUT, RefundRequest};
use cafe_payment::worker::gate::Gate;
use cafe_payment::worker::scout::{Bells, Scout};
use cafe_payment::worker::till::{Charging, Job, LookUp, LookUpRefund, Reported, Till};
use cafe_payment::worker::{Inbox, mailbox};
use tokio::sync::oneshot::error::TryRecvError;

use crate::bugs::Bug;
use crate::process::Answer;
use crate::service::OnCommit;
use crate::shelf::PaymentShelf;
use crate::vendor::{Asked, Said, Vendor};

/// What one process of the payment service does outside of its turns.
pub struct Bench {
    inbox: Inbox,
    till: Till,
    bells: Bells,
    scout: Scout,
    tasks: Vec<Task>,
    bug: Option<Bug>,
}

/// Something that is being done about an order.
pub struct Task {
    order_id: OrderId,
    stage: Stage,
}

enum Stage {
    /// A charge is to be asked for.
    Charge(Box<Ask>),
    /// A refund is.
    Refund(Box<AskRefund>),
    /// The vendor is called: for what, since when, and the call's number.
    Calling(Calling, Duration, u32),
    /// Found in a lane: its row is to be read.
    Found,
    /// Found where it seems that somebody asked and died: whether nobody does.
    IsAsked(Answer<Cashier>, Box<Job>),
    /// The next key is to be looked under.
    LookUp(LookUp),
    /// What was found out is to be handed in, and whether the order is free then.
    Report(What, bool),
    Reporting(What, bool, Answer<Cashier>),
}

enum Calling {
    Charge { attempt: u32, charging: Charging },
    Refund { number: u32, key: String },
    LookUp(LookUp),
    LookUpRefund(LookUpRefund),
}

/// What a bench needs of the world for one step.
pub struct Around<'a> {
    /// The vendor.
    pub vendor: &'a mut Vendor,
    /// The service's rows, as they are on disk.
    pub rows: &'a PaymentShelf,
    /// Hands in a request.
    pub ask: &'a dyn Fn(Request) -> Result<Answer<Cashier>, TurnError>,
    /// Whether nobody else can lead.
    pub is_leading: bool,
    /// Since the beginning of the world.
    pub now: Duration,
}

impl Bench {
    /// For a new process, with what takes the effects of its turns and the gate that its turns look at.
    pub fn new(clock: &Clock, seed: u64, bug: Option<Bug>) -> (Self, Arc<Gate>, OnCommit<Cashier>) {
        let gate = Arc::new(Gate::default());
        let (mailbox, inbox) = mailbox(Arc::clone(&gate));
        let timer = Timer::new(clock.clone());
        let till = Till {
            gate: Arc::clone(&gate),
            memory: mailbox.memory().clone(),
            timer: timer.clone(),
            ids: Ids::seeded(seed),
        };
        let scout = Scout::new(&timer);
        let bench = Self { inbox, till, bells: Bells::default(), scout, tasks: Vec::new(), bug };
        (bench, gate, Box::new(move |effect| mailbox.take(effect)))
    }

    /// What this process did not ask itself was asked before it began to lead: time is measured from now on, as the worker begins
    /// to measure when it begins to work.
    pub fn begins_to_lead(&mut self, clock: &Clock) {
        if self.bug != Some(Bug::SilenceSinceStart) {
            self.till.timer = Timer::new(clock.clone());
            self.scout = Scout::new(&self.till.timer);
        }
    }

    /// How many things are being done.
    pub fn tasks(&self) -> usize {
        self.tasks.len()
    }

    /// Looks at the clocks.
    pub fn look_at_clocks(&mut self) {
        self.scout.look(&self.till.timer, &self.bells);
    }

    /// Takes up what the last turns have opened; answers how many there were.
    pub fn take_up(&mut self) -> usize {
        let before = self.tasks.len();
        while let Some(ask) = self.inbox.next_charge() {
            self.till.gate.leaves();
            self.tasks.push(Task { order_id: ask.order_id, stage: Stage::Charge(ask) });
        }
        while let Some(ask) = self.inbox.next_refund() {
            self.tasks.push(Task { order_id: ask.order_id, stage: Stage::Refund(ask) });
        }
        self.tasks.len() - before
    }

    /// Opens attempts for orders that found no room when they were heard.
    pub fn begin_due(&mut self, limit: usize, around: &mut Around<'_>) -> usize {
        let room = self.till.gate.room(self.till.timer.elapsed()).min(limit);
        let due = match room {
            0 => Vec::new(),
            _ if self.bells.lane(Lane::Ask).takes_all() => in_lane(around.rows, Lane::Ask),
            room => due(around.rows, Some(Lane::Ask), &self.till, room),
        };
        self.till.gate.set_backlog(room > 0 && due.len() == room);
        hand_in_all(&due, &What::Begin, around)
    }

    /// Has orders expire that were not paid in time.
    pub fn expire_due(&mut self, limit: usize, around: &mut Around<'_>) -> usize {
        let due = due(around.rows, None, &self.till, limit);
        hand_in_all(&due, &What::Expire, around)
    }

    /// Takes up what a lane has to do; answers how many there were.
    pub fn work_lane(&mut self, lane: Lane, limit: usize, around: &mut Around<'_>) -> usize {
        let found = if self.bells.lane(lane).takes_all() {
            in_lane(around.rows, lane)
        } else {
            self.till.not_busy(due(around.rows, Some(lane), &self.till, usize::MAX), limit)
        };
        let mut taken = 0;
        for order_id in found {
            if self.till.memory.enter(order_id) {
                self.tasks.push(Task { order_id, stage: Stage::Found });
                taken += 1;
            }
        }
        taken
    }

    /// One step of one thing; true if it came further.
    pub fn step(&mut self, index: usize, around: &mut Around<'_>) -> bool {
        if index >= self.tasks.len() {
            return false;
        }
        let Task { order_id, stage } = self.tasks.remove(index);
        let (came_further, stage) = self.advance(order_id, stage, around);
        if let Some(stage) = stage {
            self.tasks.insert(index, Task { order_id, stage });
        }
        came_further
    }

    fn advance(&self, order_id: OrderId, stage: Stage, around: &mut Around<'_>) -> (bool, Option<Stage>) {
        match stage {
            Stage::Charge(ask) => (true, Some(self.charge(order_id, *ask, around))),
            Stage::Refund(ask) => (true, Some(self.refund(*ask, around))),
            Stage::Found => self.found(order_id, around),
            Stage::IsAsked(answered, job) => self.is_asked(order_id, answered, job, around),
            Stage::LookUp(look_up) => self.look_on(look_up, around),
            Stage::Report(what, frees) => {
                let request = Request { order_id, what: what.clone(), traceparent: None };
                match (around.ask)(request) {
                    Ok(answered) => (true, Some(Stage::Reporting(what, frees, answered))),
                    Err(error) => (false, self.after_report(order_id, what, frees, &Err(error))),
                }
            }
            Stage::Reporting(what, frees, mut answered) => match answered.try_recv() {
                Err(TryRecvError::Empty) => (false, Some(Stage::Reporting(what, frees, answered))),
                Err(TryRecvError::Closed) => {
                    (true, self.after_report(order_id, what, frees, &Err(TurnError::OutcomeUnknown)))
                }
                Ok(outcome) => (true, self.after_report(order_id, what, frees, &outcome)),
            },
            Stage::Calling(calling, began, call) => match self.heard(call, began, around) {
                None => (false, Some(Stage::Calling(calling, began, call))),
                Some(said) => (true, Some(self.answered(order_id, calling, began, said))),
            },
        }
    }

    fn charge(&self, order_id: OrderId, ask: Ask, around: &mut Around<'_>) -> Stage {
        let (attempt, began) = (ask.attempt, self.till.timer.elapsed());
        let charging = match self.till.may_charge(&ask, around.is_leading) {
            Ok(charging) => charging,
            Err(not_sent) => {
                return Stage::Report(self.till.charge_report(order_id, attempt, not_sent, began), true);
            }
        };
        let mut request = ChargeRequest::of(ask);
        if self.bug == Some(Bug::ChargeUnderNewKey) {
            request.key = format!("{}/{}", request.key, around.vendor.calls_made);
        }
        let call = around.vendor.call(Asked::Charge(Box::new(request)), around.now);
        Stage::Calling(Calling::Charge { attempt, charging }, began, call)
    }

    fn refund(&self, ask: AskRefund, around: &mut Around<'_>) -> Stage {
        let AskRefund { number, key, charge_id, amount, .. } = ask;
        let began = self.till.timer.elapsed();
        if let Err(not_asked) = Till::may_refund(around.is_leading) {
            return Stage::Report(self.till.refund_report(number, key, not_asked, began), true);
        }
        let mut request = RefundRequest { key: key.clone(), charge_id, amount, traceparent: None };
        if self.bug == Some(Bug::RefundUnderNewKey) {
            request.key = format!("{key}/{}", around.vendor.calls_made);
        }
        let call = around.vendor.call(Asked::Refund(request), around.now);
        Stage::Calling(Calling::Refund { number, key }, began, call)
    }

    /// What the vendor said, or that it was silent for too long; nothing while it is waited for.
    #[expect(
        clippy::option_option,
        reason = "the outer one is whether the wait is over, the inner what came of it"
    )]
    fn heard(&self, call: u32, began: Duration, around: &mut Around<'_>) -> Option<Option<Said>> {
        if let Some(said) = around.vendor.answer(call) {
            return Some(Some(said));
        }
        if self.till.timer.elapsed().saturating_sub(began) < READ_TIMEOUT {
            return None;
        }
        around.vendor.hang_up(call);
        Some(None)
    }

    fn answered(&self, order_id: OrderId, calling: Calling, began: Duration, said: Option<Said>) -> Stage {
        let till = &self.till;
        match (calling, said) {
            (Calling::Charge { attempt, charging }, said) => {
                let answer = match said {
                    Some(Said::Charge(answer)) => Some(answer),
                    _ => None,
                };
                let answer = till.charge_answered(charging, answer);
                Stage::Report(till.charge_report(order_id, attempt, answer, began), true)
            }
            (Calling::Refund { number, key }, said) => {
                let answer = match said {
                    Some(Said::Refund(answer)) => Some(answer),
                    _ => None,
                };
                Stage::Report(till.refund_report(number, key, Till::refund_answered(answer), began), true)
            }
            (Calling::LookUp(mut look_up), said) => {
                let finding = match said {
                    Some(Said::Finding(finding)) => Some(finding),
                    _ => None,
                };
                look_up.found(finding, &till.memory);
                Stage::LookUp(look_up)
            }
            (Calling::LookUpRefund(look_up), said) => {
                let answer = match said {
                    Some(Said::Refund(answer)) => Some(answer),
                    _ => None,
                };
                Stage::Report(look_up.report(answer, &till.memory), true)
            }
        }
    }

    fn is_asked(
        &self,
        order_id: OrderId,
        mut answered: Answer<Cashier>,
        job: Box<Job>,
        around: &mut Around<'_>,
    ) -> (bool, Option<Stage>) {
        match answered.try_recv() {
            Err(TryRecvError::Empty) => (false, Some(Stage::IsAsked(answered, job))),
            Ok(Ok(_)) if self.till.memory.is_asking(order_id) => (true, None),
            Ok(Ok(_)) if self.bug == Some(Bug::OrphanAskedAgain) => {
                let payment = around.rows.payments.get(&order_id);
                let number = payment.and_then(|it| it.open_attempt()).map(|it| it.number);
                let not_sent = ChargeAnswer::NotSent { detail: "whoever asked has died".to_owned() };
                let began = self.till.timer.elapsed();
                let report = self.till.charge_report(order_id, number.unwrap_or_default(), not_sent, began);
                (true, Some(Stage::Report(report, true)))
            }
            Ok(Ok(_)) => self.begin(order_id, *job, around),
            Ok(Err(_)) | Err(TryRecvError::Closed) => {
                self.till.memory.leave_unless_asking(order_id);
                (true, None)
            }
        }
    }

    fn found(&self, order_id: OrderId, around: &mut Around<'_>) -> (bool, Option<Stage>) {
        let Some(payment) = around.rows.payments.get(&order_id) else {
            self.till.memory.leave(order_id);
            return (true, None);
        };
        let (lane, job) = self.till.job(order_id, payment);
        if lane != Some(Lane::Asked) {
            return self.begin(order_id, job, around);
        }
        let nothing = Request { order_id, what: What::Notified(0), traceparent: None };
        if let Ok(answered) = (around.ask)(nothing) {
            return (true, Some(Stage::IsAsked(answered, Box::new(job))));
        }
        self.till.memory.leave_unless_asking(order_id);
        (true, None)
    }

    fn begin(&self, order_id: OrderId, job: Job, around: &mut Around<'_>) -> (bool, Option<Stage>) {
        match job {
            Job::Nothing => {
                self.till.memory.leave(order_id);
                (true, None)
            }
            Job::LookUp(look_up) => self.look_on(look_up, around),
            Job::LookUpRefund(look_up) => {
                let call = around.vendor.call(Asked::LookUpRefund(look_up.key.clone()), around.now);
                let calling = Calling::LookUpRefund(look_up);
                (true, Some(Stage::Calling(calling, self.till.timer.elapsed(), call)))
            }
            Job::BeginRefund(number) => {
                self.till.memory.leave(order_id);
                (true, Some(Stage::Report(What::BeginRefund(number), false)))
            }
        }
    }

    fn look_on(&self, mut look_up: LookUp, around: &mut Around<'_>) -> (bool, Option<Stage>) {
        let Some(key) = look_up.next_key() else {
            return (true, Some(Stage::Report(look_up.report(), true)));
        };
        let call = around.vendor.call(Asked::LookUp(key), around.now);
        (true, Some(Stage::Calling(Calling::LookUp(look_up), self.till.timer.elapsed(), call)))
    }

    fn after_report(
        &self,
        order_id: OrderId,
        what: What,
        frees: bool,
        outcome: &Result<Result<Done, Refusal>, TurnError>,
    ) -> Option<Stage> {
        match Reported::of(outcome) {
            Reported::Again => Some(Stage::Report(what, frees)),
            Reported::Done | Reported::Lost => {
                if frees {
                    self.till.memory.leave(order_id);
                }
                None
            }
        }
    }
}

fn hand_in_all(due: &[OrderId], what: &What, around: &mut Around<'_>) -> usize {
    let hand_in = |order_id: &&OrderId| {
        let request = Request { order_id: **order_id, what: what.clone(), traceparent: None };
        (around.ask)(request).is_ok()
    };
    due.iter().filter(hand_in).count()
}

/// What is due in a lane, oldest first; without a lane, what may have expired.
fn due(rows: &PaymentShelf, lane: Option<Lane>, till: &Till, limit: usize) -> Vec<OrderId> {
    let now = till.timer.now();
    let mut due: Vec<_> = match lane {
        Some(lane) => rows
            .payments
            .iter()
            .filter_map(|(order_id, payment)| Some((payment.next_task()?, *order_id)))
            .filter(|((at, of, _), _)| *of == lane && *at <= now)
            .map(|((at, ..), order_id)| (at, order_id))
            .collect(),
        None => rows
            .payments
            .iter()
            .filter_map(|(order_id, payment)| Some((payment.expires_at()?, *order_id)))
            .filter(|(at, _)| *at < now)
            .collect(),
    };
    due.sort_unstable();
    due.into_iter().map(|(_, order_id)| order_id).take(limit).collect()
}

fn in_lane(rows: &PaymentShelf, lane: Lane) -> Vec<OrderId> {
    let is_in = |payment: &Payment| payment.next_task().is_some_and(|(_, of, _)| of == lane);
    let is_urgent = |payment: &Payment| lane != Lane::Follow || payment.expires_at().is_some();
    let in_lane = rows.payments.iter().filter(|(_, payment)| is_in(payment) && is_urgent(payment));
    in_lane.map(|(order_id, _)| *order_id).collect()
}
