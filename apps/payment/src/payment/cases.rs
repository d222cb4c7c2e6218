//! Cases that deserve a name of their own.

mod refunds;

use std::time::Duration;

use cafe_clock::{after, before, from_ms};
use cafe_events::{Currency, OrderId, OrderPlaced, Party, PaymentChoice, PaymentEvent};
use cafe_failures::{tried, vendor};
use jiff::Timestamp;

use super::agenda::{Lane, Task};
use super::attempt::{AttemptState, Charge, ChargeAnswer, Finding, Measured, SETTLE_AFTER, next_look};
use super::histories::world;
use super::paying::MAX_ATTEMPTS;
use super::refund::{NotMade, Refund, RefundAnswer, RefundState};
use super::{Decision, Order, Payment, Refusal, Status, Transition, Wish};

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

/// An order of three lines, for 3500, 4000 and 9000, that is paid.
fn paid() -> Payment {
    let mut payment = Payment::default();
    let order = world::order(now(), after(now(), Duration::from_mins(10)));
    let charge = Charge { amount: order.placed.total, ..charge(1, now()) };
    payment.placed(order, true, None, now()).unwrap();
    payment.begin(now()).unwrap();
    payment.answered(1, &ChargeAnswer::Approved(charge), at(0, Duration::ZERO)).unwrap();
    payment
}

/// The same, and one line cannot be made; its price is being asked back.
fn asked_back() -> Payment {
    let mut payment = paid();
    payment.not_made(not_made(1, vec![2]), now()).unwrap();
    payment.begin_refund(1, now()).unwrap();
    payment
}

fn not_made(version: u32, lines: Vec<u16>) -> NotMade {
    NotMade { version, lines, reason: "no milk".to_owned() }
}

fn refund(payment: &Payment) -> &Refund {
    payment.refunds.last().expect("money is on its way back")
}

fn unclear_refund(arrived: bool) -> RefundAnswer {
    RefundAnswer::Unclear { arrived, detail: String::new() }
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
fn what_had_arrived_once_has_arrived_whatever_is_heard_of_it_later() {
    for arrived in [[true, false], [false, true]] {
        let mut payment = asked(Duration::from_mins(10));
        for arrived in arrived {
            let unclear = ChargeAnswer::Unclear { arrived, detail: String::new() };
            payment.answered(1, &unclear, at(1, Duration::from_secs(1))).unwrap();
        }
        payment.looked_up(1, &Finding::NotFound, at(2, Duration::from_secs(2))).unwrap();
        assert_eq!(payment.attempts[0].state, AttemptState::NotCharged, "{arrived:?}");
    }
}

#[test]
fn an_attempt_that_nobody_has_reported_on_is_closed_no_sooner_than_silence() {
    for (silent_for_s, closed) in [(34, false), (35, true)] {
        let mut payment = asked(Duration::from_mins(10));
        let measured = at(silent_for_s, Duration::from_secs(silent_for_s));
        payment.looked_up(1, &Finding::NotFound, measured).unwrap();
        assert_eq!(payment.open_attempt().is_none(), closed, "{silent_for_s} s");
    }
}

#[test]
fn an_attempt_of_this_life_is_looked_up_under_its_own_key_only() {
    let mut payment = asked(Duration::from_mins(10));
    payment.answered(1, &silence(), at(10, Duration::from_secs(10))).unwrap();
    assert_eq!(payment.attempts[0].looked_up_under(), 1..=1);
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
        let problem = payment.problem().expect("a person is told what is wrong with it");
        assert!(
            problem.starts_with("it is for order") || problem.contains("instead of 7500 KRW"),
            "{problem}"
        );
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
    assert_eq!(payment.why_declined(), Some("card_declined"));
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
    assert!(payment.is_open(), "there may be another charge");
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
fn what_a_restored_copy_had_not_asked_for_yet_is_looked_up_before_it_is() {
    let mut payment = placed(Duration::from_mins(10));
    payment.after_restore(after(now(), Duration::from_secs(1)));
    payment.begin(at(2, Duration::ZERO).now).unwrap();
    assert!(payment.attempts[0].probe && payment.attempts[0].looked_up_under() == (1..=MAX_ATTEMPTS));
}

#[test]
fn only_what_was_placed_before_a_restore_is_gone_through_and_once() {
    let mut payment = placed(Duration::from_mins(10));
    payment.after_restore(cafe_clock::before(now(), Duration::from_millis(1)));
    assert!(!payment.checking, "it was placed afterwards");
    let mut payment = forgotten();
    payment.probed(1, MAX_ATTEMPTS, &Finding::NotFound, at(35, SETTLE_AFTER)).unwrap();
    payment.after_restore(payment.restored_at.unwrap());
    assert!(!payment.checking, "it was done");
}

#[test]
fn no_attempt_has_a_number_that_a_restore_would_not_look_under() {
    let mut payment = forgotten();
    let unwanted = Charge { at: after(now(), Duration::from_mins(11)), ..charge(MAX_ATTEMPTS, now()) };
    payment.probed(1, MAX_ATTEMPTS, &Finding::Found(unwanted), at(1, Duration::from_secs(1))).unwrap();
    payment.begin(at(2, Duration::ZERO).now).unwrap();
    assert_eq!(payment.open_attempt(), None);
}

#[test]
fn a_look_up_is_put_off_by_a_quarter_of_the_age_and_by_up_to_a_tenth_more() {
    tried(&vendor::SILENT);
    let gap_ms = |age_s: u64, silent_for_s: u64, draw: f64| {
        let measured = Measured { now: now(), silent_for: Duration::from_secs(silent_for_s), draw };
        let longest = Duration::from_mins(5);
        let asked_at = before(now(), Duration::from_secs(age_s));
        cafe_clock::since(next_look(asked_at, longest, measured), now()).as_millis()
    };
    assert_eq!(gap_ms(400, 400, 0.0), 100_000);
    assert_eq!(gap_ms(400, 400, 0.5), 105_000, "what failed together is not looked up together");
    assert_eq!(gap_ms(0, 400, 0.0), 1_000, "never at once again");
    assert_eq!(gap_ms(4_000, 4_000, 0.0), 300_000, "never later than this");
    assert_eq!(gap_ms(100, 25, 0.9), 10_000, "exactly when \"not found\" begins to count");
}

#[test]
fn the_vendor_is_asked_again_after_twice_as_long_each_time_and_up_to_half_of_it_more() {
    for draw in [0.0, 1.0] {
        let mut payment = placed(Duration::from_hours(10));
        let mut pauses_ms = Vec::new();
        for attempt in 1..=10 {
            let now = at(u64::from(attempt) * 600, Duration::ZERO).now;
            payment.begin(now).unwrap();
            payment
                .answered(attempt, &silence(), Measured { now, silent_for: Duration::ZERO, draw })
                .unwrap();
            let closed = Measured { now, silent_for: SETTLE_AFTER, draw };
            payment.looked_up(attempt, &Finding::NotFound, closed).unwrap();
            pauses_ms.push(cafe_clock::since(payment.retry_at.unwrap(), now).as_millis());
        }
        let expected = [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 64_000, 64_000];
        assert_eq!(pauses_ms, expected.map(|ms: u128| if draw > 0.5 { ms * 3 / 2 } else { ms }));
    }
}

#[test]
fn an_attempt_that_was_never_sent_leaves_its_number_to_the_next_one() {
    let mut payment = asked(Duration::from_mins(10));
    let not_sent = ChargeAnswer::NotSent { detail: String::new() };
    payment.answered(1, &not_sent, at(0, Duration::ZERO)).unwrap();
    assert_eq!(
        (payment.attempts.len(), payment.retry_at),
        (0, Some(after(now(), Duration::from_millis(250))))
    );
    payment.begin(at(1, Duration::ZERO).now).unwrap();
    assert_eq!((payment.attempts[0].number, payment.retry_at), (1, None));
    payment.answered(1, &silence(), at(11, Duration::from_secs(10))).unwrap();
    assert_eq!(payment.answered(1, &not_sent, at(12, Duration::ZERO)), Ok(Transition::AlreadyDone));
    assert_eq!(payment.status(), Status::Unknown, "it was sent, whoever says otherwise now");
}

#[test]
fn the_vendor_may_be_asked_until_the_very_last_moment_and_not_after() {
    for (late_ms, asked) in [(0, true), (1, false)] {
        let mut payment = placed(Duration::from_mins(10));
        let latest = payment.order().unwrap().latest_ask();
        let begun_at = after(latest, Duration::from_millis(late_ms));
        payment.begin(begun_at).unwrap();
        assert_eq!(payment.open_attempt().is_some(), asked);
        assert_eq!(payment.next_task().is_some(), asked, "afterwards nobody tries again");
        assert_eq!(payment.expires_at().is_some(), !asked);
    }
}

#[test]
fn an_order_expires_after_its_time_to_pay_and_not_a_moment_before() {
    let mut payment = placed(Duration::from_mins(10));
    let pay_by = payment.order().unwrap().placed.pay_by;
    assert_eq!(payment.expire(pay_by), Ok(Transition::Changed(Vec::new())));
    assert_eq!(payment.decision, None);
    let said = events(payment.expire(after(pay_by, Duration::from_millis(1))).unwrap());
    assert!(matches!(&said[..], [PaymentEvent::Expired(_)]), "{said:?}");
    assert_eq!(payment.expire(after(pay_by, Duration::from_secs(1))), Ok(Transition::AlreadyDone));
}

#[test]
fn a_charge_that_the_vendor_made_too_late_ends_the_order_whatever_the_time_is_here() {
    let mut payment = asked(Duration::from_mins(10));
    let late = charge(1, after(now(), Duration::from_secs(601)));
    let said = events(payment.answered(1, &ChargeAnswer::Approved(late), at(1, Duration::ZERO)).unwrap());
    assert!(matches!(&said[..], [PaymentEvent::Expired(_)]), "{said:?}");
    assert_eq!((refund(&payment).attempt, refund(&payment).amount), (1, TOTAL));
    assert_eq!(payment.refund_in_full("sorry".to_owned(), now()), Ok(Transition::AlreadyDone));
}

#[test]
fn news_of_an_attempt_has_it_looked_up_at_once_if_that_may_tell_anything() {
    let mut payment = asked(Duration::from_mins(10));
    assert_eq!(payment.notified(1, now()), Ok(Transition::AlreadyDone), "whoever asks will tell");
    payment.answered(1, &silence(), at(10, Duration::from_secs(10))).unwrap();
    assert_eq!(payment.notified(1, at(11, Duration::ZERO).now), Ok(Transition::Changed(Vec::new())));
    assert_eq!(payment.attempts[0].look_at, Some(at(11, Duration::ZERO).now));
    assert_eq!(payment.notified(1, at(11, Duration::ZERO).now), Ok(Transition::AlreadyDone), "it is due");
    payment.looked_up(1, &Finding::NotFound, at(50, Duration::from_secs(50))).unwrap();
    assert_eq!(payment.notified(1, at(51, Duration::ZERO).now), Ok(Transition::Changed(Vec::new())));
    assert_eq!(paid().notified(1, at(60, Duration::ZERO).now), Ok(Transition::AlreadyDone));
}

#[test]
fn what_barista_said_of_an_order_that_was_never_paid_stays_visible() {
    let mut payment = asked(Duration::from_mins(10));
    assert!(payment.is_open());
    payment.not_made(not_made(1, Vec::new()), now()).unwrap();
    let refused = ChargeAnswer::Declined { reason: "card_declined".to_owned() };
    payment.answered(1, &refused, at(1, Duration::ZERO)).unwrap();
    assert!(payment.is_open());
    assert_eq!(payment.not_made(not_made(2, Vec::new()), now()), Err(Refusal::NotApproved));
}

#[test]
fn an_order_that_waits_for_its_customer_to_pay_is_open() {
    let mut order = placed(Duration::from_mins(10)).order.unwrap();
    order.placed.payment.token = None;
    let mut payment = Payment::default();
    payment.placed(order, true, None, now()).unwrap();
    assert_eq!((payment.is_open(), payment.next_task(), payment.status()), (true, None, Status::Due));
    assert_eq!(payment.begin(now()), Ok(Transition::AlreadyDone));
}

#[test]
fn of_two_wishes_to_cancel_the_first_counts() {
    let mut payment = asked(Duration::from_mins(10));
    let wish = |by| Wish { by, reason: None };
    payment.cancel(wish(Party::Customer), now()).unwrap();
    assert_eq!(payment.cancel(wish(Party::Staff), now()), Ok(Transition::AlreadyDone));
    let not_sent = ChargeAnswer::NotSent { detail: String::new() };
    let said = events(payment.answered(1, &not_sent, at(1, Duration::ZERO)).unwrap());
    assert!(
        matches!(&said[..], [PaymentEvent::Cancelled(cancelled)] if cancelled.by == Party::Customer),
        "{said:?}"
    );
}

#[test]
fn each_lane_is_stored_under_a_number_of_its_own() {
    assert_eq!(Lane::ALL.map(Lane::number), [1, 2, 3, 4, 5], "rows outlive the program that wrote them");
}

#[test]
fn whatever_is_under_way_or_open_is_found_in_a_lane_of_its_own() {
    let lane = |payment: &Payment| payment.next_task().map(|(_, lane, _)| lane);
    let mut payment = placed(Duration::from_mins(10));
    assert_eq!(lane(&payment), Some(Lane::Ask));
    payment.begin(now()).unwrap();
    assert_eq!(lane(&payment), Some(Lane::Asked));
    payment.answered(1, &silence(), at(10, Duration::from_secs(10))).unwrap();
    assert_eq!(lane(&payment), Some(Lane::Look));
    payment.looked_up(1, &Finding::NotFound, at(35, SETTLE_AFTER)).unwrap();
    payment.cancel(Wish { by: Party::Customer, reason: None }, at(36, Duration::ZERO).now).unwrap();
    assert_eq!(lane(&payment), Some(Lane::Follow));
    let mut payment = paid();
    payment.not_made(not_made(1, vec![2]), now()).unwrap();
    assert_eq!(lane(&payment), Some(Lane::Refund));
    payment.begin_refund(1, now()).unwrap();
    assert_eq!(lane(&payment), Some(Lane::Asked));
    payment.refund_answered(1, &unclear_refund(false), at(10, Duration::from_secs(10))).unwrap();
    assert_eq!(lane(&payment), Some(Lane::Look));
}
