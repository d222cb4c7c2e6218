//! Where a promise is just kept, and where it is just broken.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use cafe_events::{Event, OrderEvent, Source};
use cafe_promises::{
    ChargeFact, Evidence, GivenBackFact, HeardFact, Kind, OrderStatus, ParkedFact, PaymentStatus, RefundFact,
    Seen, TicketStatus, Wait, charged_at_most_once, money_adds_up, nothing_is_asked_late, numbers_rise,
    vendor_agrees_with_payment, view_is_a_join, waits_for,
};
use common::{Fate, TOTAL, evidence_of, findings, looked_at, one, order_id, wrong};
use jiff::SignedDuration;

#[test]
fn a_second_charge_that_went_back_is_none_and_one_that_went_back_twice_is_wrong() {
    let with_refunds = |amounts: &[i64]| {
        one(Fate::PickedUp, |case| {
            case.charges.push(ChargeFact { id: "ch_again".to_owned(), ..case.charges[0].clone() });
            let refund = |amount: &i64| RefundFact { charge_id: "ch_again".to_owned(), amount: *amount };
            case.refunds = amounts.iter().map(refund).collect();
        })
    };
    assert_eq!(wrong(&charged_at_most_once(&with_refunds(&[TOTAL]))), [""; 0]);
    assert_eq!(wrong(&charged_at_most_once(&with_refunds(&[TOTAL - 1]))).len(), 1);
    let twice = charged_at_most_once(&with_refunds(&[TOTAL, 100]));
    assert_eq!(wrong(&twice), ["the vendor gave back 100 more than was charged (ch_again)"]);
}

#[test]
fn money_is_looked_at_where_there_was_any() {
    assert_eq!(looked_at(&charged_at_most_once(&one(Fate::Declined, |_| {}))), 0);
    assert_eq!(looked_at(&charged_at_most_once(&one(Fate::PickedUp, |_| {}))), 1);
    let refund = RefundFact { charge_id: "none".to_owned(), amount: 5 };
    let unfounded = charged_at_most_once(&one(Fate::Declined, |case| case.refunds.push(refund)));
    assert_eq!((looked_at(&unfounded), wrong(&unfounded)), (1, vec!["the vendor gave back 5 of no charge"]));
}

#[test]
fn a_charge_for_an_order_that_payment_does_not_know_went_back_or_is_wrong() {
    let kept = money_adds_up(&one(Fate::PickedUp, |case| case.payment = None));
    assert_eq!((looked_at(&kept), wrong(&kept).len()), (1, 1));
    let returned = money_adds_up(&one(Fate::ExpiredAndChargedLate, |case| case.payment = None));
    assert_eq!((looked_at(&returned), wrong(&returned).len()), (1, 0));
    let mut unseen = one(Fate::PickedUp, |case| case.payment = None);
    unseen.unseen.insert(Kind::Vendor, "its record is elsewhere".to_owned());
    assert_eq!(wrong(&money_adds_up(&unseen)), [""; 0]);
    assert_eq!(looked_at(&money_adds_up(&one(Fate::Declined, |case| case.payment = None))), 0);
}

#[test]
fn money_is_not_judged_while_it_or_news_of_it_is_under_way() {
    let too_much = |case: &mut cafe_promises::Case| case.charges[0].amount += 1;
    assert_eq!(wrong(&money_adds_up(&one(Fate::PickedUp, too_much))).len(), 1);
    let open = one(Fate::PickedUp, |case| {
        too_much(case);
        case.payment.as_mut().unwrap().open = true;
    });
    let parked = one(Fate::PickedUp, |case| {
        too_much(case);
        let (listener, source, reason) = (Source::Order, Source::Payment, "unreadable".to_owned());
        case.parked.push(ParkedFact { listener, source, version: Some(1), reason });
    });
    let unheard = one(Fate::PickedUp, |case| {
        too_much(case);
        case.heard.retain(|heard| heard.listener != Source::Order);
    });
    for evidence in [open, parked, unheard] {
        assert_eq!(looked_at(&money_adds_up(&evidence)), 0);
    }
}

#[test]
fn goodwill_is_money_for_nothing_and_the_books_do_where_the_vendors_record_is_not_seen() {
    let mut evidence = one(Fate::FirstLineRejected, |case| {
        let charge_id = case.charges[0].id.clone();
        case.refunds.push(RefundFact { charge_id, amount: 500 });
        let payment = case.payment.as_mut().unwrap();
        (payment.refunded, payment.goodwill) = (payment.refunded + 500, 500);
    });
    assert_eq!(wrong(&money_adds_up(&evidence)), [""; 0]);
    evidence.unseen.insert(Kind::Vendor, "its record is elsewhere".to_owned());
    assert_eq!(wrong(&money_adds_up(&evidence)), [""; 0]);
    evidence.case(order_id(0)).payment.as_mut().unwrap().refunded += 1;
    assert_eq!(wrong(&money_adds_up(&evidence)).len(), 1);
}

#[test]
fn an_approved_order_without_a_ticket_is_worth_what_it_costs() {
    assert_eq!(wrong(&money_adds_up(&one(Fate::PickedUp, |case| case.ticket = None))), [""; 0]);
}

#[test]
fn an_order_is_approved_by_a_charge_that_the_vendor_has() {
    let evidence = one(Fate::PickedUp, |case| case.charges[0].id = "ch_other".to_owned());
    let wrong_charge = vendor_agrees_with_payment(&evidence);
    assert_eq!(wrong(&wrong_charge), ["was approved by charge ch_0, which the vendor does not have"]);
}

#[test]
fn the_vendor_is_asked_until_the_last_fifteen_seconds_or_the_last_third() {
    for (to_pay_s, latest_s) in [(600, 585), (9, 6)] {
        for late_ms in [0, 1] {
            let evidence = one(Fate::PickedUp, |case| {
                let event = &mut case.events[0];
                let placed_at = event.at;
                let Ok(Some(Event::Order(OrderEvent::Placed(placed)))) = &mut event.said else {
                    panic!("it was placed")
                };
                placed.pay_by = placed_at + SignedDuration::from_secs(to_pay_s);
                let asked_at = placed_at + SignedDuration::from_millis(latest_s * 1_000 + late_ms);
                case.payment.as_mut().unwrap().attempts[0].asked_at = Some(asked_at);
            });
            let late = nothing_is_asked_late(&evidence);
            assert_eq!(wrong(&late).len() as i64, late_ms, "{to_pay_s} s to pay");
            assert!(wrong(&late).iter().all(|what| what.contains("1 ms too late")), "{late:?}");
        }
    }
}

#[test]
fn when_the_vendor_may_be_asked_is_told_by_the_view_where_the_log_is_not_seen() {
    let evidence = one(Fate::PickedUp, |case| {
        case.events.clear();
        let pay_by = case.order.as_ref().unwrap().pay_by.unwrap();
        let asked_at = pay_by - SignedDuration::from_millis(14_999);
        case.payment.as_mut().unwrap().attempts[0].asked_at = Some(asked_at);
    });
    assert_eq!(wrong(&nothing_is_asked_late(&evidence)).len(), 1);
}

#[test]
fn an_order_is_shown_as_its_payment_and_its_ticket_stand() {
    use OrderStatus as Shown;
    use PaymentStatus::{Approved, Cancelled, Due, Other};
    let shows = |payment, ticket: Option<TicketStatus>, refunded, shown| {
        let evidence = one(Fate::PickedUp, |case| {
            case.payment.as_mut().unwrap().status = payment;
            let order = case.order.as_mut().unwrap();
            (order.status, order.refunded) = (shown, refunded);
            if let Some(status) = ticket {
                case.ticket.as_mut().unwrap().status = status;
            } else {
                (case.ticket, order.versions.ticket) = (None, 0);
            }
        });
        wrong(&view_is_a_join(&evidence)).is_empty()
    };
    for (payment, ticket, refunded, right, not) in [
        (Cancelled, None, 0, Shown::Cancelled, Shown::Placed),
        (Due, None, 0, Shown::Placed, Shown::Paid),
        (Approved, None, 0, Shown::Paid, Shown::Placed),
        (Approved, Some(TicketStatus::Queued), 0, Shown::Paid, Shown::Making),
        (Approved, Some(TicketStatus::Rejected), TOTAL, Shown::Refunded, Shown::Paid),
        (Approved, Some(TicketStatus::Rejected), TOTAL - 1, Shown::Making, Shown::Refunded),
    ] {
        assert!(shows(payment, ticket, refunded, right), "{right}");
        assert!(!shows(payment, ticket, refunded, not), "{not} instead of {right}");
    }
    assert!(shows(Other, None, 0, Shown::Ready), "a newer program knows better");
}

#[test]
fn what_an_order_waits_for_is_named() {
    let waits = |evidence: &Evidence| {
        let case = &evidence.cases[&order_id(0)];
        waits_for(evidence, order_id(0), case)
    };
    let person = |what: &str| Some(Wait::Person(what.to_owned()));
    let service = |what: &str| Some(Wait::Service(what.to_owned()));
    let queued = one(Fate::StillMaking, |case| case.ticket.as_mut().unwrap().status = TicketStatus::Queued);
    assert_eq!(waits(&queued), person("making to start"));
    let given_back = |state: &str| {
        one(Fate::PickedUp, |case| {
            let payment = case.payment.as_mut().unwrap();
            payment.open = true;
            payment.refunds.push(GivenBackFact { amount: 70, state: state.to_owned() });
        })
    };
    let failed = waits(&given_back("failed"));
    assert_eq!(failed, person("somebody to see to 70 that the vendor would not give back"));
    assert_eq!(waits(&given_back("due")), service("the vendor's word (payment is approved)"));
}

#[test]
fn without_the_logs_the_rows_tell_who_has_yet_to_hear_whom() {
    let waits = |change: fn(&mut cafe_promises::Case)| {
        let mut evidence = one(Fate::PickedUp, change);
        let unseen = Source::ALL.map(Kind::Said).into_iter().chain(Source::ALL.map(Kind::Heard));
        evidence.unseen = unseen.map(|kind| (kind, "not over HTTP".to_owned())).collect();
        waits_for(&evidence, order_id(0), &evidence.cases[&order_id(0)])
    };
    let hearing = |what: &str| Some(Wait::Service(what.to_owned()));
    assert_eq!(waits(|_| {}), None);
    assert_eq!(waits(|case| case.payment = None), hearing("payment to hear order"));
    assert_eq!(waits(|case| case.ticket = None), hearing("barista to hear payment"));
    assert_eq!(
        waits(|case| case.order.as_mut().unwrap().versions.payment -= 1),
        hearing("order to hear payment")
    );
    assert_eq!(
        waits(|case| case.order.as_mut().unwrap().versions.ticket -= 1),
        hearing("order to hear barista")
    );
    assert_eq!(waits(|case| case.order.as_mut().unwrap().versions.ticket += 1), None);
}

#[test]
fn a_number_may_be_given_again_in_another_store_and_is_named_once_where_it_may_not() {
    let evidence = |store: &str| {
        let mut evidence = evidence_of(&[Fate::PickedUp, Fate::PickedUp]);
        let order = evidence.case(order_id(1)).order.as_mut().unwrap();
        (order.number, order.store) = ("0001".to_owned(), store.to_owned());
        evidence.numbers.clear();
        evidence.note_numbers();
        evidence
    };
    assert_eq!(wrong(&numbers_rise(&evidence("other"))), [""; 0]);
    assert_eq!(wrong(&numbers_rise(&evidence("main"))).len(), 1);
}

#[test]
fn an_order_that_a_restore_may_have_lost_is_missed_by_nobody_unless_it_costs_something_else() {
    let lost = |change: fn(&mut cafe_promises::OrderFact)| {
        let mut evidence = evidence_of(&[Fate::PickedUp]);
        let order = evidence.case(order_id(0)).order.as_mut().unwrap();
        let restored_at = order.placed_at.unwrap() + SignedDuration::from_secs(1);
        change(order);
        evidence.logs.get_mut(&Source::Order).unwrap().restored_at = Some(restored_at);
        evidence
    };
    let told = |evidence: &Evidence| wrong(&cafe_promises::acknowledged_orders_exist(evidence)).len();
    assert_eq!(told(&lost(|_| {})), 0);
    assert_eq!(told(&lost(|order| order.number.clear())), 0, "a fragment");
    assert_eq!(told(&lost(|order| order.total += 1)), 1);
    assert_eq!(told(&lost(|order| order.number = "0099".to_owned())), 1);
    let mut gone = lost(|_| {});
    gone.case(order_id(0)).order = None;
    assert_eq!(told(&gone), 0);
}

#[test]
fn two_pages_of_evidence_are_one_and_what_is_broken_on_either_stays_so() {
    let sound = || charged_at_most_once(&one(Fate::PickedUp, |_| {}));
    let broken = || {
        charged_at_most_once(&one(Fate::PickedUp, |case| {
            case.charges.push(ChargeFact { id: "ch_again".to_owned(), ..case.charges[0].clone() });
        }))
    };
    let unseen = || Seen::NotChecked("its record is elsewhere".to_owned());
    let both = sound().and(broken());
    assert_eq!((looked_at(&both), both.broken().len()), (2, 1));
    assert_eq!(broken().and(unseen()), broken());
    assert_eq!(unseen().and(broken()), broken());
    assert_eq!(unseen().and(sound()), unseen());
    assert_eq!(sound().and(unseen()), unseen());
}

#[test]
fn a_row_of_hashes_is_read_as_it_is_written() {
    assert_eq!(HeardFact::read_hashes("00000000000000ff0000000000000001"), [255, 1]);
    assert_eq!(HeardFact::read_hashes(""), [0; 0]);
}

#[test]
fn what_is_called_out_is_named_in_a_finding_as_far_as_it_is_known() {
    let number = |change: fn(&mut cafe_promises::Case)| {
        let evidence = one(Fate::PickedUp, change);
        evidence.cases[&order_id(0)].number().map(str::to_owned)
    };
    assert_eq!(number(|_| {}).as_deref(), Some("0001"));
    assert_eq!(number(|case| case.order = None).as_deref(), Some("0001"), "its customer was told");
    assert_eq!(number(|case| case.order.as_mut().unwrap().number.clear()), None, "a fragment");
    assert_eq!(findings(&one(Fate::PickedUp, |_| {})), [""; 0]);
}

#[test]
fn a_log_may_start_later_where_it_was_pruned_or_restored() {
    let mut evidence = one(Fate::PickedUp, |case| {
        case.events.retain(|event| (event.source, event.version) != (Source::Barista, 1));
    });
    let starts = |evidence: &Evidence| wrong(&cafe_promises::versions_run(evidence)).len();
    assert_eq!(starts(&evidence), 1);
    evidence.logs.get_mut(&Source::Barista).unwrap().oldest = 2;
    assert_eq!(starts(&evidence), 0);
    evidence.logs.get_mut(&Source::Barista).unwrap().oldest = 1;
    restore(&mut evidence, Source::Barista);
    assert_eq!(starts(&evidence), 0);
}

/// The source was restored from a copy that may lack the order.
fn restore(evidence: &mut Evidence, source: Source) {
    let placed_at = evidence.cases[&order_id(0)].order.as_ref().unwrap().placed_at.unwrap();
    let log = evidence.logs.get_mut(&source).unwrap();
    log.restored_at = Some(placed_at + SignedDuration::from_secs(1));
}

#[test]
fn a_gap_in_a_log_is_named_by_its_ends() {
    let gap = |missing: &[i64]| {
        let mut evidence = one(Fate::PickedUp, |_| {});
        let log = evidence.logs.get_mut(&Source::Barista).unwrap();
        log.positions = (1..=log.last).filter(|position| !missing.contains(position)).collect();
        let gaps = cafe_promises::logs_have_no_gaps(&evidence);
        wrong(&gaps).concat()
    };
    assert!(gap(&[2]).ends_with("has nothing at position 2"), "{}", gap(&[2]));
    assert!(gap(&[2, 3]).ends_with("has nothing at position 2 to 3"), "{}", gap(&[2, 3]));
}

#[test]
fn a_row_without_a_log_is_right_only_where_the_log_may_be_short() {
    let broken = |evidence: &Evidence| wrong(&cafe_promises::state_matches_events(evidence)).len();
    let mut silent = one(Fate::PickedUp, |case| case.events.retain(|it| it.source != Source::Payment));
    assert_eq!(broken(&silent), 1);
    silent.logs.get_mut(&Source::Payment).unwrap().oldest = 2;
    assert_eq!(broken(&silent), 0);
    silent.logs.get_mut(&Source::Payment).unwrap().oldest = 1;
    restore(&mut silent, Source::Payment);
    assert_eq!(broken(&silent), 0);
    let mut ahead = one(Fate::PickedUp, |case| case.payment.as_mut().unwrap().version += 1);
    restore(&mut ahead, Source::Payment);
    assert_eq!(broken(&ahead), 1, "its last events are there, so the row is wrong");
}

#[test]
fn where_it_is_not_seen_what_was_heard_money_is_judged_once_time_enough_has_passed() {
    let mut evidence = one(Fate::PickedUp, |_| {});
    evidence.unseen = Source::ALL.map(|source| (Kind::Heard(source), "not over HTTP".to_owned())).into();
    assert_eq!(looked_at(&money_adds_up(&evidence)), 0);
    evidence.settled = true;
    assert_eq!(looked_at(&money_adds_up(&evidence)), 1);
}

#[test]
fn what_barista_heard_is_told_by_its_own_row() {
    let evidence = one(Fate::PickedUp, |case| {
        case.ticket = None;
        case.heard.retain(|heard| heard.listener == Source::Barista);
    });
    assert_eq!(wrong(&cafe_promises::paid_orders_have_one_ticket(&evidence)).len(), 1);
}

#[test]
fn a_view_may_know_more_than_a_service_that_was_restored() {
    let mut evidence = one(Fate::PickedUp, |case| case.payment.as_mut().unwrap().version = 0);
    assert_eq!(wrong(&view_is_a_join(&evidence)), ["its view knows version 1 of payment, which said 0"]);
    restore(&mut evidence, Source::Payment);
    assert_eq!(wrong(&view_is_a_join(&evidence)), [""; 0]);
}

#[test]
fn a_position_alone_does_not_tell_that_something_is_to_be_heard() {
    let mut evidence = one(Fate::PickedUp, |_| {});
    for link in evidence.links.values_mut() {
        link.parts[0].position = 0;
    }
    let waits = |evidence: &Evidence| waits_for(evidence, order_id(0), &evidence.cases[&order_id(0)]);
    assert_eq!(waits(&evidence), None, "it was heard already");
    evidence.case(order_id(0)).heard.clear();
    assert!(matches!(waits(&evidence), Some(Wait::Service(_))));
    evidence.unseen = Source::ALL.map(|source| (Kind::Heard(source), "not over HTTP".to_owned())).into();
    assert_eq!(waits(&evidence), None, "the rows are all there");
}
