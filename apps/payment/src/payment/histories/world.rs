//! One payment, its vendor and its neighbours, step by step.

use std::collections::BTreeMap;
use std::time::Duration;

use cafe_clock::{after, from_ms};
use cafe_events::{
    Currency, Name, OrderId, OrderLine, OrderPlaced, Party, PaymentChoice, PaymentEvent, Size,
};
use jiff::Timestamp;

use crate::payment::agenda::Task;
use crate::payment::attempt::{Charge, ChargeAnswer, Finding, Measured, RefundOnRecord, SETTLE_AFTER};
use crate::payment::refund::{NotMade, RefundAnswer, RefundState};
use crate::payment::{Decision, Order, Payment, Refusal, Transition, Wish};

pub(crate) const ORDER: OrderId = OrderId::from_u128(7);
pub(super) const PRICES: [i64; 3] = [3500, 4000, 9000];

/// What the vendor does with a request.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mood {
    Answers,
    Declines,
    /// Charges, or gives back, but the answer is lost.
    LosesTheAnswer,
    /// Fails without doing anything, and says so.
    Fails,
    /// The request is lost on the way.
    Loses,
    /// The request arrives so many seconds later.
    Late(u16),
}

#[derive(Clone, Debug)]
pub(super) enum Step {
    Pass(u16),
    /// Do what the agenda says, due or not.
    Work(Mood),
    Cancel(Party),
    Expire,
    NotMade(Vec<u16>),
    TicketCancelled,
    CancelRefused,
    RefundAll,
    Goodwill(i64),
    Notified(u32),
    Crash,
}

/// The state under test, the vendor's own record, and what was announced.
pub(super) struct World {
    payment: Payment,
    now: Timestamp,
    /// By the attempt's number.
    charges: BTreeMap<u32, VendorCharge>,
    declined: Vec<u32>,
    /// By the refund's key: when it can be seen, and how much.
    refunds: BTreeMap<String, (Timestamp, u32, i64)>,
    pub(super) announced: Vec<PaymentEvent>,
    order: Order,
    /// What other services said and will say again: wishes of the order service's, and of the barista service's.
    wishes: Vec<Wish>,
    not_made: Vec<NotMade>,
    ticket_versions: u32,
    /// How many forwarded cancels the barista service has answered.
    answered: usize,
    sent_at: Timestamp,
}

struct VendorCharge {
    at: Timestamp,
    amount: i64,
}

impl World {
    pub(super) fn new(pay_by_s: u64, restored: bool) -> Self {
        let now = from_ms(1_800_000_000_000);
        let mut world = Self {
            payment: Payment::default(),
            now,
            charges: BTreeMap::new(),
            declined: Vec::new(),
            refunds: BTreeMap::new(),
            announced: Vec::new(),
            order: order(now, after(now, Duration::from_secs(pay_by_s))),
            wishes: Vec::new(),
            not_made: Vec::new(),
            ticket_versions: 0,
            answered: 0,
            sent_at: now,
        };
        let restored_at = restored.then(|| after(now, Duration::from_secs(1)));
        let order = world.order.clone();
        world.does(|payment, now| payment.placed(order, true, restored_at, now)).unwrap();
        world
    }

    /// The database is an older copy, from before the order was placed; the other services are heard again.
    pub(super) fn restore(&mut self) {
        self.now = after(self.now, Duration::from_secs(1));
        (self.payment, self.sent_at, self.answered) = (Payment::default(), self.now, usize::MAX);
        self.announced.clear();
        let (order, restored_at) = (self.order.clone(), Some(self.now));
        for what in self.not_made.clone() {
            self.does(|payment, now| payment.not_made(what, now)).unwrap();
        }
        self.does(|payment, now| payment.placed(order, true, restored_at, now)).unwrap();
        for wish in self.wishes.clone() {
            self.does(|payment, now| payment.cancel(wish, now)).unwrap();
        }
    }

    fn does(
        &mut self,
        input: impl FnOnce(&mut Payment, Timestamp) -> Result<Transition, Refusal>,
    ) -> Result<(), Refusal> {
        let before = self.payment.clone();
        match input(&mut self.payment, self.now) {
            Ok(Transition::Changed(events)) => {
                assert_eq!(self.payment.version, before.version + events.len() as u32, "a version per event");
                if before.decision.is_some() {
                    assert_eq!(before.decision, self.payment.decision, "the decision is final");
                }
                for event in &events {
                    let undone = matches!(
                        event,
                        PaymentEvent::Expired(_) | PaymentEvent::Cancelled(_) | PaymentEvent::Declined(_)
                    );
                    assert!(
                        !undone || self.payment.open_attempt().is_none(),
                        "{event:?} with an attempt open"
                    );
                }
                self.announced.extend(events);
            }
            Ok(Transition::AlreadyDone) => {}
            Err(refusal) => {
                assert_eq!(self.payment, before, "a refused input changes nothing");
                return Err(refusal);
            }
        }
        Ok(())
    }

    pub(super) fn step(&mut self, step: &Step) {
        match step {
            Step::Pass(seconds) => self.now = after(self.now, Duration::from_secs(u64::from(*seconds))),
            Step::Work(mood) => self.work(*mood),
            Step::Cancel(by) => {
                let wish = Wish { by: *by, reason: None };
                self.wishes.push(wish.clone());
                drop(self.does(|payment, now| payment.cancel(wish, now)));
            }
            Step::Expire => drop(self.does(Payment::expire)),
            Step::NotMade(lines) => self.not_made(lines.clone()),
            Step::TicketCancelled => self.not_made(Vec::new()),
            Step::CancelRefused => self.cancel_refused(),
            Step::RefundAll => {
                drop(self.does(|payment, now| payment.refund_in_full("sorry".to_owned(), now)));
            }
            Step::Goodwill(amount) => {
                drop(self.does(|payment, now| payment.refund_amount(*amount, "sorry".to_owned(), None, now)));
            }
            Step::Notified(attempt) => drop(self.does(|payment, now| payment.notified(*attempt, now))),
            // Whatever was in flight is lost; the rows are not.
            Step::Crash => self.sent_at = self.now,
        }
    }

    /// The barista service only speaks of what was approved, and answers only what it was asked.
    fn not_made(&mut self, lines: Vec<u16>) {
        if matches!(self.payment.decision, Some(Decision::Approved { .. })) {
            self.ticket_versions += 1;
            let what = NotMade { version: self.ticket_versions, lines, reason: "no milk".to_owned() };
            self.not_made.push(what.clone());
            self.does(|payment, now| payment.not_made(what, now)).unwrap();
        }
    }

    fn cancel_refused(&mut self) {
        let mut asked = self.announced.iter().filter_map(|event| match event {
            PaymentEvent::CancelRequested(asked) => Some(asked.by),
            _ => None,
        });
        if let Some(by) = asked.nth(self.answered) {
            self.answered += 1;
            self.ticket_versions += 1;
            let version = self.ticket_versions;
            self.does(|payment, now| payment.cancel_refused(version, by, now)).unwrap();
        }
    }

    fn work(&mut self, mood: Mood) {
        match self.payment.next_task().map(|(_, _, task)| task) {
            Some(Task::Begin) => self.ask(mood),
            Some(Task::LookUp(attempt)) => self.look_up(attempt, mood),
            Some(Task::Refund(number)) => self.refund(number, mood),
            Some(Task::LookUpRefund(number)) => self.look_up_refund(number, mood),
            None => {}
        }
    }

    fn ask(&mut self, mood: Mood) {
        self.does(Payment::begin).unwrap();
        let Some(open) = self.payment.open_attempt().filter(|open| !open.probe) else { return };
        let attempt = open.number;
        let latest = self.payment.order.as_ref().unwrap().latest_ask();
        assert!(self.now <= latest, "asked late");
        self.sent_at = self.now;
        match mood {
            Mood::Answers | Mood::LosesTheAnswer => self.charge(attempt, self.now),
            Mood::Late(seconds) => {
                self.charge(attempt, after(self.now, Duration::from_secs(u64::from(seconds))));
            }
            Mood::Declines => self.declined.push(attempt),
            Mood::Fails | Mood::Loses => {}
        }
        let answer = match mood {
            Mood::Answers => ChargeAnswer::Approved(self.found(attempt).unwrap()),
            Mood::Declines => ChargeAnswer::Declined { reason: "no".to_owned() },
            Mood::Fails => ChargeAnswer::Unclear { arrived: true, detail: String::new() },
            Mood::Loses if attempt % 2 == 0 => ChargeAnswer::NotSent { detail: String::new() },
            // The process died: nobody reports.
            Mood::Loses if self.now.as_millisecond() % 2 == 0 => return,
            _ => {
                self.now = after(self.now, Duration::from_secs(10));
                ChargeAnswer::Unclear { arrived: false, detail: String::new() }
            }
        };
        let measured = self.measured();
        self.does(|payment, _| payment.answered(attempt, &answer, measured)).unwrap();
    }

    fn look_up(&mut self, number: u32, mood: Mood) {
        let attempt = self.payment.attempts.iter().find(|attempt| attempt.number == number).unwrap().clone();
        let keys = attempt.looked_up_under().map(|under| (under, self.finding(under, mood)));
        let (under, finding) =
            keys.reduce(|before, next| if before.1 == Finding::NotFound { next } else { before }).unwrap();
        let measured = self.measured();
        self.does(|payment, _| {
            if attempt.probe {
                payment.probed(number, under, &finding, measured)
            } else {
                payment.looked_up(number, &finding, measured)
            }
        })
        .unwrap();
    }

    fn finding(&self, attempt: u32, mood: Mood) -> Finding {
        match mood {
            Mood::Fails | Mood::Loses => Finding::Unclear { detail: String::new() },
            _ if self.declined.contains(&attempt) => Finding::Declined { reason: "no".to_owned() },
            _ => self.found(attempt).map_or(Finding::NotFound, Finding::Found),
        }
    }

    fn refund(&mut self, number: u32, mood: Mood) {
        self.does(|payment, now| payment.begin_refund(number, now)).unwrap();
        let refund = self.payment.refunds.iter().find(|refund| refund.number == number).unwrap().clone();
        self.sent_at = self.now;
        let seen_at = match mood {
            Mood::Answers | Mood::LosesTheAnswer => Some(self.now),
            // A charge that lands too late is found and given back; a refund that does would be lost money, so here the
            // agreement of `SETTLE_AFTER` holds.
            Mood::Late(seconds) => Some(after(self.now, Duration::from_secs(u64::from(seconds.min(33))))),
            _ => None,
        };
        if let Some(seen_at) = seen_at {
            let on_record = (seen_at, refund.attempt, refund.amount);
            self.refunds.entry(refund.key(ORDER)).or_insert(on_record);
        }
        let answer = match mood {
            Mood::Answers => RefundAnswer::Done { amount: refund.amount },
            Mood::Declines => RefundAnswer::Refused { reason: "no".to_owned() },
            Mood::Fails => RefundAnswer::Unclear { arrived: true, detail: String::new() },
            _ => {
                self.now = after(self.now, Duration::from_secs(10));
                RefundAnswer::Unclear { arrived: false, detail: String::new() }
            }
        };
        let measured = self.measured();
        self.does(|payment, _| payment.refund_answered(number, &answer, measured)).unwrap();
    }

    fn look_up_refund(&mut self, number: u32, mood: Mood) {
        let refund = self.payment.refunds.iter().find(|refund| refund.number == number).unwrap();
        let answer = match (mood, self.refunds.get(&refund.key(ORDER))) {
            (Mood::Fails | Mood::Loses, _) => RefundAnswer::Unclear { arrived: false, detail: String::new() },
            (_, Some((seen_at, _, amount))) if *seen_at <= self.now => RefundAnswer::Done { amount: *amount },
            _ => RefundAnswer::NotFound,
        };
        let measured = self.measured();
        self.does(|payment, _| payment.refund_answered(number, &answer, measured)).unwrap();
    }

    fn charge(&mut self, attempt: u32, at: Timestamp) {
        self.charges.entry(attempt).or_insert(VendorCharge { at, amount: PRICES.iter().sum() });
    }

    fn found(&self, attempt: u32) -> Option<Charge> {
        let charge = self.charges.get(&attempt).filter(|charge| charge.at <= self.now)?;
        let refunds = self.refunds.iter().filter(|(_, (_, of, _))| *of == attempt);
        Some(Charge {
            charge_id: format!("ch_{attempt}"),
            order_id: ORDER,
            amount: charge.amount,
            currency: Currency::KRW,
            at: charge.at,
            refunds: refunds
                .map(|(key, (_, _, amount))| RefundOnRecord { key: key.clone(), amount: *amount })
                .collect(),
        })
    }

    fn measured(&self) -> Measured {
        let silent_for = cafe_clock::since(self.now, self.sent_at);
        Measured { now: self.now, silent_for, draw: 0.5 }
    }

    pub(super) fn check(&self) {
        let payment = &self.payment;
        assert!(
            payment.attempts.iter().filter(|attempt| attempt.is_open()).count() <= 1,
            "two open attempts"
        );
        assert_eq!(payment.version as usize, self.announced.len());
        let decisions = self.announced.iter().filter(|event| is_decision(event)).count();
        assert_eq!(decisions, usize::from(payment.decision.is_some()), "decided once");
        assert!(self.announced.first().is_none_or(is_decision), "the decision is the first word");
        assert!(payment.refunded() <= payment.charged(), "more given back than charged");
        for attempt in &payment.attempts {
            let of_it = payment.refunds.iter().filter(|refund| refund.attempt == attempt.number);
            let given: i64 = of_it.map(|refund| refund.amount).sum();
            assert!(given <= attempt.charge().map_or(0, |(_, amount)| amount), "refunds beyond their charge");
        }
        let json = serde_json::to_string(payment).unwrap();
        assert_eq!(*payment, serde_json::from_str(&json).unwrap(), "the stored form keeps everything");
    }

    /// Faults are off: the agenda alone must bring everything to an end.
    pub(super) fn settle(&mut self) {
        for _ in 0..2_000 {
            let task = self.payment.next_task();
            let expires_at = self.payment.expires_at().map(|at| after(at, Duration::from_millis(1)));
            match (task, expires_at) {
                (Some((at, ..)), Some(expires_at)) if expires_at < at => self.expire_at(expires_at),
                (Some((at, ..)), _) => {
                    self.now = self.now.max(at);
                    self.work(Mood::Answers);
                }
                (None, Some(expires_at)) => self.expire_at(expires_at),
                (None, None) => {
                    // Staff see what the vendor refused, and try again; the barista service answers what it was asked.
                    let answered = self.answered;
                    self.cancel_refused();
                    if answered == self.answered && !self.retry_failed() {
                        return;
                    }
                }
            }
            self.check();
        }
        panic!("it never comes to rest: {:?}", self.payment);
    }

    fn retry_failed(&mut self) -> bool {
        let failed =
            self.payment.refunds.iter().any(|refund| matches!(refund.state, RefundState::Failed { .. }));
        if failed {
            self.does(|payment, now| payment.refund_in_full("again".to_owned(), now)).unwrap();
        }
        failed
    }

    fn expire_at(&mut self, at: Timestamp) {
        self.now = self.now.max(at);
        self.does(Payment::expire).unwrap();
    }

    pub(super) fn check_settled(&mut self) {
        assert!(self.now > after(self.sent_at, SETTLE_AFTER) || self.payment.open_attempt().is_none());
        assert!(!self.payment.is_open(), "something is left open: {:?}", self.payment);
        let charged: i64 = self.charges.values().map(|charge| charge.amount).sum();
        let refunded: i64 = self.refunds.values().map(|(_, _, amount)| amount).sum();
        assert_eq!(self.payment.charged(), charged, "charged, against the vendor's own record");
        assert_eq!(self.payment.refunded(), refunded, "given back, against the vendor's own record");
        let made: i64 = match self.payment.decision {
            Some(Decision::Approved { .. }) => {
                let made =
                    (1_u16..).zip(PRICES).filter(|(line_id, _)| !self.payment.unmade.contains(line_id));
                made.map(|(_, price)| price).sum()
            }
            _ => 0,
        };
        assert_eq!(charged - refunded, made - self.payment.goodwill(), "{:?}", self.payment);
    }
}

fn is_decision(event: &PaymentEvent) -> bool {
    matches!(
        event,
        PaymentEvent::Approved(_)
            | PaymentEvent::Declined(_)
            | PaymentEvent::Expired(_)
            | PaymentEvent::Cancelled(_)
    )
}

pub(crate) fn order(placed_at: Timestamp, pay_by: Timestamp) -> Order {
    let line = |(line_id, price): (u16, i64)| OrderLine {
        line_id,
        menu: "latte".to_owned(),
        name: Name { en: "Latte".to_owned(), ko: "라떼".to_owned() },
        size: Size::Medium,
        quantity: 1,
        options: Vec::new(),
        takeout: false,
        unit_price: price,
        price,
        making_ms: 2_000,
    };
    let placed = OrderPlaced {
        number: "0001".to_owned(),
        day: "2027-01-15".to_owned(),
        lines: (1..).zip(PRICES).map(line).collect(),
        takeout: false,
        total: PRICES.iter().sum(),
        currency: Currency::KRW,
        payment: PaymentChoice { vendor: "simulator".to_owned(), token: Some("tok_ok".to_owned()) },
        pay_by,
    };
    Order { order_id: ORDER, placed_at, placed }
}
