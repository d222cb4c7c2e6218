//! A sound cafe is found sound, and each planted damage is found, with the order and what is wrong.

mod common;

use cafe_events::Source;
use cafe_promises::{
    ChargeFact, Evidence, HeldFact, Kind, OrderStatus, PROMISES, ParkedFact, PaymentStatus, Seen,
    TicketStatus,
};
use common::{FATES, Fate, TOTAL, evidence_of, findings, order_id};

/// Plants damage in a sound cafe of one order per fate, and expects it to be found under the promise that `says`.
fn finds(says: &str, fate: Fate, damage: impl FnOnce(&mut Evidence, uuid::Uuid)) {
    let mut evidence = evidence_of(&FATES);
    let index = FATES.iter().position(|other| *other == fate).expect("every fate has an order");
    let id = order_id(index as i64);
    damage(&mut evidence, id);
    evidence.numbers.clear();
    evidence.note_numbers();
    let found = findings(&evidence);
    assert!(found.iter().any(|finding| finding.starts_with(says)), "{says:?} is not among {found:#?}");
}

#[test]
fn a_sound_cafe_is_found_sound() {
    let evidence = evidence_of(&FATES);
    assert_eq!(findings(&evidence), Vec::<String>::new());
    for promise in PROMISES.iter().filter(|promise| promise.number != 10) {
        assert!(
            matches!((promise.judge)(&evidence), Seen::Checked { looked_at: 1.., .. }),
            "{}",
            promise.says
        );
    }
}

#[test]
fn a_sound_cafe_of_which_any_log_was_pruned_anywhere_is_found_sound() {
    for source in Source::ALL {
        let last = evidence_of(&FATES).logs[&source].last;
        for through in 1..=last {
            let mut evidence = evidence_of(&FATES);
            for case in evidence.cases.values_mut() {
                case.events.retain(|event| event.source != source || event.position > through);
            }
            let log = evidence.logs.get_mut(&source).unwrap();
            (log.oldest, log.positions) = (through + 1, (through + 1..=last).collect());
            evidence.numbers.clear();
            evidence.note_numbers();
            assert_eq!(findings(&evidence), Vec::<String>::new(), "{source} through {through}");
        }
    }
}

#[test]
fn what_was_not_looked_at_is_said_with_the_reason() {
    let mut evidence = evidence_of(&FATES);
    evidence.unseen.insert(Kind::Vendor, "its record is elsewhere".to_owned());
    let Seen::NotChecked(reason) = cafe_promises::charged_at_most_once(&evidence) else {
        panic!("was checked")
    };
    assert_eq!(reason, "its record is elsewhere");
}

#[test]
fn an_acknowledged_order_is_gone() {
    finds("an order that was acknowledged exists", Fate::PickedUp, |evidence, id| {
        evidence.case(id).order = None;
    });
}

#[test]
fn an_order_has_another_number_than_its_customer_was_told() {
    finds("an order that was acknowledged exists", Fate::PickedUp, |evidence, id| {
        evidence.case(id).customers[0].number = "0099".to_owned();
    });
}

#[test]
fn a_cancel_that_was_acknowledged_was_never_announced() {
    finds("a cancel that was acknowledged is passed on", Fate::PickedUp, |evidence, id| {
        evidence.case(id).customers[0].cancelled = true;
    });
}

#[test]
fn a_row_of_the_outbox_is_deleted() {
    let delete_second_of_barista = |evidence: &mut Evidence, id| {
        let gone = |event: &cafe_promises::EventFact| event.source == Source::Barista && event.version == 2;
        let position = evidence.case(id).events.iter().find(|event| gone(event)).unwrap().position;
        evidence.case(id).events.retain(|event| !gone(event));
        let log = evidence.logs.get_mut(&Source::Barista).unwrap();
        log.positions = (1..=log.last).filter(|kept| *kept != position).collect();
    };
    finds("versions run 1..n", Fate::PickedUp, delete_second_of_barista);
    finds("a log has no gaps", Fate::PickedUp, delete_second_of_barista);
    finds("what was heard is what was said", Fate::PickedUp, delete_second_of_barista);
}

#[test]
fn two_versions_are_swapped() {
    finds("versions run 1..n", Fate::PickedUp, |evidence, id| {
        let events = &mut evidence.case(id).events;
        let second =
            events.iter().position(|event| event.source == Source::Barista && event.version == 2).unwrap();
        (events[second].version, events[second + 1].version) = (3, 2);
    });
}

#[test]
fn an_event_is_said_otherwise_than_it_was_heard() {
    finds("what was heard is what was said", Fate::Declined, |evidence, id| {
        evidence.case(id).events[1].hash ^= 1;
    });
}

#[test]
fn an_event_is_passed_over_by_a_listener() {
    finds("what is said is heard", Fate::PickedUp, |evidence, id| {
        evidence
            .case(id)
            .heard
            .retain(|heard| (heard.listener, heard.source) != (Source::Barista, Source::Payment));
    });
}

#[test]
fn an_event_that_is_still_to_be_heard_is_not_damage() {
    let mut evidence = evidence_of(&[Fate::PickedUp, Fate::Declined]);
    evidence.case(order_id(1)).heard.retain(|heard| heard.listener != Source::Order);
    let order = evidence.case(order_id(1)).order.as_mut().unwrap();
    (order.versions.payment, order.status) = (0, OrderStatus::Placed);
    evidence.links.get_mut(&(Source::Order, Source::Payment)).unwrap().parts[0].position -= 1;
    assert_eq!(findings(&evidence), Vec::<String>::new());
    evidence.settled = true;
    assert_eq!(
        findings(&evidence),
        ["every order ends, or visibly waits: still waits for order to hear payment"]
    );
}

#[test]
fn an_event_that_is_set_aside_is_not_damage_and_its_order_waits() {
    let mut evidence = evidence_of(&[Fate::Declined]);
    let case = evidence.case(order_id(0));
    case.heard.retain(|heard| heard.listener != Source::Order);
    let order = case.order.as_mut().unwrap();
    (order.versions.payment, order.status) = (0, OrderStatus::Placed);
    let reason = "unreadable".to_owned();
    case.parked.push(ParkedFact {
        listener: Source::Order,
        source: Source::Payment,
        version: Some(1),
        reason,
    });
    assert_eq!(findings(&evidence), Vec::<String>::new());
}

#[test]
fn an_event_is_held_for_nothing() {
    finds("what is held waits for something", Fate::Declined, |evidence, id| {
        let (listener, source) = (Source::Order, Source::Payment);
        evidence.case(id).held.push(HeldFact { listener, source, version: 1 });
    });
}

#[test]
fn a_row_is_behind_its_log() {
    finds("state version n means events 1..n", Fate::PickedUp, |evidence, id| {
        evidence.case(id).payment.as_mut().unwrap().version = 0;
    });
}

#[test]
fn a_ticket_is_dropped() {
    let drop_ticket = |evidence: &mut Evidence, id| evidence.case(id).ticket = None;
    finds("a paid order has exactly one ticket", Fate::PickedUp, drop_ticket);
    finds("state version n means events 1..n", Fate::PickedUp, drop_ticket);
}

#[test]
fn an_order_is_queued_twice() {
    finds("an event takes effect once", Fate::PickedUp, |evidence, id| {
        let mut again =
            evidence.case(id).events.iter().find(|event| event.source == Source::Barista).unwrap().clone();
        again.version = 7;
        evidence.case(id).events.push(again);
    });
}

#[test]
fn a_customer_is_charged_twice() {
    let charge_again = |evidence: &mut Evidence, id| {
        let case = evidence.case(id);
        let again = ChargeFact { id: "ch_again".to_owned(), ..case.charges[0].clone() };
        case.charges.push(again);
    };
    finds("a customer is charged at most once", Fate::PickedUp, charge_again);
    finds("charges - refunds = lines made - goodwill", Fate::PickedUp, charge_again);
    finds("payment's books are the vendor's", Fate::PickedUp, charge_again);
}

#[test]
fn money_is_given_back_for_a_drink_that_was_made() {
    finds("charges - refunds = lines made - goodwill", Fate::CancelledInTime, |evidence, id| {
        evidence.case(id).ticket.as_mut().unwrap().status = TicketStatus::PickedUp;
    });
}

#[test]
fn a_charge_that_landed_late_is_kept() {
    finds("a charge after `expired` goes back", Fate::ExpiredAndChargedLate, |evidence, id| {
        evidence.case(id).refunds.clear();
    });
}

#[test]
fn a_drink_is_made_unpaid() {
    finds("nothing is made unpaid", Fate::PickedUp, |evidence, id| {
        evidence.case(id).payment.as_mut().unwrap().status = PaymentStatus::Declined;
    });
}

#[test]
fn the_vendor_is_asked_late() {
    finds("the vendor is never asked late", Fate::PickedUp, |evidence, id| {
        let attempt = &mut evidence.case(id).payment.as_mut().unwrap().attempts[0];
        attempt.asked_at = Some(attempt.asked_at.unwrap() + jiff::SignedDuration::from_secs(590));
    });
}

#[test]
fn making_starts_after_a_cancel_was_honoured() {
    finds("a cancel is honoured until making starts", Fate::CancelledTooLate, |evidence, id| {
        let case = evidence.case(id);
        let started = case
            .events
            .iter()
            .position(|event| event.source == Source::Barista && event.version == 2)
            .unwrap();
        let mut started = case.events.remove(started);
        started.version = 3;
        case.events.push(started);
    });
}

#[test]
fn a_view_shows_what_nobody_said() {
    finds("what a customer sees is a join", Fate::Declined, |evidence, id| {
        evidence.case(id).order.as_mut().unwrap().status = OrderStatus::Ready;
    });
}

#[test]
fn another_amount_is_asked_than_the_order_costs() {
    finds("the services mean the same order", Fate::PickedUp, |evidence, id| {
        evidence.case(id).payment.as_mut().unwrap().total = Some(TOTAL + 1);
    });
}

#[test]
fn an_order_is_stuck() {
    finds("every order ends, or visibly waits", Fate::PickedUp, |evidence, id| {
        evidence.case(id).order.as_mut().unwrap().status = OrderStatus::Making;
    });
}

#[test]
fn one_key_became_two_orders() {
    finds("the same key is the same order", Fate::PickedUp, |evidence, id| {
        evidence.case(id).customers[0].key = "key-0".to_owned();
    });
}

#[test]
fn a_number_is_given_twice() {
    finds("numbers rise, without repeats", Fate::PickedUp, |evidence, id| {
        evidence.case(id).order.as_mut().unwrap().number = "0002".to_owned();
    });
}

#[test]
fn numbers_fall() {
    finds("numbers rise, without repeats", Fate::PickedUp, |evidence, id| {
        evidence.case(id).order.as_mut().unwrap().number = "0077".to_owned();
    });
}

#[test]
fn an_order_lost_by_a_restore_is_not_damage_but_one_placed_after_it_is() {
    for (restored_before, expected) in [(false, 0), (true, 1)] {
        let mut evidence = evidence_of(&[Fate::PickedUp]);
        let log = evidence.logs.get_mut(&Source::Order).unwrap();
        let placed_at = evidence.cases[&order_id(0)].order.as_ref().unwrap().placed_at.unwrap();
        let seconds = if restored_before { -1 } else { 1 };
        log.restored_at = Some(placed_at + jiff::SignedDuration::from_secs(seconds));
        (log.last, log.positions) = (0, cafe_promises::Runs::default());
        let case = evidence.case(order_id(0));
        case.events.retain(|event| event.source != Source::Order);
        case.order.as_mut().unwrap().versions.order = 0;
        let found = findings(&evidence);
        assert_eq!(found.iter().filter(|finding| finding.contains("whose log lacks it")).count(), expected);
        assert_eq!(found.is_empty(), !restored_before, "{found:#?}");
    }
}

#[test]
fn what_a_restored_service_decides_otherwise_than_before_is_its_listeners_to_set_aside() {
    for said_again in [true, false] {
        let mut evidence = evidence_of(&[Fate::Declined]);
        let event =
            evidence.case(order_id(0)).events.iter_mut().find(|event| event.source == Source::Payment);
        let event = event.expect("payment declined");
        event.hash ^= 1;
        let restored_at = event.at + jiff::SignedDuration::from_secs(i64::from(!said_again));
        evidence.logs.get_mut(&Source::Payment).expect("payment has a log").restored_at = Some(restored_at);
        assert_eq!(findings(&evidence).is_empty(), said_again);
    }
}

#[test]
fn a_ticket_whose_payment_is_looked_for_after_a_restore_is_not_unpaid_even_where_the_logs_are_not_seen() {
    for checking in [true, false] {
        let mut evidence = evidence_of(&[Fate::PickedUp]);
        let unseen =
            [Kind::Vendor].into_iter().chain(Source::ALL.map(Kind::Said)).chain(Source::ALL.map(Kind::Heard));
        evidence.unseen = unseen.map(|kind| (kind, "not over HTTP".to_owned())).collect();
        evidence.logs.clear();
        let payment = evidence.case(order_id(0)).payment.as_mut().unwrap();
        (payment.status, payment.open, payment.version) = (PaymentStatus::Unknown, true, 0);
        payment.checking = checking;
        let unpaid = cafe_promises::nothing_is_made_unpaid(&evidence);
        assert_eq!(unpaid.broken().is_empty(), checking, "{unpaid:?}");
    }
}
