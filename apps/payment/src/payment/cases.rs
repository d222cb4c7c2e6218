//! Cases that deserve a name of their own.

use std::time::Duration;

use cafe_clock::{after, before, from_ms};
use cafe_events::{Currency, OrderId, OrderPlaced, Party, PaymentChoice, PaymentEvent};
use cafe_failures::{tried, vendor};
use jiff::Timestamp;

use super::attempt::{AttemptState, Charge, ChargeAnswer, Finding, Measured, SETTLE_AFTER};
use super::paying::MAX_ATTEMPTS;
use super::{Decision, Order, Payment, Status, Transition, Wish};

const ORDER: OrderId = OrderId::from_u128(7);
const TOTAL: i64 = 7_500;

fn now() -> Timestamp {
    from_ms(1_800_000_000_000)
}

fn at(seconds: u64, silent_for: Duration) -> Measured {
    Measured { now: after(now(), Duration::from_secs(seconds)), silent_for, draw: 0.0 }
}

fn placed(time_to_pay: Duration) -> Payment {
    let placed = OrderPlaced {
        number: "0001".to_owned(),
        day: "2027-01-15".to_owned(),
        lines: Vec::new(),
        takeout: false,
        total: TOTAL,
        currency: Currency::KRW,
        payment: PaymentChoice { vendor: "simulator".to_owned(), token: Some("tok_ok".to_owned()) },
        pay_by: after(now(), time_to_pay),
    };
    let mut payment = Payment::default();
    let order = Order { order_id: ORDER, placed_at: now(), placed };
    payment.placed(order, true, None, now()).unwrap();
    payment
}

/// As after a restore that lost everything about the order.
fn forgotten() -> Payment {
    let order = placed(Duration::from_mins(10)).order.unwrap();
    let mut payment = Payment::default();
    payment.placed(order, true, Some(after(now(), Duration::from_secs(1))), now()).unwrap();
    payment
}

fn asked(time_to_pay: Duration) -> Payment {
    let mut payment = placed(time_to_pay);
    payment.begin(now()).unwrap();
    payment
}

fn charge(attempt: u32, at: Timestamp) -> Charge {
    Charge {
        charge_id: format!("ch_{attempt}"),
        order_id: ORDER,
        amount: TOTAL,
        currency: Currency::KRW,
        at,
        refunds: Vec::new(),
    }
}

fn silence() -> ChargeAnswer {
    ChargeAnswer::Unclear { arrived: false, detail: String::new() }
}

fn events(transition: Transition) -> Vec<PaymentEvent> {
    match transition {
        Transition::Changed(events) => events,
        Transition::AlreadyDone => panic!("nothing changed"),
    }
}

#[test]
fn nobody_is_asked_in_the_last_fifteen_seconds_or_the_last_third() {
    let latest = |time_to_pay: u64| {
        let payment = placed(Duration::from_secs(time_to_pay));
        cafe_clock::since(payment.order.unwrap().latest_ask(), now()).as_secs()
    };
    assert_eq!(latest(600), 585);
    assert_eq!(latest(45), 30);
    assert_eq!(latest(15), 10);
    assert_eq!(latest(3), 2);
}

#[test]
fn silence_is_closed_only_when_the_request_can_no_longer_arrive() {
    let mut payment = asked(Duration::from_mins(10));
    payment.answered(1, &silence(), at(10, Duration::from_secs(10))).unwrap();
    payment.looked_up(1, &Finding::NotFound, at(34, Duration::from_secs(34))).unwrap();
    assert_eq!(payment.status(), Status::Unknown);
    let mark = after(now(), SETTLE_AFTER);
    assert_eq!(payment.attempts[0].look_at, Some(mark), "one look-up is right when it begins to count");
    payment.looked_up(1, &Finding::NotFound, at(35, SETTLE_AFTER)).unwrap();
    assert_eq!(payment.attempts[0].state, AttemptState::NotCharged);
    assert_eq!(payment.status(), Status::Due);
}

#[test]
fn where_the_clock_was_set_back_nothing_waits_for_it_and_the_vendor_is_not_asked_each_second() {
    let mut payment = asked(Duration::from_mins(10));
    let failed = ChargeAnswer::Unclear { arrived: true, detail: String::new() };
    payment.answered(1, &failed, at(0, Duration::ZERO)).unwrap();
    payment.looked_up(1, &Finding::NotFound, at(1, Duration::from_secs(1))).unwrap();
    assert_eq!(payment.status(), Status::Due);
    let hours = Duration::from_hours(20);
    let set_back = before(now(), hours);
    let measured = Measured { now: set_back, silent_for: Duration::from_mins(1), draw: 0.0 };
    payment.looked_up(1, &Finding::NotFound, measured).unwrap();
    assert_eq!(payment.retry_at, Some(set_back), "it is asked again at once");
    let next = payment.attempts[0].look_at.unwrap();
    assert_eq!(
        next,
        after(set_back, hours / 4),
        "and the closed attempt is looked at as one of 20 hours ago"
    );
}

#[test]
fn an_error_of_the_vendors_own_is_closed_by_one_look() {
    let mut payment = asked(Duration::from_mins(10));
    let failed = ChargeAnswer::Unclear { arrived: true, detail: String::new() };
    payment.answered(1, &failed, at(0, Duration::ZERO)).unwrap();
    payment.looked_up(1, &Finding::NotFound, at(1, Duration::from_secs(1))).unwrap();
    assert_eq!(payment.attempts[0].state, AttemptState::NotCharged);
}

#[test]
fn a_charge_that_is_not_the_one_asked_for_is_never_approved_and_never_forgotten() {
    tried(&vendor::OTHER_CHARGE);
    let wrong = [
        Charge { amount: TOTAL - 1, ..charge(1, now()) },
        Charge { order_id: OrderId::from_u128(8), ..charge(1, now()) },
        Charge { currency: Currency::try_from("USD".to_owned()).unwrap(), ..charge(1, now()) },
    ];
    for wrong in wrong {
        let mut payment = asked(Duration::from_mins(10));
        payment.answered(1, &ChargeAnswer::Approved(wrong), at(0, Duration::ZERO)).unwrap();
        payment.looked_up(1, &Finding::NotFound, at(60, Duration::from_mins(1))).unwrap();
        payment.expire(after(now(), Duration::from_mins(11))).unwrap();
        assert_eq!(payment.status(), Status::Unknown);
        assert!(payment.is_open() && payment.version == 0);
    }
}

#[test]
fn a_vendor_that_never_charges_is_asked_so_often_and_then_the_order_expires() {
    let mut payment = placed(Duration::from_hours(10));
    for attempt in 1..=MAX_ATTEMPTS {
        let minute = u64::from(attempt) * 60;
        payment.begin(at(minute, Duration::ZERO).now).unwrap();
        payment.answered(attempt, &silence(), at(minute + 10, Duration::from_secs(10))).unwrap();
        payment.looked_up(attempt, &Finding::NotFound, at(minute + 40, Duration::from_secs(40))).unwrap();
    }
    payment.begin(at(2 * 3_600, Duration::ZERO).now).unwrap();
    assert_eq!((payment.open_attempt(), payment.decision.clone()), (None, None));
    payment.expire(after(now(), Duration::from_hours(11))).unwrap();
    assert_eq!(payment.decision, Some(Decision::Expired));
}

#[test]
fn an_amount_is_given_back_once_under_one_key() {
    let mut payment = asked(Duration::from_mins(10));
    let approved = ChargeAnswer::Approved(charge(1, now()));
    payment.answered(1, &approved, at(0, Duration::ZERO)).unwrap();
    let mut give =
        |amount, key: &str| payment.refund_amount(amount, "cold".to_owned(), Some(key.to_owned()), now());
    assert_eq!(give(100, "a"), Ok(Transition::Changed(Vec::new())));
    assert_eq!(give(100, "a"), Ok(Transition::AlreadyDone));
    assert_eq!(give(200, "a"), Err(super::Refusal::KeyUsed));
    assert_eq!(give(100, "b"), Ok(Transition::Changed(Vec::new())));
    assert_eq!(payment.refunds.len(), 2);
}

#[test]
fn everything_by_its_amount_is_a_cancel_and_stays_the_same_wish_under_its_key() {
    let mut payment = asked(Duration::from_mins(10));
    payment.answered(1, &ChargeAnswer::Approved(charge(1, now())), at(0, Duration::ZERO)).unwrap();
    let give = |payment: &mut Payment, amount, reason: &str| {
        payment.refund_amount(amount, reason.to_owned(), Some("a".to_owned()), now())
    };
    let said = events(give(&mut payment, TOTAL, "cold").unwrap());
    assert!(matches!(&said[..], [PaymentEvent::CancelRequested(_)]), "{said:?}");
    payment.cancel_refused(3, Party::Staff, now()).unwrap();
    assert_eq!(give(&mut payment, TOTAL, "cold"), Ok(Transition::AlreadyDone));
    assert_eq!(give(&mut payment, TOTAL, "late"), Err(super::Refusal::KeyUsed));
    assert_eq!(give(&mut payment, 100, "cold"), Err(super::Refusal::KeyUsed));
    assert_eq!(payment.refunds.len(), 1);
}

#[test]
fn of_two_charges_the_later_one_is_given_back() {
    let mut payment = asked(Duration::from_mins(10));
    payment.answered(1, &silence(), at(10, Duration::from_secs(10))).unwrap();
    payment.looked_up(1, &Finding::NotFound, at(40, Duration::from_secs(40))).unwrap();
    payment.begin(at(60, Duration::ZERO).now).unwrap();
    let first = Finding::Found(charge(1, at(61, Duration::ZERO).now));
    let said = events(payment.looked_up(1, &first, at(62, Duration::ZERO)).unwrap());
    assert!(matches!(&said[..], [PaymentEvent::Approved(approved)] if approved.charge_id == "ch_1"));
    let second = ChargeAnswer::Approved(charge(2, at(63, Duration::ZERO).now));
    payment.answered(2, &second, at(63, Duration::from_secs(3))).unwrap();
    assert_eq!(payment.charged(), 2 * TOTAL);
    let refunds: Vec<_> = payment.refunds.iter().map(|refund| (refund.attempt, refund.amount)).collect();
    assert_eq!(refunds, [(2, TOTAL)]);
}

#[test]
fn a_clear_refusal_is_the_answer_even_if_a_cancel_was_wished_for() {
    let mut payment = asked(Duration::from_mins(10));
    payment.cancel(Wish { by: Party::Customer, reason: None }, now()).unwrap();
    let refused = ChargeAnswer::Declined { reason: "card_declined".to_owned() };
    let said = events(payment.answered(1, &refused, at(1, Duration::ZERO)).unwrap());
    assert!(matches!(&said[..], [PaymentEvent::Declined(_)]), "{said:?}");
    assert!(!payment.is_open());
}

#[test]
fn a_closed_attempt_is_looked_up_for_a_day_and_then_left_alone() {
    let mut payment = asked(Duration::from_secs(15));
    payment.answered(1, &silence(), at(10, Duration::from_secs(10))).unwrap();
    payment.looked_up(1, &Finding::NotFound, at(35, SETTLE_AFTER)).unwrap();
    let mut looks = 0;
    while let Some((due, ..)) = payment.next_task() {
        let silent_for = cafe_clock::since(due, now());
        payment.looked_up(1, &Finding::NotFound, Measured { now: due, silent_for, draw: 0.0 }).unwrap();
        looks += 1;
    }
    assert_eq!(payment.decision, Some(Decision::Expired));
    assert!((20..60).contains(&looks), "{looks}");
}

#[test]
fn the_customers_proof_is_forgotten_once_it_is_decided() {
    let mut payment = asked(Duration::from_mins(10));
    payment.answered(1, &ChargeAnswer::Approved(charge(1, now())), at(0, Duration::ZERO)).unwrap();
    assert_eq!(payment.order.unwrap().placed.payment.token, None);
}

#[test]
fn after_a_restore_the_first_charge_on_record_decides_at_once_whatever_its_number() {
    let mut payment = forgotten();
    assert_eq!(payment.attempts[0].looked_up_under(), 1..=MAX_ATTEMPTS);
    let found = Finding::Found(charge(2, now()));
    let said = events(payment.probed(1, 2, &found, at(1, Duration::from_secs(1))).unwrap());
    assert!(matches!(&said[..], [PaymentEvent::Approved(approved)] if approved.charge_id == "ch_2"));
    let numbers: Vec<_> = payment.attempts.iter().map(|attempt| attempt.number).collect();
    assert_eq!(numbers, [2, 3]);
    assert_eq!(
        payment.attempts[1].look_at,
        Some(after(now(), SETTLE_AFTER)),
        "for the rest one look is enough"
    );
    payment.probed(3, MAX_ATTEMPTS, &Finding::NotFound, at(35, SETTLE_AFTER)).unwrap();
    assert!(!payment.is_open());
}

#[test]
fn after_a_restore_nothing_is_asked_before_what_was_not_found_can_no_longer_come() {
    let mut payment = forgotten();
    payment.probed(1, MAX_ATTEMPTS, &Finding::NotFound, at(34, Duration::from_secs(34))).unwrap();
    payment.begin(at(34, Duration::ZERO).now).unwrap();
    assert_eq!(payment.attempts[0].looked_up_under(), 1..=MAX_ATTEMPTS);
    payment.probed(1, MAX_ATTEMPTS, &Finding::NotFound, at(35, SETTLE_AFTER)).unwrap();
    assert_eq!((payment.attempts.len(), payment.checking), (0, false));
    payment.begin(at(35, Duration::ZERO).now).unwrap();
    assert!(!payment.attempts[0].probe);
}

#[test]
fn no_attempt_has_a_number_that_a_restore_would_not_look_under() {
    let mut payment = forgotten();
    let unwanted = Charge { at: after(now(), Duration::from_mins(11)), ..charge(MAX_ATTEMPTS, now()) };
    payment.probed(1, MAX_ATTEMPTS, &Finding::Found(unwanted), at(1, Duration::from_secs(1))).unwrap();
    payment.begin(at(2, Duration::ZERO).now).unwrap();
    assert_eq!(payment.open_attempt(), None);
}
