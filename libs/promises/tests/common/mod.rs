//! A very small cafe, of facts only: what each service says is noted as it would be found in its database.

#![allow(clippy::unwrap_used, reason = "a test that cannot build its facts may end here")]
#![allow(dead_code, reason = "each test file uses its part")]

use cafe_events::{
    Currency, Event, Name, OrderCancelRequested, OrderEvent, OrderId, OrderLine, OrderPlaced, Party,
    PaymentApproved, PaymentCancelRequested, PaymentChoice, PaymentDeclined, PaymentEvent, PaymentExpired,
    PaymentRefunded, Record, Size, Source, TicketCancelRefused, TicketCancelled, TicketEvent,
    TicketLineReady, TicketPickedUp, TicketQueued, TicketReady, TicketRecalled, TicketRejected,
    TicketStarted,
};
use cafe_promises::{
    AttemptFact, Case, ChargeFact, CustomerFact, EventFact, Evidence, HeardFact, LineFact, LineState,
    LinkFact, LogFact, OrderFact, OrderStatus, PROMISES, PartFact, PaymentFact, PaymentStatus, RefundFact,
    Seen, TicketFact, TicketStatus, Versions,
};
use jiff::Timestamp;
use uuid::Uuid;

pub(crate) const TOTAL: i64 = 7_500;
const FIRST_LINE: i64 = 3_500;
const START_MS: i64 = 1_800_000_000_000;

/// What becomes of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Declined,
    Expired,
    ExpiredAndChargedLate,
    PickedUp,
    RecalledOnce,
    FirstLineRejected,
    AllRejected,
    CancelledInTime,
    CancelledTooLate,
    StillMaking,
}

pub(crate) const FATES: [Fate; 10] = [
    Fate::Declined,
    Fate::Expired,
    Fate::ExpiredAndChargedLate,
    Fate::PickedUp,
    Fate::RecalledOnce,
    Fate::FirstLineRejected,
    Fate::AllRejected,
    Fate::CancelledInTime,
    Fate::CancelledTooLate,
    Fate::StillMaking,
];

/// The evidence a cafe leaves in which these orders were placed, one after the other, and everything was heard.
pub(crate) fn evidence_of(fates: &[Fate]) -> Evidence {
    let mut cafe = Cafe::default();
    for (index, fate) in fates.iter().enumerate() {
        cafe.live_through(index as i64, *fate);
    }
    cafe.close()
}

pub(crate) fn order_id(index: i64) -> OrderId {
    let ms = (START_MS + index * 1_000) as u64;
    uuid::Builder::from_unix_timestamp_millis(ms, &[index as u8; 10]).into_uuid()
}

/// Everything the promises find wrong, one text each.
pub(crate) fn findings(evidence: &Evidence) -> Vec<String> {
    let told = PROMISES.iter().flat_map(|promise| {
        let broken = (promise.judge)(evidence).broken().to_vec();
        broken.into_iter().map(move |broken| format!("{}: {}", promise.says, broken.what))
    });
    told.collect()
}

/// What is known of one order, with a change.
pub(crate) fn one(fate: Fate, change: impl FnOnce(&mut Case)) -> Evidence {
    let mut evidence = evidence_of(&[fate]);
    change(evidence.case(order_id(0)));
    evidence
}

/// What one promise finds wrong.
pub(crate) fn wrong(seen: &Seen) -> Vec<&str> {
    seen.broken().iter().map(|broken| broken.what.as_str()).collect()
}

/// How much one promise has looked at.
pub(crate) fn looked_at(seen: &Seen) -> u64 {
    match seen {
        Seen::Checked { looked_at, .. } => *looked_at,
        Seen::NotChecked(reason) => panic!("{reason}"),
    }
}

#[derive(Default)]
struct Cafe {
    evidence: Evidence,
    last: [i64; 3],
}

impl Cafe {
    fn live_through(&mut self, index: i64, fate: Fate) {
        let id = order_id(index);
        self.place(index, id);
        match fate {
            Fate::Declined => {
                self.say(id, &declined());
                self.payment(id, |payment| payment.status = PaymentStatus::Declined);
            }
            Fate::Expired | Fate::ExpiredAndChargedLate => {
                self.say(
                    id,
                    &Event::Payment(PaymentEvent::Expired(PaymentExpired { pay_by: at(index, 600) })),
                );
                self.payment(id, |payment| payment.status = PaymentStatus::Expired);
                if fate == Fate::ExpiredAndChargedLate {
                    self.charge(id, index);
                    self.refund(id, TOTAL, "charged late");
                }
            }
            paid => {
                self.charge(id, index);
                self.say(id, &approved(index));
                self.payment(id, |payment| payment.status = PaymentStatus::Approved);
                self.queue(id, index);
                self.make(id, paid);
            }
        }
        self.show(id, fate);
    }

    fn place(&mut self, index: i64, id: OrderId) {
        let number = format!("{:04}", index + 1);
        let placed = OrderPlaced {
            number: number.clone(),
            day: "2027-01-15".to_owned(),
            lines: lines(),
            takeout: false,
            total: TOTAL,
            currency: Currency::KRW,
            payment: PaymentChoice { vendor: "simulator".to_owned(), token: None },
            pay_by: at(index, 600),
        };
        self.say(id, &Event::Order(OrderEvent::Placed(placed)));
        let customer = CustomerFact {
            key: format!("key-{index}"),
            number: number.clone(),
            total: TOTAL,
            cancelled: false,
        };
        let case = self.case(id);
        case.customers.push(customer);
        case.order = Some(OrderFact {
            id,
            store: "main".to_owned(),
            number,
            day: "2027-01-15".to_owned(),
            status: OrderStatus::Placed,
            total: TOTAL,
            refunded: 0,
            placed_at: Some(at(index, 0)),
            pay_by: Some(at(index, 600)),
            versions: Versions::default(),
        });
        case.payment = Some(PaymentFact {
            order_id: id,
            status: PaymentStatus::Due,
            total: Some(TOTAL),
            charged: 0,
            refunded: 0,
            goodwill: 0,
            open: false,
            checking: false,
            attempts: vec![AttemptFact { number: 1, asked_at: Some(at(index, 1)), probe: false }],
            refunds: Vec::new(),
            version: 0,
        });
    }

    fn queue(&mut self, id: OrderId, index: i64) {
        let queued = TicketQueued { number: format!("{:04}", index + 1), sequence: index + 1 };
        self.say(id, &Event::Ticket(TicketEvent::Queued(queued)));
        let lines = lines().into_iter().map(|line| LineFact {
            line_id: line.line_id,
            price: line.price,
            state: LineState::Waiting,
        });
        let ticket =
            TicketFact { order_id: id, status: TicketStatus::Queued, lines: lines.collect(), version: 0 };
        self.case(id).ticket = Some(ticket);
    }

    fn make(&mut self, id: OrderId, fate: Fate) {
        match fate {
            Fate::CancelledInTime => {
                self.want_cancelled(id);
                self.ticket(
                    id,
                    TicketEvent::Cancelled(TicketCancelled { by: Party::Customer, reason: None }),
                    TicketStatus::Cancelled,
                );
                self.refund(id, TOTAL, "cancelled");
            }
            Fate::AllRejected => {
                self.reject(id, &[1, 2], TicketStatus::Rejected);
                self.refund(id, TOTAL, "cannot be made");
            }
            Fate::FirstLineRejected => {
                self.reject(id, &[1], TicketStatus::Queued);
                self.refund(id, FIRST_LINE, "cannot be made");
                self.finish(id, &[2]);
            }
            Fate::StillMaking => {
                self.ticket(id, TicketEvent::Started(TicketStarted {}), TicketStatus::Making);
            }
            Fate::CancelledTooLate => {
                self.ticket(id, TicketEvent::Started(TicketStarted {}), TicketStatus::Making);
                self.want_cancelled(id);
                let refused = TicketCancelRefused { by: Party::Customer, reason: "making".to_owned() };
                self.ticket(id, TicketEvent::CancelRefused(refused), TicketStatus::Making);
            }
            Fate::RecalledOnce => {
                self.finish(id, &[1, 2]);
                let recalled = TicketRecalled { lines: vec![2], reason: None };
                self.ticket(id, TicketEvent::Recalled(recalled), TicketStatus::Making);
                self.ticket(id, TicketEvent::LineReady(TicketLineReady { line_id: 2 }), TicketStatus::Making);
                self.ticket(id, TicketEvent::Ready(TicketReady {}), TicketStatus::Ready);
            }
            _ => self.finish(id, &[1, 2]),
        }
    }

    fn finish(&mut self, id: OrderId, made: &[u16]) {
        self.ticket(id, TicketEvent::Started(TicketStarted {}), TicketStatus::Making);
        for &line_id in made {
            self.ticket(id, TicketEvent::LineReady(TicketLineReady { line_id }), TicketStatus::Making);
        }
        let lines = &mut self.case(id).ticket.as_mut().unwrap().lines;
        lines
            .iter_mut()
            .filter(|line| made.contains(&line.line_id))
            .for_each(|line| line.state = LineState::Ready);
        self.ticket(id, TicketEvent::Ready(TicketReady {}), TicketStatus::Ready);
        self.ticket(id, TicketEvent::PickedUp(TicketPickedUp {}), TicketStatus::PickedUp);
    }

    fn reject(&mut self, id: OrderId, rejected: &[u16], status: TicketStatus) {
        let all = rejected.len() == 2;
        let event = TicketEvent::Rejected(TicketRejected { lines: rejected.to_vec(), all, reason: None });
        self.ticket(id, event, status);
        let lines = &mut self.case(id).ticket.as_mut().unwrap().lines;
        lines
            .iter_mut()
            .filter(|line| rejected.contains(&line.line_id))
            .for_each(|line| line.state = LineState::Rejected);
    }

    fn want_cancelled(&mut self, id: OrderId) {
        let by = Party::Customer;
        self.say(id, &Event::Order(OrderEvent::CancelRequested(OrderCancelRequested { by, reason: None })));
        self.say(
            id,
            &Event::Payment(PaymentEvent::CancelRequested(PaymentCancelRequested { by, reason: None })),
        );
        self.case(id).customers[0].cancelled = true;
    }

    fn ticket(&mut self, id: OrderId, event: TicketEvent, status: TicketStatus) {
        self.say(id, &Event::Ticket(event));
        self.case(id).ticket.as_mut().unwrap().status = status;
    }

    fn charge(&mut self, id: OrderId, index: i64) {
        self.case(id).charges.push(ChargeFact { id: format!("ch_{index}"), amount: TOTAL, at: at(index, 2) });
        self.payment(id, |payment| payment.charged += TOTAL);
    }

    fn refund(&mut self, id: OrderId, amount: i64, reason: &str) {
        let charge_id = self.case(id).charges[0].id.clone();
        self.case(id).refunds.push(RefundFact { charge_id, amount });
        self.payment(id, |payment| payment.refunded += amount);
        let refunded_total = self.case(id).payment.as_ref().unwrap().refunded;
        let event = PaymentRefunded {
            amount,
            currency: Currency::KRW,
            refunded_total,
            lines: Vec::new(),
            reason: reason.to_owned(),
            goodwill: false,
        };
        self.say(id, &Event::Payment(PaymentEvent::Refunded(event)));
    }

    /// Everything was heard by everyone: the rows as they are then.
    fn show(&mut self, id: OrderId, fate: Fate) {
        let case = self.case(id);
        let versions = Versions {
            order: case.last_version(Source::Order),
            payment: case.last_version(Source::Payment),
            ticket: case.last_version(Source::Barista),
        };
        let refunded = case.payment.as_ref().unwrap().refunded;
        let order = case.order.as_mut().unwrap();
        (order.versions, order.refunded) = (versions, refunded);
        order.status = match fate {
            Fate::Declined => OrderStatus::Declined,
            Fate::Expired | Fate::ExpiredAndChargedLate => OrderStatus::Expired,
            Fate::PickedUp | Fate::FirstLineRejected => OrderStatus::PickedUp,
            Fate::RecalledOnce => OrderStatus::Ready,
            Fate::AllRejected => OrderStatus::Refunded,
            Fate::CancelledInTime => OrderStatus::Cancelled,
            Fate::CancelledTooLate | Fate::StillMaking => OrderStatus::Making,
        };
        case.payment.as_mut().unwrap().version = versions.payment;
        if let Some(ticket) = &mut case.ticket {
            ticket.version = versions.ticket;
        }
        for listener in Source::ALL {
            for &source in listener.hears() {
                let hashes: Vec<u64> = case.said_by(source).map(|event| event.hash).collect();
                let next_version = case.last_version(source) + 1;
                if next_version > 1 {
                    case.heard.push(HeardFact { listener, source, next_version, hashes });
                }
            }
        }
    }

    fn say(&mut self, id: OrderId, event: &Event) {
        let source = match event {
            Event::Order(_) => Source::Order,
            Event::Payment(_) => Source::Payment,
            Event::Ticket(_) => Source::Barista,
        };
        let position = &mut self.last[source as usize];
        *position += 1;
        let position = *position;
        let version = self.case(id).last_version(source) + 1;
        let said_at = Timestamp::from_millisecond(START_MS + position).unwrap();
        let record = Record { position, ..Record::write(event, id, "main", version, said_at, None) };
        self.case(id).events.push(EventFact::of(source, &record));
    }

    fn payment(&mut self, id: OrderId, change: impl FnOnce(&mut PaymentFact)) {
        change(self.case(id).payment.as_mut().unwrap());
    }

    fn case(&mut self, id: Uuid) -> &mut Case {
        self.evidence.case(id)
    }

    fn close(mut self) -> Evidence {
        for source in Source::ALL {
            let last = self.last[source as usize];
            let log = LogFact {
                log_id: format!("log of {source}"),
                oldest: 1,
                last,
                restored_at: None,
                positions: (1..=last).collect(),
            };
            for listener in source.heard_by() {
                self.evidence.links.insert(
                    (listener, source),
                    LinkFact { parts: vec![PartFact { log_id: log.log_id.clone(), position: last }] },
                );
            }
            self.evidence.logs.insert(source, log);
        }
        self.evidence.note_numbers();
        self.evidence
    }
}

fn at(index: i64, seconds: i64) -> Timestamp {
    Timestamp::from_millisecond(START_MS + (index + seconds) * 1_000).unwrap()
}

fn lines() -> Vec<OrderLine> {
    [(1, "americano", FIRST_LINE), (2, "latte", TOTAL - FIRST_LINE)]
        .map(|(line_id, menu, price)| OrderLine {
            line_id,
            menu: menu.to_owned(),
            name: Name { en: menu.to_owned(), ko: menu.to_owned() },
            size: Size::Medium,
            quantity: 1,
            options: Vec::new(),
            takeout: false,
            unit_price: price,
            price,
            making_ms: 3_000,
        })
        .to_vec()
}

fn declined() -> Event {
    let declined =
        PaymentDeclined { vendor: "simulator".to_owned(), reason: "insufficient_funds".to_owned() };
    Event::Payment(PaymentEvent::Declined(declined))
}

fn approved(index: i64) -> Event {
    Event::Payment(PaymentEvent::Approved(PaymentApproved {
        number: format!("{:04}", index + 1),
        day: "2027-01-15".to_owned(),
        placed_at: at(index, 0),
        lines: lines(),
        takeout: false,
        total: TOTAL,
        currency: Currency::KRW,
        vendor: "simulator".to_owned(),
        charge_id: format!("ch_{index}"),
    }))
}
