//! What each service heard of what the others said.

use cafe_events::{Event, OrderEvent, PaymentEvent, Source, TicketEvent};

use crate::{Case, EventFact, Evidence, Kind, Seen};

const ALL_SAID_AND_HEARD: [Kind; 6] = [
    Kind::Said(Source::Order),
    Kind::Said(Source::Payment),
    Kind::Said(Source::Barista),
    Kind::Heard(Source::Order),
    Kind::Heard(Source::Payment),
    Kind::Heard(Source::Barista),
];

/// Every event in a speaker's outbox was heard by each listener, or visibly waits: held, set aside, or behind the
/// listener's position.
pub fn every_event_is_heard(evidence: &Evidence) -> Seen {
    Seen::by_case(evidence, &ALL_SAID_AND_HEARD, |order_id, case, wrong| {
        for event in &case.events {
            let deaf = event.source.heard_by().filter(|&listener| {
                case.next_version(listener, event.source) <= event.version
                    && evidence.has_passed(listener, order_id, event)
                    && !waits_visibly(case, listener, event)
            });
            wrong.extend(deaf.map(|listener| {
                format!(
                    "{listener} went past position {} of {}'s log and never took in version {}",
                    event.position, event.source, event.version
                )
            }));
        }
        !case.events.is_empty()
    })
}

/// What a listener heard is what stands in the speaker's outbox, by its hash. A speaker that was restored from an older copy
/// may have lost what was heard of it before, and may have said otherwise since: its listeners set that aside.
pub fn nothing_else_is_heard(evidence: &Evidence) -> Seen {
    Seen::by_case(evidence, &ALL_SAID_AND_HEARD, |order_id, case, wrong| {
        for heard in &case.heard {
            let (listener, source) = (heard.listener, heard.source);
            let may_be_missing = evidence.is_pruned(source) || evidence.may_be_lost(source, order_id);
            for (version, &hash) in (1..heard.next_version).zip(&heard.hashes) {
                match case.said_by(source).find(|event| event.version == version) {
                    None if may_be_missing => {}
                    None => wrong.push(format!("{listener} heard version {version} from {source}, whose log lacks it")),
                    Some(event) if event.hash == hash || evidence.is_said_again(order_id, event) => {}
                    Some(_) => wrong.push(format!(
                        "{listener} heard another version {version} from {source} than stands in {source}'s log"
                    )),
                }
            }
        }
        !case.heard.is_empty()
    })
}

/// An event takes effect once: nothing that happens once per order was said twice.
pub fn takes_effect_once(evidence: &Evidence) -> Seen {
    type Matches = fn(&Event) -> bool;
    const ONCE: [(&str, Matches); 5] = [
        ("placed", |event| matches!(event, Event::Order(OrderEvent::Placed(_)))),
        ("approved, declined, expired or cancelled by payment", |event| {
            matches!(
                event,
                Event::Payment(
                    PaymentEvent::Approved(_)
                        | PaymentEvent::Declined(_)
                        | PaymentEvent::Expired(_)
                        | PaymentEvent::Cancelled(_)
                )
            )
        }),
        ("queued", |event| matches!(event, Event::Ticket(TicketEvent::Queued(_)))),
        ("started", |event| matches!(event, Event::Ticket(TicketEvent::Started(_)))),
        ("cancelled by barista", |event| matches!(event, Event::Ticket(TicketEvent::Cancelled(_)))),
    ];
    Seen::by_case(evidence, &ALL_SAID_AND_HEARD[..3], |_, case, wrong| {
        for (name, matches) in ONCE {
            let times = case.count(matches);
            if times > 1 {
                wrong.push(format!("was {name} {times} times"));
            }
        }
        !case.events.is_empty()
    })
}

/// What is held waits for an earlier version that is set aside, has not come yet, or is itself still to come.
pub fn what_is_held_has_a_reason(evidence: &Evidence) -> Seen {
    Seen::by_case(evidence, &ALL_SAID_AND_HEARD, |order_id, case, wrong| {
        for held in &case.held {
            let (listener, source) = (held.listener, held.source);
            let next = case.next_version(listener, source);
            let is_parked = case.parked.iter().any(|parked| {
                (parked.listener, parked.source, parked.version) == (listener, source, Some(next))
            });
            let has_come = case
                .said_by(source)
                .find(|event| event.version == next)
                .is_some_and(|event| evidence.has_passed(listener, order_id, event));
            if held.version <= next {
                wrong.push(format!(
                    "{listener} holds version {} from {source} though it is its turn",
                    held.version
                ));
            } else if has_come && !is_parked {
                wrong.push(format!(
                    "{listener} holds version {} from {source} for a version {next} that it has passed",
                    held.version
                ));
            }
        }
        !case.held.is_empty() || !case.parked.is_empty()
    })
}

fn waits_visibly(case: &Case, listener: Source, event: &EventFact) -> bool {
    let key = (listener, event.source);
    case.held.iter().any(|held| (held.listener, held.source) == key && held.version == event.version)
        || case
            .parked
            .iter()
            .any(|parked| (parked.listener, parked.source) == key && parked.version == Some(event.version))
}
