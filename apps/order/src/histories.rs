//! Random histories of an order, as payment and barista may tell them in any interleaving.

use std::sync::Arc;
use std::time::Duration;

use cafe_clock::from_ms;
use cafe_delivery::{Domain, Turn};
use cafe_events::{
    Currency, Event, Heard, Name, OrderId, OrderLine, Party, PaymentApproved, PaymentCancelRequested,
    PaymentCancelled, PaymentChoice, PaymentDeclined, PaymentEvent, PaymentExpired, PaymentRefunded, Said,
    Size, Source, TicketCancelRefused, TicketCancelled, TicketEvent, TicketLineReady, TicketPickedUp,
    TicketQueued, TicketReady, TicketRecalled, TicketRejected, TicketStarted, TicketUncollected,
};
use cafe_failures::{disk, tried};
use jiff::tz::TimeZone;
use proptest::prelude::*;

use crate::order::{LineState, NewOrder, Order, Stage, Status};
use crate::{Answer, Change, OrderTables, Orders, PlaceOrder, Request};

pub(crate) const TOTAL: i64 = 3 * 4_000;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    /// What a customer sees in the end does not depend on whose news came first, nor on whether the order was lost by a
    /// restore and had to be told by payment.
    #[test]
    fn any_interleaving_gives_the_same_order(
        told in histories(), one in any::<[bool; 32]>(), other in any::<[bool; 32]>(), lost in any::<bool>(),
    ) {
        let mut orders = [one, other].map(|mix| {
            let mut cafe = Cafe::new(!lost);
            for event in told.mixed(&mix) {
                cafe.hear(event);
            }
            cafe.order()
        });
        let [one, other] = &mut orders;
        prop_assert_eq!(&*one, &*other);
        prop_assert_eq!(one.status(), told.end());
        prop_assert!(one.steps().windows(2).all(|pair| pair[0].0 != pair[1].0), "{:?}", one.steps());
        if one.payment.outcome.is_some() && one.placed.is_some() {
            prop_assert_eq!(one.steps().last().map(|step| step.0), Some(one.status()));
        }
    }

    /// Cancels may come at any time: versions have no gap, an end is final until a recall, money back is never less.
    #[test]
    fn versions_run_without_gap_and_ends_are_final(
        told in histories(), mix in any::<[bool; 32]>(), cancels in prop::collection::vec(0_usize..20, 0..4),
    ) {
        let mut cafe = Cafe::new(true);
        for (step, event) in told.mixed(&mix).into_iter().enumerate() {
            let before = cafe.order();
            if cancels.contains(&step) {
                cafe.cancel();
            }
            let recalled = matches!(event, Event::Ticket(TicketEvent::Recalled(_)));
            cafe.hear(event);
            let after = cafe.order();
            prop_assert!(!before.status().is_final() || recalled || after.status() == before.status());
            prop_assert!(after.payment.refunded >= before.payment.refunded);
        }
        let order = cafe.order();
        prop_assert_eq!(&cafe.announced, &(1..=order.version).collect::<Vec<_>>());
        prop_assert_eq!(order.payment.refunded, told.refunded());
    }

    /// A cancel answers by what is known: never an event for an order that has ended or is being made, and one at most.
    #[test]
    fn a_cancel_is_announced_once_and_only_while_it_may_succeed(told in histories(), mix in any::<[bool; 32]>()) {
        let mut cafe = Cafe::new(true);
        for event in told.mixed(&mix) {
            let before = cafe.order();
            match cafe.cancel() {
                Answer::CancelAsked { already: false, .. } => {
                    prop_assert!(!before.is_cancel_requested() || before.cancel_requested_at.is_none());
                    prop_assert!(matches!(before.status(), Status::Placed | Status::Paid));
                }
                Answer::CancelAsked { already: true, .. } => {
                    prop_assert!(before.cancel_requested_at.is_some() || before.status() == Status::Cancelled);
                }
                Answer::Refused(_) => {
                    prop_assert!(before.status().is_final() || before.ticket.cancel_refused
                        || before.ticket.stage().is_some_and(|stage| stage != Stage::Queued));
                }
                answer => prop_assert!(false, "{answer:?}"),
            }
            cafe.hear(event);
        }
        prop_assert!(cafe.announced.len() <= 2);
    }
}

#[test]
fn what_payment_takes_back_is_set_aside() {
    let mut cafe = Cafe::new(true);
    cafe.hear(Event::Payment(approved(TOTAL)));
    let order = cafe.order();
    for poison in [approved(TOTAL), declined()] {
        assert!(cafe.try_hear(Event::Payment(poison)).is_err());
    }
    assert_eq!(cafe.order(), order, "an error changes nothing");
}

#[test]
fn an_approval_of_another_amount_is_set_aside() {
    let mut cafe = Cafe::new(true);
    let error = cafe.try_hear(Event::Payment(approved(TOTAL - 1))).unwrap_err();
    assert!(error.contains("the order's total is 12000 KRW"), "{error}");
    assert_eq!(cafe.order().status(), Status::Placed);
}

#[test]
fn an_order_lost_by_a_restore_comes_back_with_its_approval_and_its_number_is_not_given_again() {
    tried(&disk::ORDER_RESTORED);
    let mut cafe = Cafe::new(false);
    cafe.hear(Event::Ticket(TicketEvent::Queued(TicketQueued { number: "0042".to_owned(), sequence: 1 })));
    assert!(matches!(cafe.cancel(), Answer::NoSuchOrder));
    cafe.hear(Event::Payment(approved(TOTAL)));
    assert_eq!((cafe.order().placed.unwrap().number.as_str(), cafe.order().version), ("0042", 0));
    assert!(matches!(cafe.cancel(), Answer::Refused(crate::order::Refusal::LostByRestore)));
    let (_, next) = cafe.place();
    assert_eq!(next.placed.unwrap().number, "0043");
}

#[test]
fn lines_are_shown_one_by_one() {
    let mut cafe = Cafe::new(true);
    let line_states = |cafe: &Cafe| [1, 2, 3].map(|line| cafe.order().line_state(line));
    cafe.hear(Event::Ticket(queued()));
    cafe.hear(Event::Ticket(TicketEvent::Started(TicketStarted {})));
    cafe.hear(Event::Ticket(TicketEvent::LineReady(TicketLineReady { line_id: 2 })));
    cafe.hear(Event::Ticket(rejected(vec![3], false)));
    assert_eq!(line_states(&cafe), [LineState::Waiting, LineState::Ready, LineState::Rejected]);
    cafe.hear(Event::Ticket(TicketEvent::Ready(TicketReady {})));
    assert_eq!(line_states(&cafe), [LineState::Ready, LineState::Ready, LineState::Rejected]);
    cafe.hear(Event::Ticket(TicketEvent::Recalled(TicketRecalled { lines: vec![1], reason: None })));
    assert_eq!(line_states(&cafe), [LineState::Waiting, LineState::Ready, LineState::Rejected]);
    assert_eq!(cafe.order().status(), Status::Making);
}

/// What payment and barista say about one order, each in the order of its versions.
#[derive(Clone, Debug)]
struct Histories {
    payment: Vec<PaymentEvent>,
    ticket: Vec<TicketEvent>,
}

impl Histories {
    fn mixed(&self, payment_first: &[bool]) -> Vec<Event> {
        let (mut payment, mut ticket) = (self.payment.iter().cloned(), self.ticket.iter().cloned());
        let mut choices = payment_first.iter().cycle();
        let mut events = Vec::new();
        loop {
            let next = if choices.next() == Some(&true) {
                payment.next().map(Event::Payment).or_else(|| ticket.next().map(Event::Ticket))
            } else {
                ticket.next().map(Event::Ticket).or_else(|| payment.next().map(Event::Payment))
            };
            match next {
                Some(event) => events.push(event),
                None => return events,
            }
        }
    }

    fn refunded(&self) -> i64 {
        let amount = |event: &PaymentEvent| match event {
            PaymentEvent::Refunded(refunded) => refunded.amount,
            _ => 0,
        };
        self.payment.iter().map(amount).sum()
    }

    /// What the customer sees in the end, by another way of reckoning.
    fn end(&self) -> Status {
        match self.payment[0] {
            PaymentEvent::Declined(_) => return Status::Declined,
            PaymentEvent::Expired(_) => return Status::Expired,
            PaymentEvent::Cancelled(_) => return Status::Cancelled,
            _ => {}
        }
        let mut end = Status::Paid;
        for event in &self.ticket {
            end = match event {
                TicketEvent::Started(_) | TicketEvent::Recalled(_) => Status::Making,
                TicketEvent::Ready(_) => Status::Ready,
                TicketEvent::PickedUp(_) => Status::PickedUp,
                TicketEvent::Uncollected(_) => Status::Uncollected,
                TicketEvent::Cancelled(_) => Status::Cancelled,
                TicketEvent::Rejected(rejected) if rejected.all && self.refunded() == TOTAL => {
                    Status::Refunded
                }
                _ => end,
            };
        }
        end
    }
}

fn histories() -> impl Strategy<Value = Histories> {
    let choices = prop::collection::vec(any::<u8>(), 0..12);
    (0_u8..8, choices, prop::collection::vec(1..=TOTAL, 0..3), any::<bool>()).prop_map(
        |(first, choices, refunds, all)| match first {
            0 => Histories { payment: with_refunds(vec![declined()], &[]), ticket: vec![] },
            1 => Histories {
                payment: with_refunds(
                    vec![PaymentEvent::Expired(PaymentExpired { pay_by: from_ms(1) })],
                    &[TOTAL],
                ),
                ticket: vec![],
            },
            2 => Histories { payment: with_refunds(vec![cancelled()], &[TOTAL]), ticket: vec![] },
            _ => {
                let refunds = if all { vec![TOTAL] } else { refunds };
                let wish =
                    PaymentEvent::CancelRequested(PaymentCancelRequested { by: Party::Staff, reason: None });
                let mut payment = vec![approved(TOTAL)];
                payment.extend((first == 3).then_some(wish));
                Histories { payment: with_refunds(payment, &refunds), ticket: ticket_history(&choices) }
            }
        },
    )
}

fn with_refunds(mut payment: Vec<PaymentEvent>, amounts: &[i64]) -> Vec<PaymentEvent> {
    let mut refunded_total = 0;
    for amount in amounts {
        let amount = *amount.min(&(TOTAL - refunded_total));
        refunded_total += amount;
        payment.push(PaymentEvent::Refunded(PaymentRefunded {
            amount,
            currency: Currency::KRW,
            refunded_total,
            lines: vec![],
            reason: "because".to_owned(),
            goodwill: false,
        }));
    }
    payment
}

/// A walk that a ticket may take.
fn ticket_history(choices: &[u8]) -> Vec<TicketEvent> {
    let mut events = Vec::new();
    let mut stage = None;
    for choice in choices {
        let (next, event) = match (stage, choice % 6) {
            (None, _) => (Stage::Queued, queued()),
            (Some(Stage::Queued), 0) => (Stage::Cancelled, ticket_cancelled()),
            (Some(Stage::Queued | Stage::Making), 3) => (Stage::Rejected, rejected(vec![1, 2, 3], true)),
            (Some(Stage::Queued), _) => (Stage::Making, TicketEvent::Started(TicketStarted {})),
            (Some(Stage::Making), 0) => (
                Stage::Making,
                TicketEvent::LineReady(TicketLineReady { line_id: u16::from(choice % 3) + 1 }),
            ),
            (Some(Stage::Making), 1) | (Some(Stage::Ready | Stage::PickedUp), 1 | 2) => {
                (Stage::Making, TicketEvent::Recalled(TicketRecalled { lines: vec![2], reason: None }))
            }
            (Some(Stage::Making), 2) => (Stage::Making, cancel_refused()),
            (Some(Stage::Making), _) => (Stage::Ready, TicketEvent::Ready(TicketReady {})),
            (Some(Stage::Ready), 0) => (Stage::Uncollected, TicketEvent::Uncollected(TicketUncollected {})),
            (Some(Stage::Ready), _) => (Stage::PickedUp, TicketEvent::PickedUp(TicketPickedUp {})),
            (Some(ended), _) => (ended, cancel_refused()),
        };
        stage = Some(next);
        events.push(event);
    }
    events
}

pub(crate) fn approved(total: i64) -> PaymentEvent {
    PaymentEvent::Approved(PaymentApproved {
        number: "0042".to_owned(),
        day: "2026-11-23".to_owned(),
        placed_at: Cafe::now(),
        lines: lines(),
        takeout: false,
        total,
        currency: Currency::KRW,
        vendor: "simulator".to_owned(),
        charge_id: "ch_1".to_owned(),
    })
}

fn declined() -> PaymentEvent {
    PaymentEvent::Declined(PaymentDeclined { vendor: "simulator".to_owned(), reason: "no".to_owned() })
}

fn cancelled() -> PaymentEvent {
    PaymentEvent::Cancelled(PaymentCancelled { by: Party::Customer, reason: None })
}

pub(crate) fn queued() -> TicketEvent {
    TicketEvent::Queued(TicketQueued { number: "0042".to_owned(), sequence: 1 })
}

fn ticket_cancelled() -> TicketEvent {
    TicketEvent::Cancelled(TicketCancelled { by: Party::Customer, reason: None })
}

pub(crate) fn cancel_refused() -> TicketEvent {
    TicketEvent::CancelRefused(TicketCancelRefused { by: Party::Customer, reason: "started".to_owned() })
}

pub(crate) fn rejected(lines: Vec<u16>, all: bool) -> TicketEvent {
    TicketEvent::Rejected(TicketRejected { lines, all, reason: None })
}

fn lines() -> Vec<OrderLine> {
    let line = |line_id| OrderLine {
        line_id,
        menu: "latte".to_owned(),
        name: Name { en: "Latte".to_owned(), ko: "라떼".to_owned() },
        size: Size::Medium,
        quantity: 1,
        options: vec![],
        takeout: false,
        unit_price: 4_000,
        price: 4_000,
        making_ms: 4_000,
    };
    (1..=3).map(line).collect()
}

pub(crate) fn new_order() -> NewOrder {
    NewOrder {
        store: "main".to_owned(),
        lines: lines().into(),
        takeout: false,
        total: TOTAL,
        currency: Currency::KRW,
        payment: PaymentChoice { vendor: "simulator".to_owned(), token: None },
        pay_within: Duration::from_mins(10),
    }
}

/// An order service in memory, with one order that is told about.
pub(crate) struct Cafe {
    domain: Orders,
    pub(crate) tables: OrderTables,
    pub(crate) order_id: OrderId,
    versions: [u32; 2],
    pub(crate) announced: Vec<u32>,
}

impl Cafe {
    pub(crate) fn new(placed: bool) -> Self {
        let mut cafe = Self {
            domain: Orders { zone: TimeZone::UTC },
            tables: OrderTables::default(),
            order_id: OrderId::from_u128(1),
            versions: [0; 2],
            announced: vec![],
        };
        cafe.tables.orders.fill(cafe.order_id, None);
        cafe.tables.numbers.fill("main".to_owned(), None);
        if placed {
            cafe.order_id = cafe.place().0;
        }
        cafe
    }

    fn now() -> jiff::Timestamp {
        "2026-11-23T10:00:00Z".parse().unwrap()
    }

    pub(crate) fn place(&mut self) -> (OrderId, Order) {
        let place = PlaceOrder { order_id: OrderId::from_u128(7), order: new_order(), key: None };
        match self.ask(&Request::Place(place)) {
            Answer::Placed { order_id, order, repeated: false } => (order_id, Arc::unwrap_or_clone(order)),
            answer => panic!("{answer:?}"),
        }
    }

    pub(crate) fn cancel(&mut self) -> Answer {
        self.ask(&Request::Cancel { order_id: self.order_id, by: Party::Customer, reason: None })
    }

    pub(crate) fn ask(&mut self, request: &Request) -> Answer {
        let mut turn = Turn::<Change>::new();
        self.domain.needs_of_request(request, &mut self.tables);
        let answer = self.domain.decide(&mut self.tables, request, Self::now(), &mut turn);
        self.announced.extend(turn.announced().iter().map(|announcement| announcement.version));
        answer
    }

    pub(crate) fn hear(&mut self, event: Event) {
        self.try_hear(event).unwrap();
    }

    /// Each source's events at its own pace, so that times tell nothing about the interleaving.
    pub(crate) fn try_hear(&mut self, event: Event) -> Result<(), String> {
        let source = if matches!(event, Event::Payment(_)) { Source::Payment } else { Source::Barista };
        let version = self.versions[usize::from(source == Source::Barista)] + 1;
        let heard = Heard {
            source,
            order_id: self.order_id,
            store: "main".to_owned(),
            version,
            at: from_ms(i64::from(version) * 1_000),
            traceparent: None,
            hash: 0,
            said: Said::Known(event),
        };
        self.domain.needs_of_heard(&heard, &mut self.tables);
        let mut turn = Turn::<Change>::new();
        self.domain.hear(&mut self.tables, &heard, Self::now(), &mut turn).map_err(|poison| poison.0)?;
        assert!(turn.announced().is_empty(), "hearing announces nothing");
        self.versions[usize::from(source == Source::Barista)] = version;
        Ok(())
    }

    pub(crate) fn order(&self) -> Order {
        self.tables.orders.get(&self.order_id).map(|order| Order::clone(order)).unwrap_or_default()
    }
}
