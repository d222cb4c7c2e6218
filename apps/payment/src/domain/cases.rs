//! Turns on one order: what is written, announced and then done.

use cafe_clock::{after, from_ms};
use cafe_events::{
    LineId, OrderCancelRequested, OrderEvent, Party, TicketCancelRefused, TicketCancelled, TicketEvent,
    TicketRejected, TicketStarted,
};
use cafe_failures::{log, tried, vendor};

use super::*;
use crate::payment::Status;
use crate::payment::attempt::Charge;
use crate::payment::histories::world::{ORDER, order};
use crate::worker::mailbox;

/// The service, and the row of one order.
struct Service {
    cashier: Cashier,
    row: Option<Payment>,
    now: Timestamp,
}

/// What a turn brought about besides its row.
#[derive(Debug)]
struct Came {
    written: bool,
    announced: Vec<(u32, &'static str)>,
    effects: Vec<Effect>,
}

impl Service {
    fn new() -> Self {
        let cashier = Cashier { gate: Arc::default(), restored_at: None };
        Self { cashier, row: None, now: from_ms(1_800_000_000_000) }
    }

    /// The order was heard, asked for and paid.
    fn paid() -> Self {
        let mut service = Self::new();
        service.hear(service.placed()).unwrap();
        service.answered(16_500);
        service
    }

    fn placed(&self) -> Event {
        Event::Order(OrderEvent::Placed(order(self.now, after(self.now, Duration::from_mins(10))).placed))
    }

    /// The vendor says that it has charged so much.
    fn answered(&mut self, amount: i64) -> Came {
        let (charge_id, at, refunds) = ("ch_7".to_owned(), self.now, Vec::new());
        let charge = Charge { charge_id, order_id: ORDER, amount, currency: Currency::KRW, at, refunds };
        self.ask(What::Answered(1, ChargeAnswer::Approved(charge), SILENCE)).1
    }

    fn hear(&mut self, event: Event) -> Result<Came, Poison> {
        let heard = Heard {
            source: Source::Order,
            order_id: ORDER,
            store: "main".to_owned(),
            version: 5,
            at: self.now,
            traceparent: Some("of the order".to_owned()),
            hash: 0,
            said: Said::Known(event),
        };
        let (mut tables, mut turn) = (Payments::default(), Turn::new());
        self.cashier.needs_of_heard(&heard, &mut tables);
        self.load(&mut tables);
        self.cashier.hear(&mut tables, &heard, self.now, &mut turn)?;
        Ok(self.commit(&tables, &turn))
    }

    fn ask(&mut self, what: What) -> (Result<Done, Refusal>, Came) {
        let request = Request { order_id: ORDER, what, traceparent: None };
        self.request(&request)
    }

    fn request(&mut self, request: &Request) -> (Result<Done, Refusal>, Came) {
        let (mut tables, mut turn) = (Payments::default(), Turn::new());
        self.cashier.needs_of_request(request, &mut tables);
        self.load(&mut tables);
        let answer = self.cashier.decide(&mut tables, request, self.now, &mut turn);
        (answer, self.commit(&tables, &turn))
    }

    fn load(&self, tables: &mut Payments) {
        for key in tables.payments.wanted() {
            tables.payments.fill(key, self.row.clone());
        }
    }

    fn commit(&mut self, tables: &Payments, turn: &Turn<Effect>) -> Came {
        let written = tables.payments.changed().next().map(|(_, payment)| payment.clone());
        let announced = turn.announced().iter().map(|said| (said.version, said.event.kind()));
        let came = Came {
            written: written.is_some(),
            announced: announced.collect(),
            effects: turn.effects().to_vec(),
        };
        self.row = written.or(self.row.take());
        came
    }

    fn payment(&self) -> &Payment {
        self.row.as_ref().expect("the row was written")
    }
}

const SILENCE: Silence = Silence { lasted: Duration::ZERO, draw: 0.0 };

#[test]
fn an_order_is_asked_for_in_the_turn_that_hears_it_and_as_it_was_placed() {
    let mut service = Service::new();
    let came = service.hear(service.placed()).unwrap();
    let [Effect::Ask(ask)] = &came.effects[..] else { panic!("{came:?}") };
    assert_eq!((ask.order_id, ask.attempt, ask.vendor.as_str()), (ORDER, 1, "simulator"));
    assert_eq!((ask.token.as_str(), ask.amount, ask.currency), ("tok_ok", 16_500, Currency::KRW));
    assert_eq!(ask.latest_at, after(service.now, Duration::from_secs(585)));
    assert_eq!(ask.traceparent.as_deref(), Some("of the order"));
    assert_eq!((came.written, came.announced.len()), (true, 0));
    assert_eq!(service.payment().store, "main");
}

#[test]
fn where_there_is_no_room_to_ask_the_worker_is_woken_instead() {
    let mut service = Service::new();
    service.cashier.gate.set_backlog(true);
    let came = service.hear(service.placed()).unwrap();
    assert!(came.written && matches!(came.effects[..], [Effect::Wake]), "{came:?}");
    assert_eq!(service.payment().status(), Status::Due);
}

#[test]
fn an_order_without_its_customers_proof_is_kept_and_waits() {
    let mut service = Service::new();
    let Event::Order(OrderEvent::Placed(mut placed)) = service.placed() else { panic!("it was placed") };
    placed.payment.token = None;
    let came = service.hear(Event::Order(OrderEvent::Placed(placed))).unwrap();
    assert!(came.written && came.announced.is_empty() && came.effects.is_empty(), "{came:?}");
    assert_eq!(service.payment().status(), Status::Due);
}

#[test]
fn what_is_decided_is_announced_in_the_order_of_its_versions() {
    let mut service = Service::new();
    service.hear(service.placed()).unwrap();
    let came = service.answered(16_500);
    assert_eq!(came.announced, [(1, "cafe.payment.approved.v1")]);
    assert!(matches!(came.effects[..], [Effect::Said("approved")]), "{came:?}");
    let (done, came) = service.ask(What::RefundInFull { reason: "sorry".to_owned() });
    assert_eq!((done, came.announced), (Ok(Done::Now), vec![(2, "cafe.payment.cancel_requested.v1")]));
    let (done, came) = service.ask(What::RefundInFull { reason: "sorry".to_owned() });
    assert_eq!((done, came.written, came.effects.len()), (Ok(Done::Already), false, 0));
}

#[test]
fn a_vendor_that_nobody_knows_is_declined_at_once() {
    let mut service = Service::new();
    let Event::Order(OrderEvent::Placed(mut placed)) = service.placed() else { panic!("it was placed") };
    placed.payment.vendor = "bank".to_owned();
    let came = service.hear(Event::Order(OrderEvent::Placed(placed))).unwrap();
    assert_eq!(came.announced, [(1, "cafe.payment.declined.v1")]);
    assert!(matches!(came.effects[..], [Effect::Said("declined")]), "{came:?}");
}

#[test]
fn a_refund_is_asked_for_once_by_whoever_opened_it() {
    let mut service = Service::paid();
    let came = service.hear(rejected(vec![2])).unwrap();
    assert!(matches!(came.effects[..], [Effect::Wake]), "it is due now: {came:?}");
    let (done, came) = service.ask(What::BeginRefund(1));
    let [Effect::Refund(ask)] = &came.effects[..] else { panic!("{came:?}") };
    assert_eq!((done, ask.number, ask.amount, ask.charge_id.as_str()), (Ok(Done::Now), 1, 4_000, "ch_7"));
    assert_eq!((ask.vendor.as_str(), &ask.key), ("simulator", &service.payment().refunds[0].key(ORDER)));
    let (done, came) = service.ask(What::BeginRefund(1));
    assert_eq!((done, came.written, came.effects.len()), (Ok(Done::Already), false, 0));
    let answer = RefundAnswer::Done { amount: 4_000 };
    let (_, came) = service.ask(What::RefundAnswered(1, answer, SILENCE));
    assert_eq!(came.announced, [(2, "cafe.payment.refunded.v1")]);
    assert!(matches!(came.effects[..], [Effect::Said("refunded")]), "{came:?}");
}

#[test]
fn what_was_not_asked_for_rouses_a_person_once() {
    tried(&vendor::OTHER_CHARGE);
    let log = log();
    let mut service = Service::new();
    service.hear(service.placed()).unwrap();
    let came = service.answered(16_499);
    let [Effect::Alarm(alarm)] = &came.effects[..] else { panic!("{came:?}") };
    assert!(alarm.1.contains("16499 KRW instead of 16500 KRW"), "{alarm:?}");
    let (mailbox, _inbox) = mailbox(Arc::default());
    came.effects.into_iter().for_each(|effect| mailbox.take(effect));
    let told = ["the vendor claims a charge that was not asked for; a person must look at it", "16499 KRW"];
    assert!(log.says(&told), "{}", log.text());
    service.now = after(service.now, Duration::from_mins(1));
    let (_, came) = service.ask(What::LookedUp(1, Finding::NotFound, SILENCE));
    assert!(came.written && came.effects.is_empty(), "{came:?}");
}

#[test]
fn what_barista_will_not_make_goes_back_and_most_else_that_it_says_is_nothing_to_payment() {
    let mut service = Service::paid();
    service.hear(rejected(vec![1])).unwrap();
    assert!(!service.hear(rejected(Vec::new())).unwrap().written, "no line is none, and not all of them");
    let cancelled = TicketCancelled { by: Party::Customer, reason: None };
    service.hear(Event::Ticket(TicketEvent::Cancelled(cancelled))).unwrap();
    let refunds = &service.payment().refunds;
    let given: Vec<_> = refunds.iter().map(|refund| (refund.amount, refund.reason.as_str())).collect();
    assert_eq!(given, [(3_500, "cannot_be_made"), (13_000, "cancelled")]);
    let came = service.hear(Event::Ticket(TicketEvent::Started(TicketStarted {}))).unwrap();
    assert!(!came.written && came.effects.is_empty(), "{came:?}");
}

#[test]
fn a_wish_to_cancel_is_honoured_before_the_approval_and_passed_on_behind_it() {
    let wish = || {
        let wish = OrderCancelRequested { by: Party::Customer, reason: None };
        Event::Order(OrderEvent::CancelRequested(wish))
    };
    let mut service = Service::new();
    service.cashier.gate.set_backlog(true);
    service.hear(service.placed()).unwrap();
    assert_eq!(service.hear(wish()).unwrap().announced, [(1, "cafe.payment.cancelled.v1")]);
    let mut service = Service::paid();
    assert_eq!(service.hear(wish()).unwrap().announced, [(2, "cafe.payment.cancel_requested.v1")]);
}

#[test]
fn a_refund_in_full_that_barista_refuses_is_goodwill() {
    let mut service = Service::paid();
    service.ask(What::RefundInFull { reason: "sorry".to_owned() }).0.unwrap();
    let refused = TicketCancelRefused { by: Party::Staff, reason: "the ticket is making".to_owned() };
    service.hear(Event::Ticket(TicketEvent::CancelRefused(refused))).unwrap();
    assert!(matches!(&service.payment().refunds[..], [refund] if refund.goodwill && refund.amount == 16_500));
}

#[test]
fn the_same_order_placed_again_is_set_aside() {
    let mut service = Service::paid();
    let error = service.hear(service.placed()).unwrap_err();
    assert!(error.0.contains("this order was placed before"), "{error}");
}

#[test]
fn nothing_can_be_asked_of_an_order_that_was_never_heard_of() {
    let (answer, came) = Service::new().ask(What::Begin);
    assert_eq!((answer, came.written), (Err(Refusal::NoOrder), false));
}

#[test]
fn a_persons_request_goes_on_under_its_own_trace_and_the_workers_under_the_orders() {
    let mut service = Service::paid();
    assert_eq!(service.payment().traceparent.as_deref(), Some("of the order"));
    let what = What::RefundAmount { amount: 100, reason: "cold".to_owned(), key: None };
    let request = Request { order_id: ORDER, what, traceparent: Some("of the person".to_owned()) };
    service.request(&request).0.unwrap();
    assert_eq!(service.payment().traceparent.as_deref(), Some("of the person"));
    let (_, came) = service.ask(What::BeginRefund(1));
    assert!(
        matches!(&came.effects[..], [Effect::Refund(ask)] if ask.traceparent.as_deref() == Some("of the person"))
    );
}

fn rejected(lines: Vec<LineId>) -> Event {
    Event::Ticket(TicketEvent::Rejected(TicketRejected { lines, all: false, reason: None }))
}
