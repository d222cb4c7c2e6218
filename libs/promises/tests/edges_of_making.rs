//! Where the promises about making, cancels and hearing are just kept, and where they are just broken.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use cafe_events::{Event, OrderEvent, Party, Source, TicketCancelRefused, TicketEvent, TicketStarted};
use cafe_promises::{
    Case, EventFact, HeldFact, Kind, ParkedFact, TicketStatus, cancels_are_honoured, every_event_is_heard,
    money_adds_up, nothing_is_made_unpaid, paid_orders_have_one_ticket, what_is_held_has_a_reason,
};
use common::{Fate, looked_at, one, order_id, wrong};
use jiff::SignedDuration;

/// What barista says instead, or as well.
fn ticket_event(event: &EventFact, version: u32, said: TicketEvent) -> EventFact {
    EventFact { version, said: Ok(Some(Event::Ticket(said))), ..event.clone() }
}

fn started() -> TicketEvent {
    TicketEvent::Started(TicketStarted {})
}

fn refused() -> TicketEvent {
    TicketEvent::CancelRefused(TicketCancelRefused { by: Party::Staff, reason: "it is over".to_owned() })
}

fn is(event: &EventFact, matches: impl Fn(&Event) -> bool) -> bool {
    matches!(&event.said, Ok(Some(said)) if matches(said))
}

#[test]
fn nothing_is_cancelled_after_making_has_started() {
    let evidence = one(Fate::CancelledInTime, |case| {
        let cancelled =
            |event: &EventFact| is(event, |said| matches!(said, Event::Ticket(TicketEvent::Cancelled(_))));
        let at = case.events.iter().position(cancelled).unwrap();
        let start = ticket_event(&case.events[at], 2, started());
        case.events.insert(at, start);
    });
    assert_eq!(wrong(&cancels_are_honoured(&evidence)), ["was cancelled after making had started"]);
}

#[test]
fn a_cancel_is_refused_once_making_has_started_or_nothing_is_left_to_make() {
    let is_started =
        |event: &EventFact| is(event, |said| matches!(said, Event::Ticket(TicketEvent::Started(_))));
    let unstarted = |case: &mut Case| case.events.retain(|event| !is_started(event));
    let early = one(Fate::CancelledTooLate, unstarted);
    let says = ["a cancel was refused although making had not started"];
    assert_eq!(wrong(&cancels_are_honoured(&early)), says);
    let mut pruned = one(Fate::CancelledTooLate, unstarted);
    pruned.logs.get_mut(&Source::Barista).unwrap().oldest = 2;
    assert_eq!(wrong(&cancels_are_honoured(&pruned)), says, "its first event is there, so all of them are");
    pruned.case(order_id(0)).events.retain(|event| (event.source, event.version) != (Source::Barista, 1));
    assert_eq!(wrong(&cancels_are_honoured(&pruned)), [""; 0], "the start may have been pruned");
    for fate in [Fate::AllRejected, Fate::CancelledInTime] {
        let over = one(fate, |case| {
            let last = case.events.iter().rfind(|event| event.source == Source::Barista).unwrap().clone();
            case.events.push(ticket_event(&last, last.version + 1, refused()));
        });
        assert_eq!(wrong(&cancels_are_honoured(&over)), [""; 0], "{fate:?}");
    }
}

#[test]
fn a_wish_to_cancel_is_answered_somehow() {
    let unanswered = |change: fn(&mut Case)| {
        let evidence = one(Fate::CancelledTooLate, |case| {
            let is_answer = |event: &EventFact| {
                is(event, |said| matches!(said, Event::Ticket(TicketEvent::CancelRefused(_))))
            };
            case.events.retain(|event| !is_answer(event));
            change(case);
        });
        wrong(&cancels_are_honoured(&evidence)).len()
    };
    assert_eq!(unanswered(|_| {}), 1);
    assert_eq!(unanswered(|case| case.payment = None), 0, "payment has not spoken");
    assert_eq!(unanswered(|case| case.payment.as_mut().unwrap().open = true), 0, "it may yet");
    assert_eq!(
        unanswered(|case| case.payment.as_mut().unwrap().status = cafe_promises::PaymentStatus::Expired),
        0
    );
    assert_eq!(unanswered(|case| case.ticket.as_mut().unwrap().status = TicketStatus::Uncollected), 0);
    assert_eq!(unanswered(|case| case.heard.clear()), 0, "it is still to be heard");
    assert_eq!(unanswered(|case| case.parked.push(parked(Source::Barista, Source::Payment, 2))), 0);
    let is_wish =
        |event: &EventFact| is(event, |said| matches!(said, Event::Order(OrderEvent::CancelRequested(_))));
    let unasked = one(Fate::CancelledInTime, |case| case.events.retain(|event| !is_wish(event)));
    assert_eq!(looked_at(&cancels_are_honoured(&unasked)), 1, "staff may cancel at payment");
    assert_eq!(looked_at(&cancels_are_honoured(&one(Fate::PickedUp, |_| {}))), 0);
}

fn parked(listener: Source, source: Source, version: u32) -> ParkedFact {
    ParkedFact { listener, source, version: Some(version), reason: "unreadable".to_owned() }
}

#[test]
fn a_ticket_follows_the_approval_that_barista_heard() {
    let heard_up_to = |case: &mut Case, next_version| {
        for heard in &mut case.heard {
            if (heard.listener, heard.source) == (Source::Barista, Source::Payment) {
                heard.next_version = next_version;
            }
        }
    };
    let early = one(Fate::PickedUp, |case| heard_up_to(case, 1));
    assert_eq!(
        wrong(&nothing_is_made_unpaid(&early)),
        ["has a ticket from before barista heard of its approval"]
    );
    let second = one(Fate::PickedUp, |case| {
        heard_up_to(case, 2);
        case.events.iter_mut().find(|event| event.source == Source::Payment).unwrap().version = 2;
    });
    assert_eq!(wrong(&nothing_is_made_unpaid(&second)).len(), 1);
    let mut unseen = one(Fate::PickedUp, |case| case.heard.clear());
    unseen.unseen.insert(Kind::Heard(Source::Barista), "not over HTTP".to_owned());
    assert_eq!(wrong(&nothing_is_made_unpaid(&unseen)), [""; 0]);
    let untold = |case: &mut Case| case.ticket = None;
    assert_eq!(looked_at(&nothing_is_made_unpaid(&one(Fate::PickedUp, untold))), 1, "its log tells of it");
    assert_eq!(looked_at(&nothing_is_made_unpaid(&one(Fate::Declined, |_| {}))), 0);
}

#[test]
fn an_approval_that_a_restore_or_pruning_took_is_not_missed() {
    let unapproved = |case: &mut Case| case.events.retain(|event| event.source != Source::Payment);
    let mut evidence = one(Fate::PickedUp, unapproved);
    let says = ["has a ticket, but payment never announced an approval"];
    assert_eq!(wrong(&nothing_is_made_unpaid(&evidence)), says);
    let placed_at = evidence.cases[&order_id(0)].order.as_ref().unwrap().placed_at.unwrap();
    let log = evidence.logs.get_mut(&Source::Payment).unwrap();
    log.restored_at = Some(placed_at + SignedDuration::from_secs(1));
    assert_eq!(wrong(&nothing_is_made_unpaid(&evidence)), [""; 0]);
    let log = evidence.logs.get_mut(&Source::Payment).unwrap();
    (log.restored_at, log.oldest) = (None, 2);
    assert_eq!(wrong(&nothing_is_made_unpaid(&evidence)), [""; 0]);
}

#[test]
fn a_paid_order_without_a_ticket_is_wrong_once_barista_has_heard_of_it() {
    let no_ticket = |change: fn(&mut Case)| {
        one(Fate::PickedUp, |case| {
            case.ticket = None;
            change(case);
        })
    };
    let judge = paid_orders_have_one_ticket;
    assert_eq!(wrong(&judge(&no_ticket(|_| {}))).len(), 1);
    let otherwise = no_ticket(|case| {
        case.events.iter_mut().find(|event| event.source == Source::Payment).unwrap().hash ^= 1;
    });
    assert_eq!(wrong(&judge(&otherwise)), [""; 0], "barista heard another approval, before a restore");
    let unheard = no_ticket(|case| case.heard.clear());
    assert_eq!((looked_at(&judge(&unheard)), wrong(&judge(&unheard)).len()), (1, 0));
    assert_eq!(looked_at(&judge(&one(Fate::Declined, |_| {}))), 0);
    let unseen = |settled, change: fn(&mut Case)| {
        let mut evidence = no_ticket(change);
        evidence.unseen.insert(Kind::Heard(Source::Barista), "not over HTTP".to_owned());
        evidence.settled = settled;
        wrong(&judge(&evidence)).len()
    };
    assert_eq!((unseen(true, |_| {}), unseen(false, |_| {})), (1, 0));
    assert_eq!(unseen(true, |case| case.parked.push(parked(Source::Barista, Source::Payment, 1))), 0);
    assert_eq!(unseen(true, |case| case.customers.clear()), 0, "somebody else's order may have just come");
}

#[test]
fn news_that_one_listener_has_yet_to_hear_is_under_way() {
    let evidence = one(Fate::PickedUp, |case| {
        let heard = |heard: &&mut cafe_promises::HeardFact| {
            (heard.listener, heard.source) == (Source::Order, Source::Payment)
        };
        case.heard.iter_mut().find(heard).unwrap().next_version = 1;
    });
    assert_eq!(looked_at(&money_adds_up(&evidence)), 0);
    assert_eq!(looked_at(&money_adds_up(&one(Fate::PickedUp, |_| {}))), 1);
}

#[test]
fn what_is_held_waits_for_what_is_set_aside_or_has_not_come() {
    let (listener, source) = (Source::Order, Source::Barista);
    let holding = |parked: Vec<ParkedFact>, position: i64| {
        let mut evidence = one(Fate::PickedUp, |case| {
            let heard = case.heard.iter_mut().find(|it| (it.listener, it.source) == (listener, source));
            heard.unwrap().next_version = 2;
            case.held = vec![HeldFact { listener, source, version: 3 }];
            case.parked = parked;
        });
        evidence.links.get_mut(&(listener, source)).unwrap().parts[0].position = position;
        evidence
    };
    let judge = what_is_held_has_a_reason;
    assert_eq!(wrong(&judge(&holding(Vec::new(), 1))), [""; 0], "version 2 is still to come");
    let passed = holding(Vec::new(), 3);
    assert_eq!(
        wrong(&judge(&passed)),
        ["order holds version 3 from barista for a version 2 that it has passed"]
    );
    assert_eq!(wrong(&judge(&holding(vec![parked(listener, source, 2)], 3))), [""; 0]);
    assert_eq!(wrong(&judge(&holding(vec![parked(listener, source, 4)], 3))).len(), 1);
    assert_eq!(wrong(&judge(&holding(vec![parked(Source::Payment, source, 2)], 3))).len(), 1);
    assert_eq!(looked_at(&judge(&passed)), 1);
    assert_eq!(looked_at(&judge(&one(Fate::PickedUp, |_| {}))), 0);
    let only_parked = one(Fate::PickedUp, |case| case.parked = vec![parked(listener, source, 2)]);
    assert_eq!(looked_at(&judge(&only_parked)), 1);
}

#[test]
fn an_event_that_a_listener_went_past_is_held_or_set_aside_by_that_listener_and_no_other() {
    let (listener, source) = (Source::Order, Source::Payment);
    let deaf = |held: Vec<HeldFact>, parked: Vec<ParkedFact>| {
        let evidence = one(Fate::Declined, |case| {
            case.heard.retain(|heard| heard.source != source);
            (case.held, case.parked) = (held, parked);
        });
        wrong(&every_event_is_heard(&evidence))
            .iter()
            .filter(|what| what.starts_with("order went past"))
            .count()
    };
    let held = |listener, version| vec![HeldFact { listener, source, version }];
    assert_eq!(deaf(Vec::new(), Vec::new()), 1);
    assert_eq!(deaf(held(listener, 1), Vec::new()), 0);
    assert_eq!(deaf(held(listener, 2), Vec::new()), 1);
    assert_eq!(deaf(held(Source::Barista, 1), Vec::new()), 1);
    assert_eq!(deaf(Vec::new(), vec![parked(listener, source, 1)]), 0);
    assert_eq!(deaf(Vec::new(), vec![parked(listener, source, 2)]), 1);
    assert_eq!(deaf(Vec::new(), vec![parked(Source::Barista, source, 1)]), 1);
}
