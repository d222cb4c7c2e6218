//! Giving money back.

use super::*;

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
fn what_was_never_charged_cannot_be_given_back() {
    let mut payment = asked(Duration::from_mins(10));
    let refused = ChargeAnswer::Declined { reason: "card_declined".to_owned() };
    payment.answered(1, &refused, at(1, Duration::ZERO)).unwrap();
    assert_eq!(payment.refund_in_full("sorry".to_owned(), now()), Err(Refusal::NothingCharged));
    assert_eq!(payment.refund_amount(1, "sorry".to_owned(), None, now()), Err(Refusal::NotApproved));
}

#[test]
fn a_refund_in_full_that_waits_for_baristas_word_is_open_until_the_money_is_back() {
    let mut payment = paid();
    assert!(!payment.is_open());
    payment.refund_in_full("sorry".to_owned(), now()).unwrap();
    assert!(payment.is_open() && payment.refunds.is_empty());
    assert_eq!(payment.refund_in_full("sorry".to_owned(), now()), Ok(Transition::AlreadyDone));
    payment.not_made(not_made(2, Vec::new()), now()).unwrap();
    payment.begin_refund(1, now()).unwrap();
    let done = RefundAnswer::Done { amount: 16_500 };
    let said = events(payment.refund_answered(1, &done, at(1, Duration::ZERO)).unwrap());
    assert!(matches!(&said[..], [PaymentEvent::Refunded(refunded)] if !refunded.goodwill), "{said:?}");
    assert!(!payment.is_open());
    assert_eq!(payment.refund_in_full("sorry".to_owned(), now()), Ok(Transition::AlreadyDone));
}

#[test]
fn a_refund_in_full_is_goodwill_once_making_has_started_but_a_customers_cancel_is_nothing() {
    let mut payment = paid();
    payment.refund_in_full("sorry".to_owned(), now()).unwrap();
    assert_eq!(payment.cancel_refused(2, Party::Customer, now()), Ok(Transition::AlreadyDone));
    payment.cancel_refused(3, Party::Staff, now()).unwrap();
    assert_eq!((refund(&payment).amount, refund(&payment).goodwill), (16_500, true));
    assert_eq!(refund(&payment).reason, "sorry");
    assert_eq!(payment.cancel_refused(4, Party::Staff, now()), Ok(Transition::AlreadyDone));
}

#[test]
fn an_amount_is_between_one_and_what_is_left() {
    let mut payment = paid();
    let mut give = |amount| payment.refund_amount(amount, "cold".to_owned(), None, now());
    for wanted in [-1, 0, 16_501] {
        assert_eq!(give(wanted), Err(Refusal::Amount { wanted, available: 16_500 }));
    }
    assert_eq!(give(1), Ok(Transition::Changed(Vec::new())));
    assert_eq!(give(16_500), Err(Refusal::Amount { wanted: 16_500, available: 16_499 }));
    assert_eq!(give(16_499), Ok(Transition::Changed(Vec::new())), "the rest is no cancel any more");
    assert_eq!(give(1), Err(Refusal::Amount { wanted: 1, available: 0 }));
    assert!(payment.refunds.iter().all(|refund| refund.goodwill));
}

#[test]
fn lines_that_are_not_made_go_back_at_their_price_and_once() {
    let mut payment = paid();
    assert_eq!(payment.not_made(not_made(1, vec![9]), now()), Err(Refusal::NoLine(9)));
    payment.not_made(not_made(1, vec![2]), now()).unwrap();
    assert_eq!((refund(&payment).amount, &refund(&payment).lines[..]), (4_000, &[2][..]));
    assert_eq!(payment.not_made(not_made(2, vec![2]), now()), Ok(Transition::AlreadyDone));
    payment.not_made(not_made(3, Vec::new()), now()).unwrap();
    assert_eq!((refund(&payment).amount, refund(&payment).lines.len()), (12_500, 0));
    let numbers: Vec<_> = payment.refunds.iter().map(|refund| refund.number).collect();
    assert_eq!(numbers, [1, 2]);
}

#[test]
fn what_was_given_as_goodwill_turns_out_to_have_been_owed() {
    let mut payment = paid();
    payment.refund_amount(16_000, "cold".to_owned(), None, now()).unwrap();
    payment.begin_refund(1, now()).unwrap();
    payment.refund_answered(1, &RefundAnswer::Done { amount: 16_000 }, at(0, Duration::ZERO)).unwrap();
    assert_eq!((payment.refunded(), payment.goodwill()), (16_000, 16_000));
    payment.not_made(not_made(1, vec![2]), now()).unwrap();
    assert_eq!((refund(&payment).amount, payment.goodwill()), (500, 12_500));
    payment.not_made(not_made(2, Vec::new()), now()).unwrap();
    assert_eq!((payment.refunds.len(), payment.goodwill()), (2, 0), "nothing is left to give");
}

#[test]
fn another_amount_than_was_asked_back_stays_visible_as_unknown() {
    let mut payment = asked_back();
    payment.refund_answered(1, &RefundAnswer::Done { amount: 3_999 }, at(1, Duration::ZERO)).unwrap();
    assert_eq!(refund(&payment).state, RefundState::Unknown { arrived: false });
    assert!(payment.is_open() && payment.refunded() == 0);
}

#[test]
fn a_refund_that_got_no_answer_is_asked_for_again_under_its_key_once_it_can_no_longer_arrive() {
    let mut payment = asked_back();
    let key = refund(&payment).key(world::ORDER);
    payment.refund_answered(1, &unclear_refund(false), at(10, Duration::from_secs(10))).unwrap();
    payment.refund_answered(1, &RefundAnswer::NotFound, at(34, Duration::from_secs(34))).unwrap();
    assert_eq!(refund(&payment).state, RefundState::Unknown { arrived: false });
    payment.refund_answered(1, &RefundAnswer::NotFound, at(35, SETTLE_AFTER)).unwrap();
    assert_eq!((&refund(&payment).state, refund(&payment).key(world::ORDER)), (&RefundState::Due, key));
}

#[test]
fn a_refund_that_failed_at_the_vendor_is_asked_for_again_under_a_new_key_ever_more_slowly() {
    for draw in [0.0, 1.0] {
        let mut payment = asked_back();
        let mut seen = Vec::new();
        for _ in 1..=9 {
            let measured = Measured { now: now(), silent_for: Duration::ZERO, draw };
            payment.refund_answered(1, &unclear_refund(true), measured).unwrap();
            payment.refund_answered(1, &unclear_refund(false), measured).unwrap();
            payment.refund_answered(1, &RefundAnswer::NotFound, measured).unwrap();
            assert_eq!(refund(&payment).state, RefundState::Due, "what had arrived is settled by one look");
            let pause = cafe_clock::since(refund(&payment).next_at.unwrap(), now());
            seen.push((refund(&payment).attempted, pause.as_millis()));
            payment.begin_refund(1, now()).unwrap();
        }
        let pauses = [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 64_000];
        let pauses = pauses.map(|ms: u128| if draw > 0.5 { ms * 3 / 2 } else { ms });
        assert_eq!(seen, (2..).zip(pauses).collect::<Vec<_>>());
    }
}

#[test]
fn after_a_restore_a_refund_is_looked_up_under_three_keys_and_then_asked_for_under_the_first() {
    let mut payment = paid();
    payment.not_made(not_made(1, vec![2]), now()).unwrap();
    payment.after_restore(after(now(), Duration::from_secs(1)));
    let mut looked_up = Vec::new();
    while let Some((_, Lane::Look, Task::LookUpRefund(1))) = payment.next_task() {
        looked_up.push(refund(&payment).attempted);
        payment.refund_answered(1, &RefundAnswer::NotFound, at(2, Duration::from_secs(1))).unwrap();
    }
    assert_eq!(looked_up, [1, 2, 3]);
    assert_eq!(payment.next_task(), Some((at(2, Duration::ZERO).now, Lane::Refund, Task::Refund(1))));
    assert_eq!((refund(&payment).attempted, refund(&payment).probe), (1, false));
}

#[test]
fn a_refund_that_is_refused_is_told_and_tried_again_when_staff_want_it() {
    let mut payment = asked_back();
    let refused = RefundAnswer::Refused { reason: "account_closed".to_owned() };
    let said = events(payment.refund_answered(1, &refused, at(1, Duration::ZERO)).unwrap());
    assert!(matches!(&said[..], [PaymentEvent::RefundFailed(failed)] if failed.amount == 4_000), "{said:?}");
    assert!(payment.is_open());
    assert_eq!(payment.begin_refund(1, now()), Ok(Transition::AlreadyDone));
    payment.refund_in_full("again".to_owned(), now()).unwrap();
    assert_eq!((&refund(&payment).state, refund(&payment).attempted), (&RefundState::Due, 2));
    payment.begin_refund(1, now()).unwrap();
    assert_eq!(payment.begin_refund(1, now()), Ok(Transition::AlreadyDone), "it is being asked for");
}

#[test]
fn money_that_is_back_is_told_once_however_often_the_vendor_says_so() {
    let mut payment = asked_back();
    let done = RefundAnswer::Done { amount: 4_000 };
    assert_eq!(events(payment.refund_answered(1, &done, at(1, Duration::ZERO)).unwrap()).len(), 1);
    assert_eq!(payment.refund_answered(1, &done, at(2, Duration::ZERO)), Ok(Transition::AlreadyDone));
}
