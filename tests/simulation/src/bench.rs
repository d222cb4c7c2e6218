//! The payment worker's bench: what one process does outside of its turns, a step at a time. What is decided is the worker's own
//! code; here it is only put in some order.

use std::sync::Arc;
use std::time::Duration;

use cafe_clock::{Clock, Ids};
use cafe_delivery::TurnError;
use cafe_events::OrderId;
use cafe_payment::domain::{Ask, AskRefund, Cashier, Done, Effect, Request, What};
use cafe_payment::payment::Refusal;
use cafe_payment::payment::agenda::Lane;
use cafe_payment::payment::attempt::{Attempt, ChargeAnswer};
use cafe_payment::payment::refund::RefundAnswer;
use cafe_payment::timer::Timer;
use cafe_payment::vendor::{ChargeRequest, READ_TIMEOUT, RefundRequest};
use cafe_payment::worker::gate::Gate;
use cafe_payment::worker::scout::{Bells, Scout};
use cafe_payment::worker::till::{Charging, Job, LookUp, LookUpRefund, Reported, Till};
use cafe_payment::worker::{Inbox, Mailbox, mailbox};

use crate::bugs::Bug;
use crate::process::Answer;
use crate::shelf::PaymentShelf;
use crate::vendor::{Asked, Said, Vendor};

/// What one process of the payment service does outside of its turns.
pub struct Bench {
    mailbox: Mailbox,
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
    Charging { attempt: u32, began: Duration, charging: Charging, call: u32 },
    /// A refund is.
    Refund(Box<AskRefund>),
    Refunding { number: u32, key: String, began: Duration, call: u32 },
    /// Found in a lane: its row is to be read.
    Found,
    /// Found where it seems that somebody asked and died: whether nobody does.
    IsAsked(Answer<Cashier>, Box<Job>),
    LookUp(LookUp),
    LookingUp(LookUp, Duration, u32),
    LookingUpRefund(LookUpRefund, Duration, u32),
    /// What was found out is to be handed in, and whether the order is free then.
    Report(What, bool),
    Reporting(What, bool, Answer<Cashier>),
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
    pub fn new(clock: &Clock, seed: u64, bug: Option<Bug>) -> (Self, Arc<Gate>, Box<dyn Fn(Effect) + Send>) {
        let gate = Arc::new(Gate::default());
        let (mailbox, inbox) = mailbox(Arc::clone(&gate));
        let timer = Timer::new(clock.clone());
        let till = Till {
            gate: Arc::clone(&gate),
            memory: mailbox.memory().clone(),
            timer: timer.clone(),
            ids: Ids::seeded(seed),
        };
        let effects = mailbox.clone();
        let scout = Scout::new(&timer);
        let bench = Self { mailbox, inbox, till, bells: Bells::new(), scout, tasks: Vec::new(), bug };
        (bench, gate, Box::new(move |effect| effects.take(effect)))
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
        let _ = &self.mailbox;
        self.tasks.len() - before
    }

    /// Opens attempts for orders that found no room when they were heard.
    pub fn begin_due(&mut self, limit: usize, around: &mut Around<'_>) -> usize {
        let room = self.till.gate.room(self.till.timer.elapsed()).min(limit);
        let due = if room > 0 { due(around.rows, Some(Lane::Ask), &self.till, room) } else { Vec::new() };
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
        let till = &self.till;
        let elapsed = till.timer.elapsed();
        match stage {
            Stage::Charge(ask) => {
                let (attempt, began) = (ask.attempt, elapsed);
                let next = match till.may_charge(&ask, around.is_leading) {
                    Err(not_sent) => Stage::Report(till.charge_report(order_id, attempt, not_sent, began), true),
                    Ok(charging) => {
                        let mut request = ChargeRequest::of(*ask);
                        if self.bug == Some(Bug::ChargeUnderNewKey) {
                            request.key = format!("{}/{}", request.key, around.vendor.calls_made);
                        }
                        let call = around.vendor.call(Asked::Charge(Box::new(request)), around.now);
                        Stage::Charging { attempt, began, charging, call }
                    }
                };
                (true, Some(next))
            }
            Stage::Charging { attempt, began, charging, call } => match heard(around, call, elapsed, began) {
                None => (false, Some(Stage::Charging { attempt, began, charging, call })),
                Some(said) => {
                    let answer = match said {
                        Some(Said::Charge(answer)) => Some(answer),
                        _ => None,
                    };
                    let answer: ChargeAnswer = till.charge_answered(charging, answer);
                    (true, Some(Stage::Report(till.charge_report(order_id, attempt, answer, began), true)))
                }
            },
            Stage::Refund(ask) => {
                let AskRefund { number, key, charge_id, amount, .. } = *ask;
                let next = match Till::may_refund(around.is_leading) {
                    Err(not_asked) => Stage::Report(till.refund_report(number, key, not_asked, elapsed), true),
                    Ok(()) => {
                        let mut request = RefundRequest { key: key.clone(), charge_id, amount, traceparent: None };
                        if self.bug == Some(Bug::RefundUnderNewKey) {
                            request.key = format!("{key}/{}", around.vendor.calls_made);
                        }
                        let call = around.vendor.call(Asked::Refund(request), around.now);
                        Stage::Refunding { number, key, began: elapsed, call }
                    }
                };
                (true, Some(next))
            }
            Stage::Refunding { number, key, began, call } => match heard(around, call, elapsed, began) {
                None => (false, Some(Stage::Refunding { number, key, began, call })),
                Some(said) => {
                    let answer = match said {
                        Some(Said::Refund(answer)) => answer,
                        _ => RefundAnswer::Unclear { arrived: false, detail: "no answer in time".to_owned() },
                    };
                    (true, Some(Stage::Report(till.refund_report(number, key, answer, began), true)))
                }
            },
            Stage::Found => self.found(order_id, around),
            Stage::IsAsked(mut answered, job) => match answered.try_recv() {
                Err(tokio::sync::oneshot::error::TryRecvError::Empty) => {
                    (false, Some(Stage::IsAsked(answered, job)))
                }
                Ok(Ok(_)) if till.memory.is_asking(order_id) => (true, None),
                Ok(Ok(_)) if self.bug == Some(Bug::OrphanAskedAgain) => {
                    let number = around.rows.payments.get(&order_id).and_then(|it| it.open_attempt()).map(|it| it.number);
                    let not_sent = ChargeAnswer::NotSent { detail: "whoever asked has died".to_owned() };
                    let report = till.charge_report(order_id, number.unwrap_or_default(), not_sent, elapsed);
                    (true, Some(Stage::Report(report, true)))
                }
                Ok(Ok(_)) => self.begin(order_id, *job, around),
                Ok(Err(_)) | Err(_) => {
                    till.memory.leave_unless_asking(order_id);
                    (true, None)
                }
            },
            Stage::LookUp(look_up) => self.look_on(order_id, look_up, around),
            Stage::LookingUp(mut look_up, began, call) => match heard(around, call, elapsed, began) {
                None => (false, Some(Stage::LookingUp(look_up, began, call))),
                Some(said) => {
                    let finding = match said {
                        Some(Said::Finding(finding)) => Some(finding),
                        _ => None,
                    };
                    look_up.found(finding, &till.memory);
                    (true, Some(Stage::LookUp(look_up)))
                }
            },
            Stage::LookingUpRefund(look_up, began, call) => match heard(around, call, elapsed, began) {
                None => (false, Some(Stage::LookingUpRefund(look_up, began, call))),
                Some(said) => {
                    let answer = match said {
                        Some(Said::Refund(answer)) => Some(answer),
                        _ => None,
                    };
                    (true, Some(Stage::Report(look_up.report(answer, &till.memory), true)))
                }
            },
            Stage::Report(what, frees) => {
                let request = Request { order_id, what: what.clone(), traceparent: None };
                match (around.ask)(request) {
                    Ok(answered) => (true, Some(Stage::Reporting(what, frees, answered))),
                    Err(error) => (false, self.after_report(order_id, what, frees, &Err(error))),
                }
            }
            Stage::Reporting(what, frees, mut answered) => match answered.try_recv() {
                Err(tokio::sync::oneshot::error::TryRecvError::Empty) => {
                    (false, Some(Stage::Reporting(what, frees, answered)))
                }
                Err(_) => (true, self.after_report(order_id, what, frees, &Err(TurnError::OutcomeUnknown))),
                Ok(outcome) => (true, self.after_report(order_id, what, frees, &outcome)),
            },
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
        match (around.ask)(nothing) {
            Ok(answered) => (true, Some(Stage::IsAsked(answered, Box::new(job)))),
            Err(_) => {
                self.till.memory.leave_unless_asking(order_id);
                (true, None)
            }
        }
    }

    fn begin(&self, order_id: OrderId, job: Job, around: &mut Around<'_>) -> (bool, Option<Stage>) {
        match job {
            Job::Nothing => {
                self.till.memory.leave(order_id);
                (true, None)
            }
            Job::LookUp(look_up) => self.look_on(order_id, look_up, around),
            Job::LookUpRefund(look_up) => {
                let call = around.vendor.call(Asked::LookUpRefund(look_up.key.clone()), around.now);
                (true, Some(Stage::LookingUpRefund(look_up, self.till.timer.elapsed(), call)))
            }
            Job::BeginRefund(number) => {
                self.till.memory.leave(order_id);
                (true, Some(Stage::Report(What::BeginRefund(number), false)))
            }
        }
    }

    fn look_on(&self, _order_id: OrderId, mut look_up: LookUp, around: &mut Around<'_>) -> (bool, Option<Stage>) {
        match look_up.next_key() {
            Some(key) => {
                let call = around.vendor.call(Asked::LookUp(key), around.now);
                (true, Some(Stage::LookingUp(look_up, self.till.timer.elapsed(), call)))
            }
            None => (true, Some(Stage::Report(look_up.report(), true))),
        }
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

/// The key under which the vendor is asked for an attempt.
pub fn key_of(order_id: OrderId, attempt: u32) -> String {
    Attempt::key(order_id, attempt)
}

/// What the vendor said, or that it was silent for too long; nothing while it is waited for.
#[expect(clippy::option_option, reason = "the outer one is whether the wait is over, the inner what came of it")]
fn heard(around: &mut Around<'_>, call: u32, elapsed: Duration, began: Duration) -> Option<Option<Said>> {
    if let Some(said) = around.vendor.answer(call) {
        return Some(Some(said));
    }
    if elapsed.saturating_sub(began) >= READ_TIMEOUT {
        around.vendor.hang_up(call);
        return Some(None);
    }
    None
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
    let in_lane = rows.payments.iter().filter(|(_, payment)| payment.next_task().is_some_and(|(_, of, _)| of == lane));
    in_lane.map(|(order_id, _)| *order_id).collect()
}
