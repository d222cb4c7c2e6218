//! What customers and staff see: joined from what was said, and on its way to an end.

use cafe_events::{OrderId, Source};

use crate::{Case, Evidence, Kind, OrderFact, OrderStatus, PaymentStatus, Seen, TicketStatus};

/// What a customer sees is a pure join of what order, payment and barista said, as far as order has heard.
pub fn view_is_a_join(evidence: &Evidence) -> Seen {
    Seen::by_case(evidence, &[Kind::Orders, Kind::Payments, Kind::Tickets], |order_id, case, wrong| {
        let Some(order) = &case.order else { return false };
        let said = [
            (
                Source::Payment,
                order.versions.payment,
                case.payment.as_ref().map_or(0, |payment| payment.version),
            ),
            (Source::Barista, order.versions.ticket, case.ticket.as_ref().map_or(0, |ticket| ticket.version)),
        ];
        for (source, shown, said) in said {
            // Whether a service lost what it had said when it was restored, only its log can tell.
            if shown > said && evidence.saw(Kind::Said(source)) && !evidence.may_be_lost(source, order_id) {
                wrong.push(format!("its view knows version {shown} of {source}, which said {said}"));
            }
            if evidence.saw(Kind::Heard(Source::Order)) && shown >= case.next_version(Source::Order, source) {
                wrong.push(format!("its view knows version {shown} of {source}, which order has not heard"));
            }
        }
        if said.iter().any(|(_, shown, said)| shown != said) || !case.parked.is_empty() {
            return true;
        }
        let expected = joined(order, case);
        if order.status != OrderStatus::Other
            && expected.is_some_and(|expected| !expected.contains(&order.status))
        {
            wrong.push(format!(
                "is shown as {}, but its payment is {} and its ticket {}",
                order.status,
                case.payment.as_ref().map_or("none".to_owned(), |payment| payment.status.to_string()),
                case.ticket.as_ref().map_or("none".to_owned(), |ticket| ticket.status.to_string()),
            ));
        }
        true
    })
}

/// What was placed is what is paid and made.
pub fn services_agree(evidence: &Evidence) -> Seen {
    Seen::by_case(evidence, &[Kind::Orders, Kind::Payments, Kind::Tickets], |_, case, wrong| {
        let Some(order) = case.order.as_ref().filter(|order| !order.number.is_empty()) else { return false };
        if let Some(asked) = case.payment.as_ref().and_then(|payment| payment.total)
            && asked != order.total
        {
            wrong.push(format!("costs {}, and {asked} is asked for it", order.total));
        }
        if let Some(ticket) = &case.ticket {
            let priced: i64 = ticket.lines.iter().map(|line| line.price).sum();
            if priced != order.total {
                wrong.push(format!("costs {}, and drinks for {priced} are on its ticket", order.total));
            }
        }
        true
    })
}

/// Every order is at its end or waits for something that can be named. Once faults are over and time enough has passed,
/// only a person may be waited for.
pub fn every_order_ends_or_waits(evidence: &Evidence) -> Seen {
    Seen::by_case(evidence, &[Kind::Orders, Kind::Payments, Kind::Tickets], |order_id, case, wrong| {
        let ended = case.order.as_ref().is_some_and(|order| order.status.is_final());
        match waits_for(evidence, order_id, case) {
            Some(Wait::Service(what)) if evidence.is_settled(case) => {
                wrong.push(format!("still waits for {what}"));
            }
            Some(Wait::Service(_) | Wait::Person(_)) => {}
            None if ended || case.order.is_none() => {}
            None => {
                let status = case.order.as_ref().map_or(OrderStatus::Other, |order| order.status);
                wrong.push(format!("is {status}, and nothing that is known will move it on"));
            }
        }
        true
    })
}

/// What an order waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wait {
    /// A service or the vendor: it goes on by itself.
    Service(String),
    /// Somebody at the counter, or the customer.
    Person(String),
}

/// What an order that is not at its end waits for; nothing if it is at its end or stuck.
pub fn waits_for(evidence: &Evidence, order_id: OrderId, case: &Case) -> Option<Wait> {
    if let Some(parked) = case.parked.first() {
        return Some(Wait::Person(format!("a set-aside event at {} ({})", parked.listener, parked.reason)));
    }
    if let Some((listener, source)) = hearing_to_come(evidence, order_id, case) {
        return Some(Wait::Service(format!("{listener} to hear {source}")));
    }
    if let Some(payment) = case.payment.as_ref().filter(|payment| payment.open) {
        return Some(match payment.refunds.iter().find(|refund| refund.state == "failed") {
            Some(refund) => Wait::Person(format!(
                "somebody to see to {} that the vendor would not give back",
                refund.amount
            )),
            None => Wait::Service(format!("the vendor's word (payment is {})", payment.status)),
        });
    }
    match case.ticket.as_ref()?.status {
        TicketStatus::Queued => Some(Wait::Person("making to start".to_owned())),
        TicketStatus::Making => Some(Wait::Person("making to end".to_owned())),
        TicketStatus::Ready => Some(Wait::Person("its customer to pick it up".to_owned())),
        _ => None,
    }
}

/// Who has yet to take in what whom said. Without the logs it is told from the rows: whatever is not there yet is to come.
fn hearing_to_come(evidence: &Evidence, order_id: OrderId, case: &Case) -> Option<(Source, Source)> {
    let all_read = Source::ALL
        .into_iter()
        .all(|source| evidence.saw(Kind::Said(source)) && evidence.saw(Kind::Heard(source)));
    if all_read {
        let behind = |event: &crate::EventFact| {
            let unheard = |listener: &Source| case.next_version(*listener, event.source) <= event.version;
            let to_come = |listener: &Source| !evidence.has_passed(*listener, order_id, event);
            event
                .source
                .heard_by()
                .find(|listener| unheard(listener) && to_come(listener))
                .map(|listener| (listener, event.source))
        };
        return case.events.iter().find_map(behind);
    }
    let order = case.order.as_ref()?;
    let payment = case.payment.as_ref();
    let ticket = case.ticket.as_ref();
    let approved = payment.is_some_and(|payment| payment.status == PaymentStatus::Approved);
    if payment.is_none() && !evidence.may_be_lost(Source::Order, order_id) {
        Some((Source::Payment, Source::Order))
    } else if approved && ticket.is_none() {
        Some((Source::Barista, Source::Payment))
    } else if payment.is_some_and(|payment| payment.version > order.versions.payment) {
        Some((Source::Order, Source::Payment))
    } else if ticket.is_some_and(|ticket| ticket.version > order.versions.ticket) {
        Some((Source::Order, Source::Barista))
    } else {
        None
    }
}

/// What the view may show, given what payment and barista said.
fn joined(order: &OrderFact, case: &Case) -> Option<&'static [OrderStatus]> {
    use OrderStatus as Shown;
    let payment = case.payment.as_ref().map(|payment| payment.status);
    Some(match payment {
        Some(PaymentStatus::Declined) => &[Shown::Declined],
        Some(PaymentStatus::Expired) => &[Shown::Expired],
        Some(PaymentStatus::Cancelled) => &[Shown::Cancelled],
        Some(PaymentStatus::Other) => return None,
        _ => match case.ticket.as_ref().map(|ticket| ticket.status) {
            None if payment == Some(PaymentStatus::Approved) => &[Shown::Paid],
            None => &[Shown::Placed],
            Some(TicketStatus::Queued) => &[Shown::Paid],
            Some(TicketStatus::Making) => &[Shown::Making],
            Some(TicketStatus::Ready) => &[Shown::Ready],
            Some(TicketStatus::PickedUp) => &[Shown::PickedUp],
            Some(TicketStatus::Cancelled) => &[Shown::Cancelled],
            Some(TicketStatus::Uncollected) => &[Shown::Uncollected],
            Some(TicketStatus::Rejected) if order.refunded >= order.total => &[Shown::Refunded],
            // Until all money is back.
            Some(TicketStatus::Rejected) => &[Shown::Paid, Shown::Making],
            Some(TicketStatus::Other) => return None,
        },
    })
}
