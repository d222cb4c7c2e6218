//! Cases that deserve a name of their own.

use std::time::Duration;

use cafe_clock::from_ms;
use cafe_delivery::Domain;
use cafe_events::{
    Event, Heard, OrderId, Party, PaymentCancelRequested, PaymentChoice, PaymentEvent, PaymentRefunded, Said,
    Source,
};

use crate::domain::{Change, read_news};
use crate::histories::{Cafe, TOTAL, approved, cancel_refused, new_order, queued, rejected};
use crate::numbers::{DayNumbers, business_day};
use crate::order::{NewOrder, Order, PaymentOutcome, Refusal, Status};
use crate::requests::IdempotencyKey;
use crate::tokens::Tokens;
use crate::{Answer, OrderTables, Orders, PlaceOrder, Request};

const ORDER: OrderId = OrderId::from_u128(7);

#[test]
fn a_customer_waits_for_payment_once_there_is_a_proof_and_until_payment_speaks() {
    let mut cafe = Cafe::new(false);
    assert!(!cafe.place().1.waits_for_payment(), "it waits for its customer");
    let payment = PaymentChoice { vendor: "simulator".to_owned(), token: Some("tok_ok".to_owned()) };
    let (mut order, _) =
        Order::place(&NewOrder { payment, ..new_order() }, "0001".to_owned(), String::new(), from_ms(0));
    assert!(order.waits_for_payment());
    order.payment.outcome = Some(PaymentOutcome::Approved);
    assert!(!order.waits_for_payment());
    assert!(!Order::default().waits_for_payment(), "nothing is known of it");
}

#[test]
fn a_wish_to_cancel_is_shown_whoever_took_it() {
    let mut order = Order::default();
    assert!(!order.is_cancel_requested());
    order.cancel_requested_at = Some(from_ms(1));
    assert!(order.is_cancel_requested());
    let mut order = Order::default();
    order.payment.cancel_forwarded = true;
    assert!(order.is_cancel_requested());
}

#[test]
fn an_order_is_shown_as_it_was_placed_whatever_became_of_it() {
    let mut cafe = Cafe::new(true);
    let placed = cafe.order();
    cafe.cancel();
    cafe.hear(Event::Payment(approved(TOTAL)));
    assert_ne!(cafe.order(), placed);
    assert_eq!(cafe.order().as_placed(), placed);
    assert_eq!((placed.version, placed.store.as_str(), placed.status()), (1, "main", Status::Placed));
}

#[test]
fn money_that_went_back_does_not_come_again() {
    let refunded = |refunded_total| {
        Event::Payment(PaymentEvent::Refunded(PaymentRefunded {
            amount: 1_000,
            currency: cafe_events::Currency::KRW,
            refunded_total,
            lines: Vec::new(),
            reason: "sorry".to_owned(),
            goodwill: true,
        }))
    };
    let mut cafe = Cafe::new(true);
    cafe.hear(Event::Payment(approved(TOTAL)));
    cafe.hear(refunded(2_000));
    let error = cafe.try_hear(refunded(1_999)).unwrap_err();
    assert!(error.contains("1999 went back in all, after it had said 2000"), "{error}");
    cafe.hear(refunded(2_000));
    cafe.hear(refunded(3_000));
    assert_eq!(cafe.order().payment.refunded, 3_000);
}

#[test]
fn the_same_key_is_the_same_order_as_it_is_now_and_with_another_body_it_is_refused() {
    let mut cafe = Cafe::new(false);
    let key = |body: &str| IdempotencyKey { key: "k".to_owned(), body_hash: body.to_owned() };
    let place = |number: u128, body: &str| {
        let order_id = OrderId::from_u128(number);
        Request::Place(PlaceOrder { order_id, order: new_order(), key: Some(key(body)) })
    };
    let repeat = |body: &str| Request::Repeat { store: "main".to_owned(), key: key(body) };
    cafe.tables.keys.fill(("main".to_owned(), "k".to_owned()), None);
    assert!(matches!(cafe.ask(&repeat("a")), Answer::NotTaken));
    assert!(matches!(cafe.ask(&place(7, "a")), Answer::Placed { repeated: false, .. }));
    cafe.order_id = ORDER;
    cafe.hear(Event::Payment(approved(TOTAL)));
    for again in [place(8, "a"), repeat("a")] {
        let Answer::Placed { order_id, order, repeated: true } = cafe.ask(&again) else {
            panic!("it was taken before")
        };
        assert_eq!((order_id, order.status()), (ORDER, Status::Paid));
    }
    for other in [place(9, "b"), repeat("b")] {
        assert!(matches!(cafe.ask(&other), Answer::KeyUsed));
    }
    assert_eq!(cafe.announced, [1], "one order was announced");
}

#[test]
fn a_body_is_the_same_however_it_is_priced_and_another_if_it_wishes_for_something_else() {
    let order = new_order();
    let mut dearer = order.clone();
    dearer.total += 1;
    assert_eq!(order.body_hash(), dearer.body_hash());
    let to_go = NewOrder { takeout: true, ..order.clone() };
    let mut lines = order.lines.to_vec();
    lines[1].quantity = 2;
    let more = NewOrder { lines: lines.into(), ..order.clone() };
    assert_ne!(order.body_hash(), to_go.body_hash());
    assert_ne!(order.body_hash(), more.body_hash());
}

#[test]
fn the_first_secret_stays_the_secret() {
    let mut cafe = Cafe::new(false);
    cafe.tables.token_secret.fill((), None);
    for candidate in ["first", "second"] {
        let answer = cafe.ask(&Request::TokenSecret(candidate.to_owned()));
        assert!(matches!(answer, Answer::TokenSecret(secret) if secret == "first"));
    }
}

#[test]
fn other_replicas_are_told_of_a_change_and_when_payment_has_reached_an_order() {
    let placed_at = Some(from_ms(1_234));
    let change = |before, after| Change { order_id: ORDER, placed_at, before, after };
    assert_eq!(Orders::news_of(&change(None, Status::Placed)), None, "nobody watches it yet");
    for (before, after, reached) in [
        (Status::Placed, Status::Paid, placed_at),
        (Status::Placed, Status::Declined, placed_at),
        (Status::Placed, Status::Placed, None),
        (Status::Paid, Status::Making, None),
    ] {
        let news = read_news(&Orders::news_of(&change(Some(before), after)).unwrap()).unwrap();
        assert_eq!((news.order_id, news.reached), (ORDER, reached), "{before:?} -> {after:?}");
    }
    assert_eq!(read_news("no order"), None);
}

#[test]
fn a_number_that_was_called_out_for_a_lost_order_is_not_given_again() {
    let mut cafe = Cafe::new(false);
    cafe.hear(Event::Ticket(queued()));
    assert!(cafe.order().placed.is_none());
    cafe.hear(Event::Payment(approved(TOTAL)));
    assert_eq!(cafe.tables.numbers.get(&"main".to_owned()).map(|numbers| numbers.last), Some(42));
}

#[test]
fn every_status_has_the_word_that_customers_programs_read() {
    let names = [
        (Status::Placed, "placed", false),
        (Status::Paid, "paid", false),
        (Status::Making, "making", false),
        (Status::Ready, "ready", false),
        (Status::PickedUp, "picked_up", true),
        (Status::Declined, "declined", true),
        (Status::Expired, "expired", true),
        (Status::Cancelled, "cancelled", true),
        (Status::Refunded, "refunded", true),
        (Status::Uncollected, "uncollected", true),
    ];
    for (status, name, is_final) in names {
        assert_eq!((status.name(), status.is_final()), (name, is_final));
        assert_eq!(serde_json::to_value(status).unwrap(), name);
    }
}

#[test]
fn an_order_has_ten_minutes_to_be_paid_from_when_it_is_placed() {
    let (order, _) = Order::place(&new_order(), "0001".to_owned(), "2026-11-23".to_owned(), from_ms(1_000));
    let placed = order.placed.unwrap();
    assert_eq!(placed.pay_by, Some(from_ms(1_000 + Duration::from_mins(10).as_millis() as i64)));
}

#[test]
fn every_row_that_is_looked_at_is_asked_for() {
    let orders = Orders { zone: jiff::tz::TimeZone::UTC };
    let heard = |event| Heard {
        source: Source::Payment,
        order_id: ORDER,
        store: "main".to_owned(),
        version: 1,
        at: from_ms(0),
        traceparent: None,
        hash: 0,
        said: Said::Known(event),
    };
    let mut tables = OrderTables::default();
    orders.needs_of_heard(&heard(Event::Ticket(queued())), &mut tables);
    assert_eq!((tables.orders.wanted(), tables.numbers.wanted().len()), (vec![ORDER], 0));
    orders.needs_of_heard(&heard(Event::Payment(approved(TOTAL))), &mut tables);
    assert_eq!(tables.numbers.wanted(), ["main"]);
    let mut tables = OrderTables::default();
    let key = Some(IdempotencyKey { key: "k".to_owned(), body_hash: String::new() });
    let place = PlaceOrder { order_id: ORDER, order: new_order(), key };
    orders.needs_of_request(&Request::Place(place), &mut tables);
    assert!(tables.orders.wanted().is_empty(), "a new id has no row");
    assert_eq!(tables.numbers.wanted(), ["main"]);
    assert_eq!(tables.keys.wanted(), [("main".to_owned(), "k".to_owned())]);
    let other = OrderId::from_u128(8);
    let cancel = Request::Cancel { order_id: other, by: Party::Customer, reason: None };
    orders.needs_of_request(&cancel, &mut tables);
    assert_eq!(tables.orders.wanted(), [other]);
}

#[test]
fn a_cancel_is_refused_once_its_ticket_has_ended_or_barista_has_refused_one() {
    for ended in [rejected(vec![1, 2, 3], true), cancel_refused()] {
        let mut cafe = Cafe::new(true);
        cafe.hear(Event::Payment(approved(TOTAL)));
        cafe.hear(Event::Ticket(queued()));
        cafe.hear(Event::Ticket(ended));
        assert_eq!(cafe.order().status(), Status::Paid, "its money is not back yet");
        assert!(matches!(cafe.cancel(), Answer::Refused(Refusal::MakingStarted)));
    }
}

#[test]
fn a_wish_that_payment_has_passed_on_is_shown() {
    let mut cafe = Cafe::new(true);
    cafe.hear(Event::Payment(approved(TOTAL)));
    let wish = PaymentCancelRequested { by: Party::Staff, reason: None };
    cafe.hear(Event::Payment(PaymentEvent::CancelRequested(wish)));
    assert!(cafe.order().is_cancel_requested());
}

#[test]
fn a_business_day_begins_at_midnight_where_the_cafe_is() {
    let seoul = jiff::tz::TimeZone::fixed(jiff::tz::offset(9));
    let at = |text: &str| text.parse().unwrap();
    assert_eq!(business_day(at("2026-11-23T14:59:59Z"), &seoul).to_string(), "2026-11-23");
    assert_eq!(business_day(at("2026-11-23T15:00:00Z"), &seoul).to_string(), "2026-11-24");
}

#[test]
fn a_counter_that_rises_to_what_was_called_out_does_not_skip_ahead_again() {
    let day = jiff::civil::date(2026, 11, 23);
    let skipped = DayNumbers { day, last: 1_001, skipped_for_ms: 5 };
    let raised = DayNumbers::raised(Some(&skipped), day, 1_002).unwrap();
    assert_eq!(raised, DayNumbers { last: 1_002, ..skipped });
}

#[test]
fn a_secret_is_256_random_bits() {
    let ids = cafe_clock::Ids::seeded(7);
    let [one, other] = [Tokens::new_secret(&ids), Tokens::new_secret(&ids)];
    assert_eq!((one.len(), one == other), (43, false));
}
