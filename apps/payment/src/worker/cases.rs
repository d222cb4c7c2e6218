//! What the worker decides, case by case: whether a vendor is asked, and what its answer or its silence comes to.

use std::sync::Arc;
use std::time::Duration;

use cafe_clock::{Clock, Ids, after, from_ms};
use cafe_delivery::TurnError;
use cafe_events::{Currency, OrderId};
use cafe_failures::{clock, log, replica, tried};

use super::gate::{ASKS_WAITING, Gate};
use super::memory::Memory;
use super::scout::{Bells, Scout};
use super::till::{Job, Reported, Till};
use crate::domain::{Ask, Done, What};
use crate::payment::agenda::Lane;
use crate::payment::attempt::{Charge, ChargeAnswer, Finding, Measured};
use crate::payment::histories::world::{ORDER, order};
use crate::payment::refund::{NotMade, RefundAnswer};
use crate::payment::{Payment, Refusal};
use crate::timer::Timer;
use crate::vendor::READ_TIMEOUT;

const START: Duration = Duration::ZERO;
/// When a vendor's breaker lets the first probes through again.
const LATER: Duration = Duration::from_secs(2);

#[test]
fn an_attempt_is_opened_in_a_turn_only_if_it_will_be_asked_soon() {
    let gate = Gate::default();
    assert!(gate.has_room());
    gate.set_backlog(true);
    assert!(!gate.has_room(), "others wait in the database and come first");
    gate.set_backlog(false);
    (1..ASKS_WAITING).for_each(|_| gate.joins());
    assert!(gate.has_room());
    gate.joins();
    assert!(!gate.has_room(), "as many wait as may");
    gate.leaves();
    assert!(gate.has_room());
    gate.stop();
    assert!(!gate.has_room() && gate.is_stopping());
    let failing = Gate::default();
    fail(&failing, 20, START);
    assert!(!failing.has_room());
}

#[test]
fn as_many_orders_are_begun_as_there_is_room_for() {
    let gate = Gate::default();
    assert_eq!((gate.room(START), gate.is_full(START), gate.breaker_state(START)), (256, true, 0.0));
    gate.joins();
    assert_eq!(gate.room(START), 255);
    fail(&gate, 20, START);
    assert_eq!((gate.room(START), gate.is_full(START), gate.breaker_state(START)), (0, false, 2.0));
    assert_eq!((gate.room(LATER), gate.is_full(LATER), gate.breaker_state(LATER)), (3, false, 1.0));
    let probe = gate.admit(LATER).expect("a probe is let through");
    assert_eq!(gate.room(LATER), 2);
    gate.record(probe, true, LATER, 0.0);
    let probe = gate.admit(LATER).expect("another one");
    gate.record(probe, true, LATER, 0.0);
    assert_eq!((gate.room(LATER), gate.has_room()), (255, true));
    gate.stop();
    assert_eq!((gate.room(LATER), gate.is_full(LATER)), (0, false));
}

fn fail(gate: &Gate, calls: u32, now: Duration) {
    for _ in 0..calls {
        let pass = gate.admit(now).expect("it is let through");
        gate.record(pass, false, now, 0.0);
    }
}

#[test]
fn a_charge_is_not_asked_for_too_late_nor_by_two_nor_of_a_vendor_that_fails() {
    tried(&replica::LEADER_FROZEN);
    let (till, clock) = till();
    assert!(till.may_charge(&ask(&clock, START), true).is_ok(), "at the last moment");
    assert_eq!(why_not(&till, &ask(&clock, START), false), "another process may have taken over");
    let late = ask(&clock, START);
    clock.advance(Duration::from_millis(1));
    assert_eq!(why_not(&till, &late, true), "too late");
    for _ in 0..20 {
        let charging = till.may_charge(&ask(&clock, LATER), true).expect("it may be asked");
        till.charge_answered(charging, None);
    }
    assert_eq!(why_not(&till, &ask(&clock, LATER), true), "the breaker is open");
    till.gate.stop();
    assert_eq!(why_not(&till, &ask(&clock, LATER), true), "the service is stopping");
}

fn why_not(till: &Till, ask: &Ask, is_leading: bool) -> String {
    match till.may_charge(ask, is_leading) {
        Err(ChargeAnswer::NotSent { detail }) => detail,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_clear_answer_counts_as_one_whatever_it_says() {
    let (till, clock) = till();
    for answer in [ChargeAnswer::Declined { reason: "no".to_owned() }, ChargeAnswer::Approved(charge(1))] {
        for _ in 0..20 {
            let charging = till.may_charge(&ask(&clock, LATER), true).expect("it may be asked");
            assert_eq!(till.charge_answered(charging, Some(answer.clone())), answer);
        }
    }
    assert!(till.may_charge(&ask(&clock, LATER), true).is_ok());
}

#[test]
fn a_refund_is_asked_for_by_whoever_leads() {
    assert_eq!(Till::may_refund(true), Ok(()));
    assert!(matches!(Till::may_refund(false), Err(RefundAnswer::Unclear { arrived: false, .. })));
    assert!(matches!(Till::refund_answered(None), RefundAnswer::Unclear { arrived: false, .. }));
    let done = RefundAnswer::Done { amount: 1 };
    assert_eq!(Till::refund_answered(Some(done.clone())), done);
}

#[test]
fn a_request_without_an_answer_was_sent_no_longer_ago_than_its_time_out() {
    let (till, clock) = till();
    clock.advance(Duration::from_mins(1));
    let unclear = ChargeAnswer::Unclear { arrived: false, detail: String::new() };
    // Frozen for a minute just before it was sent.
    let What::Answered(7, _, silence) = till.charge_report(ORDER, 7, unclear, START) else {
        panic!("a report")
    };
    assert_eq!(silence.lasted, READ_TIMEOUT);
    let clear = ChargeAnswer::Approved(charge(8));
    till.charge_report(ORDER, 8, clear, Duration::from_secs(58));
    let unclear = RefundAnswer::Unclear { arrived: false, detail: String::new() };
    let report = till.refund_report(1, "a".to_owned(), unclear, Duration::from_secs(58));
    assert!(
        matches!(report, What::RefundAnswered(1, _, silence) if silence.lasted == Duration::from_secs(2))
    );
    till.refund_report(2, "b".to_owned(), RefundAnswer::Done { amount: 1 }, START);
    let sent = [format!("{ORDER}/7"), format!("{ORDER}/8"), "a".to_owned(), "b".to_owned()];
    let sent = sent.map(|key| till.memory.sent_at(&key).map(|at| at.as_secs()));
    assert_eq!(sent, [Some(50), None, Some(58), None], "only what was not answered is remembered");
}

#[test]
fn an_attempt_is_looked_up_under_its_key_and_one_that_is_found_is_forgotten() {
    let (till, clock) = till();
    let mut payment = placed(&clock);
    payment.begin(clock.now()).unwrap();
    clock.advance(Duration::from_mins(1));
    let unclear = ChargeAnswer::Unclear { arrived: false, detail: String::new() };
    till.charge_report(ORDER, 1, unclear, till.timer.elapsed());
    clock.advance(Duration::from_secs(7));
    let (Some(Lane::Asked), Job::LookUp(mut look_up)) = till.job(ORDER, &payment) else {
        panic!("a look-up")
    };
    assert_eq!(look_up.next_key(), Some(format!("{ORDER}/1")));
    look_up.found(Some(Finding::Found(charge(1))), &till.memory);
    assert_eq!((look_up.next_key(), look_up.under()), (None, 1));
    assert_eq!(till.memory.sent_at(&format!("{ORDER}/1")), None);
    let What::LookedUp(1, Finding::Found(_), silence) = look_up.report() else { panic!("it was found") };
    assert_eq!(silence.lasted, Duration::from_secs(7));
}

#[test]
fn what_a_dead_process_sent_was_sent_before_this_one_started() {
    let (till, clock) = till();
    let mut payment = placed(&clock);
    payment.begin(clock.now()).unwrap();
    clock.advance(Duration::from_secs(9));
    let (_, Job::LookUp(mut look_up)) = till.job(ORDER, &payment) else { panic!("a look-up") };
    look_up.next_key();
    look_up.found(None, &till.memory);
    assert!(matches!(look_up.finding(), Finding::Unclear { .. }));
    let What::LookedUp(1, _, silence) = look_up.report() else { panic!("a report") };
    assert_eq!(silence.lasted, Duration::from_secs(9));
}

#[test]
fn after_a_restore_one_key_after_the_other_is_looked_under_until_something_is_found() {
    let (till, clock) = till();
    let mut payment = Payment::default();
    let order = order(clock.now(), after(clock.now(), Duration::from_mins(10)));
    payment.placed(order, true, Some(after(clock.now(), LATER)), clock.now()).unwrap();
    let (Some(Lane::Look), Job::LookUp(mut look_up)) = till.job(ORDER, &payment) else { panic!("a look-up") };
    assert_eq!(look_up.next_key(), Some(format!("{ORDER}/1")));
    look_up.found(Some(Finding::NotFound), &till.memory);
    assert_eq!(look_up.next_key(), Some(format!("{ORDER}/2")));
    look_up.found(Some(Finding::Found(charge(2))), &till.memory);
    assert_eq!(look_up.next_key(), None);
    assert!(matches!(look_up.report(), What::Probed(1, 2, Finding::Found(_), _)));
}

#[test]
fn a_refund_is_begun_when_it_is_due_and_looked_up_once_it_was_asked_for() {
    let (till, clock) = till();
    let mut payment = placed(&clock);
    assert!(matches!(till.job(ORDER, &payment), (Some(Lane::Ask), Job::Nothing)));
    payment.begin(clock.now()).unwrap();
    let measured = Measured { now: clock.now(), silent_for: START, draw: 0.0 };
    payment.answered(1, &ChargeAnswer::Approved(charge(1)), measured).unwrap();
    assert!(matches!(till.job(ORDER, &payment), (None, Job::Nothing)));
    for line in [1, 2] {
        let what = NotMade { version: line.into(), lines: vec![line], reason: "no milk".to_owned() };
        payment.not_made(what, clock.now()).unwrap();
    }
    assert!(matches!(till.job(ORDER, &payment), (Some(Lane::Refund), Job::BeginRefund(1))));
    payment.begin_refund(1, clock.now()).unwrap();
    payment.refund_answered(1, &RefundAnswer::Done { amount: 3_500 }, measured).unwrap();
    payment.begin_refund(2, clock.now()).unwrap();
    let (Some(Lane::Asked), Job::LookUpRefund(look_up)) = till.job(ORDER, &payment) else {
        panic!("a look-up")
    };
    assert_eq!((look_up.number, &look_up.key), (2, &payment.refunds[1].key(ORDER)));
    till.memory.unanswered(look_up.key.clone(), START);
    let key = look_up.key.clone();
    let report = look_up.report(Some(RefundAnswer::Done { amount: 4_000 }), &till.memory);
    assert!(matches!(report, What::RefundAnswered(2, RefundAnswer::Done { .. }, _)));
    assert_eq!(till.memory.sent_at(&key), None, "it is settled");
}

#[test]
fn orders_that_somebody_is_busy_with_are_left_to_them() {
    let (till, _) = till();
    let orders = [1, 2, 3, 4].map(OrderId::from_u128);
    assert!(till.memory.enter(orders[0]) && !till.memory.enter(orders[0]));
    till.memory.enter_to_ask(orders[1]);
    assert!(!till.memory.is_asking(orders[0]) && till.memory.is_asking(orders[1]));
    assert_eq!(till.not_busy(orders.to_vec(), 1), [orders[2]]);
    for order_id in orders {
        till.memory.leave(order_id);
    }
    assert!(!till.memory.is_asking(orders[1]));
    assert_eq!(till.not_busy(orders.to_vec(), 9), orders);
}

#[test]
fn a_report_is_handed_in_until_it_is_stored_or_the_process_ends() {
    let of = |outcome| Reported::of(&outcome);
    assert_eq!(of(Ok(Ok(Done::Now))), Reported::Done);
    assert_eq!(of(Err(TurnError::Stopped)), Reported::Done);
    assert_eq!(of(Err(TurnError::OutcomeUnknown)), Reported::Done);
    assert_eq!(of(Err(TurnError::Busy)), Reported::Again);
    assert_eq!(of(Err(TurnError::DiskFull)), Reported::Again);
    assert_eq!(of(Ok(Err(Refusal::NoOrder))), Reported::Lost);
}

#[test]
fn when_the_clock_was_set_back_everything_that_waits_is_looked_at() {
    tried(&clock::STEPS_BACK);
    let log = log();
    let (till, clock) = till();
    let bells = Bells::default();
    let takes_all = |bells: &Bells| Lane::ALL.map(|lane| bells.lane(lane).takes_all());
    assert_eq!(takes_all(&bells), [false, true, true, false, true], "what a dead process left");
    let mut scout = Scout::new(&till.timer);
    clock.advance(Duration::from_secs(10));
    scout.look(&till.timer, &bells);
    assert_eq!(takes_all(&bells), [false; 5], "and once only");
    clock.step(-2_000);
    scout.look(&till.timer, &bells);
    assert_eq!(takes_all(&bells), [false; 5], "clocks are corrected a little all the time");
    clock.step(-2_001);
    scout.look(&till.timer, &bells);
    assert_eq!(takes_all(&bells), [true; 5]);
    assert!(log.says(&["the clock was set back; everything that waits is looked at"]), "{}", log.text());
    scout.look(&till.timer, &bells);
    assert_eq!(takes_all(&bells), [false; 5]);
}

#[test]
fn what_is_remembered_of_a_request_is_when_it_was_sent_until_it_is_settled() {
    let memory = Memory::default();
    memory.unanswered("a".to_owned(), LATER);
    assert_eq!((memory.sent_at("a"), memory.sent_at("b")), (Some(LATER), None));
    memory.settled("a");
    assert_eq!(memory.sent_at("a"), None);
}

fn till() -> (Till, Clock) {
    let clock = Clock::simulated(from_ms(1_800_000_000_000));
    let timer = Timer::new(clock.clone());
    (Till { gate: Arc::default(), memory: Memory::default(), timer, ids: Ids::seeded(7) }, clock)
}

fn placed(clock: &Clock) -> Payment {
    let mut payment = Payment::default();
    let order = order(clock.now(), after(clock.now(), Duration::from_mins(10)));
    payment.placed(order, true, None, clock.now()).unwrap();
    payment
}

/// To be asked for within `time` from now.
fn ask(clock: &Clock, time: Duration) -> Ask {
    Ask {
        order_id: ORDER,
        attempt: 1,
        vendor: "simulator".to_owned(),
        token: "tok_ok".to_owned(),
        amount: 16_500,
        currency: Currency::KRW,
        latest_at: after(clock.now(), time),
        traceparent: None,
    }
}

fn charge(attempt: u32) -> Charge {
    Charge {
        charge_id: format!("ch_{attempt}"),
        order_id: ORDER,
        amount: 16_500,
        currency: Currency::KRW,
        at: from_ms(1_800_000_000_000),
        refunds: Vec::new(),
    }
}
