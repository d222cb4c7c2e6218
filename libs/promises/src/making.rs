//! Tickets: made only when paid, once, and not after a cancel.

use cafe_events::{Event, OrderEvent, PaymentEvent, Source, TicketEvent};

use crate::{Case, EventFact, Evidence, Kind, PaymentStatus, Seen, TicketStatus};

/// No ticket without an approval that barista heard before.
pub fn nothing_is_made_unpaid(evidence: &Evidence) -> Seen {
    Seen::by_case(evidence, &[Kind::Payments, Kind::Tickets], |order_id, case, wrong| {
        let has_ticket = case.ticket.is_some() || case.said_by(Source::Barista).next().is_some();
        if !has_ticket {
            return false;
        }
        let is_looked_for = case.payment.as_ref().is_some_and(|payment| payment.checking);
        let approval_may_be_lost = is_looked_for
            || evidence.may_be_lost(Source::Payment, order_id)
            || evidence.is_pruned(Source::Payment);
        let paid = case.payment.as_ref().is_some_and(|payment| payment.status == PaymentStatus::Approved);
        if !paid && !approval_may_be_lost {
            let payment =
                case.payment.as_ref().map_or("not known to payment".to_owned(), |p| p.status.to_string());
            wrong.push(format!("has a ticket, but its payment is {payment}"));
        }
        if evidence.saw(Kind::Said(Source::Payment)) && evidence.saw(Kind::Heard(Source::Barista)) {
            match approved_version(case) {
                Some(version) if case.next_version(Source::Barista, Source::Payment) > version => {}
                Some(_) => wrong.push("has a ticket from before barista heard of its approval".to_owned()),
                None if approval_may_be_lost => {}
                None => wrong.push("has a ticket, but payment never announced an approval".to_owned()),
            }
        }
        true
    })
}

/// An order whose approval was heard has exactly one ticket.
pub fn paid_orders_have_one_ticket(evidence: &Evidence) -> Seen {
    Seen::by_case(evidence, &[Kind::Payments, Kind::Tickets], |_, case, wrong| {
        let paid = case.payment.as_ref().is_some_and(|payment| payment.status == PaymentStatus::Approved);
        let knows_what_is_heard =
            evidence.saw(Kind::Said(Source::Payment)) && evidence.saw(Kind::Heard(Source::Barista));
        let heard = if knows_what_is_heard {
            approved(case).is_some_and(|approved| case.has_heard(Source::Barista, approved))
        } else {
            paid && evidence.is_settled(case) && case.parked.is_empty()
        };
        if heard && case.ticket.is_none() {
            wrong.push("was paid, and barista heard so, but it has no ticket".to_owned());
        }
        paid || heard
    })
}

/// A cancel is honoured until making starts: it is refused only after that, nothing starts after it was honoured, and every
/// wish is answered one way or the other.
pub fn cancels_are_honoured(evidence: &Evidence) -> Seen {
    let needs = [Kind::Said(Source::Order), Kind::Said(Source::Payment), Kind::Said(Source::Barista)];
    Seen::by_case(evidence, &needs, |_, case, wrong| {
        let (mut started, mut ended, mut cancelled) = (false, false, false);
        for event in case.said_by(Source::Barista).filter_map(|fact| fact.said.as_ref().ok()?.as_ref()) {
            match event {
                Event::Ticket(TicketEvent::Started(_)) => {
                    if cancelled {
                        wrong.push("was started after it was cancelled".to_owned());
                    }
                    started = true;
                }
                Event::Ticket(TicketEvent::Rejected(rejected)) => ended |= rejected.all,
                Event::Ticket(TicketEvent::Cancelled(_)) => {
                    if started {
                        wrong.push("was cancelled after making had started".to_owned());
                    }
                    cancelled = true;
                }
                Event::Ticket(TicketEvent::CancelRefused(_))
                    if !started
                        && !ended
                        && !cancelled
                        && !evidence.may_lack_events(Source::Barista, case) =>
                {
                    wrong.push("a cancel was refused although making had not started".to_owned());
                }
                _ => {}
            }
        }
        let wished = case.count(|event| matches!(event, Event::Order(OrderEvent::CancelRequested(_)))) > 0;
        let answer_may_be_lacking =
            [Source::Payment, Source::Barista].iter().any(|source| evidence.may_lack_events(*source, case));
        let is_due = evidence.all_is_heard(case) && case.parked.is_empty() && !answer_may_be_lacking;
        if wished && is_due && !wish_is_answered(case) {
            wrong.push("somebody wanted it cancelled and was never answered".to_owned());
        }
        wished || cancelled
    })
}

/// Payment ended it before approval (or will yet), or barista honoured or refused it.
fn wish_is_answered(case: &Case) -> bool {
    let undecided = case.payment.as_ref().is_none_or(|payment| {
        payment.open || !matches!(payment.status, PaymentStatus::Approved | PaymentStatus::Other)
    });
    let closed = case.ticket.as_ref().is_some_and(|ticket| {
        matches!(ticket.status, TicketStatus::Cancelled | TicketStatus::Rejected | TicketStatus::Uncollected)
    });
    undecided
        || closed
        || case.count(|event| {
            matches!(
                event,
                Event::Ticket(TicketEvent::Cancelled(_) | TicketEvent::CancelRefused(_))
                    | Event::Payment(PaymentEvent::Refunded(_))
            )
        }) > 0
}

fn approved(case: &Case) -> Option<&EventFact> {
    let approved = case.first(|event| match event {
        Event::Payment(PaymentEvent::Approved(_)) => Some(()),
        _ => None,
    });
    approved.map(|(event, ())| event)
}

fn approved_version(case: &Case) -> Option<u32> {
    approved(case).map(|event| event.version)
}
