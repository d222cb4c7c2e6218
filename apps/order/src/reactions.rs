//! What hearing each event does to an order: one function per event. The order service only takes note; it decides nothing
//! on hearing, so nothing here announces anything.

use cafe_delivery::Poison;
use cafe_events::{
    Event, Heard, PaymentApproved, PaymentEvent, PaymentRefunded, Said, TicketEvent, TicketLineReady,
    TicketRecalled, TicketRejected,
};
use jiff::Timestamp;

use crate::order::{LineState, Order, PaymentOutcome, Placed, STEPS_MAX, Stage, TicketStep};

/// Takes note of what payment or barista said. An error changes nothing.
pub(crate) fn hear(order: &mut Order, heard: &Heard) -> Result<(), Poison> {
    match &heard.said {
        Said::Known(Event::Payment(event)) => {
            hear_payment(order, event, heard.at)?;
            order.payment.version = heard.version;
        }
        Said::Known(Event::Ticket(event)) => {
            hear_ticket(order, event, heard.at);
            order.ticket.version = heard.version;
        }
        Said::Known(Event::Order(_)) => {
            return Err(Poison("the order service does not listen to itself".to_owned()));
        }
        Said::Unknown => {}
    }
    if order.store.is_empty() {
        order.store.clone_from(&heard.store);
    }
    Ok(())
}

fn hear_payment(order: &mut Order, event: &PaymentEvent, at: Timestamp) -> Result<(), Poison> {
    match event {
        PaymentEvent::Approved(approved) => payment_approved(order, approved, at),
        PaymentEvent::Declined(_) => payment_outcome(order, PaymentOutcome::Declined, at),
        PaymentEvent::Expired(_) => payment_outcome(order, PaymentOutcome::Expired, at),
        PaymentEvent::Cancelled(_) => payment_outcome(order, PaymentOutcome::Cancelled, at),
        PaymentEvent::CancelRequested(_) => {
            payment_cancel_requested(order);
            Ok(())
        }
        PaymentEvent::Refunded(refunded) => payment_refunded(order, refunded, at),
        // A person sees to it at payment; the customer's view has nothing to show before the money goes back.
        PaymentEvent::RefundFailed(_) => Ok(()),
    }
}

fn hear_ticket(order: &mut Order, event: &TicketEvent, at: Timestamp) {
    match event {
        TicketEvent::Queued(_) => ticket_step(order, Stage::Queued, at),
        TicketEvent::Started(_) => ticket_step(order, Stage::Making, at),
        TicketEvent::LineReady(line) => ticket_line_ready(order, line),
        TicketEvent::Ready(_) => ticket_ready(order, at),
        TicketEvent::PickedUp(_) => ticket_step(order, Stage::PickedUp, at),
        TicketEvent::Recalled(recalled) => ticket_recalled(order, recalled, at),
        TicketEvent::Rejected(rejected) => ticket_rejected(order, rejected, at),
        TicketEvent::Cancelled(_) => ticket_step(order, Stage::Cancelled, at),
        TicketEvent::CancelRefused(_) => ticket_cancel_refused(order),
        TicketEvent::Uncollected(_) => ticket_step(order, Stage::Uncollected, at),
    }
}

/// An approval must be for what was ordered. It also tells an order that a restore lost.
fn payment_approved(order: &mut Order, approved: &PaymentApproved, at: Timestamp) -> Result<(), Poison> {
    if let Some(placed) = &order.placed
        && (placed.total, placed.currency) != (approved.total, approved.currency)
    {
        return Err(Poison(format!(
            "payment approved {} {}, but the order's total is {} {}",
            approved.total, approved.currency, placed.total, placed.currency
        )));
    }
    payment_outcome(order, PaymentOutcome::Approved, at)?;
    order.placed.get_or_insert_with(|| Placed {
        number: approved.number.clone(),
        day: approved.day.clone(),
        at: approved.placed_at,
        lines: approved.lines.as_slice().into(),
        takeout: approved.takeout,
        total: approved.total,
        currency: approved.currency,
        pay_by: None,
        awaits_proof: false,
    });
    Ok(())
}

fn payment_outcome(order: &mut Order, outcome: PaymentOutcome, at: Timestamp) -> Result<(), Poison> {
    if let Some(first) = order.payment.outcome {
        return Err(Poison(format!("payment said {outcome:?} after it had said {first:?}").to_lowercase()));
    }
    order.payment.outcome = Some(outcome);
    order.payment.outcome_at = Some(at);
    Ok(())
}

fn payment_cancel_requested(order: &mut Order) {
    order.payment.cancel_forwarded = true;
}

fn payment_refunded(order: &mut Order, refunded: &PaymentRefunded, at: Timestamp) -> Result<(), Poison> {
    if refunded.refunded_total < order.payment.refunded {
        return Err(Poison(format!(
            "payment says that {} went back in all, after it had said {}",
            refunded.refunded_total, order.payment.refunded
        )));
    }
    order.payment.refunded = refunded.refunded_total;
    order.payment.refunded_at = Some(at);
    Ok(())
}

fn ticket_step(order: &mut Order, stage: Stage, at: Timestamp) {
    if order.ticket.stage() == Some(stage) {
        return;
    }
    let steps = &mut order.ticket.steps;
    if steps.len() == STEPS_MAX {
        steps.remove(0);
    }
    steps.push(TicketStep { stage, at });
}

fn ticket_line_ready(order: &mut Order, line: &TicketLineReady) {
    order.ticket.lines.insert(line.line_id, LineState::Ready);
}

fn ticket_ready(order: &mut Order, at: Timestamp) {
    // Every line that was not rejected is made, those that barista never spoke of one by one included.
    order.ticket.lines.retain(|_, state| *state == LineState::Rejected);
    order.ticket.other_lines = LineState::Ready;
    ticket_step(order, Stage::Ready, at);
}

fn ticket_recalled(order: &mut Order, recalled: &TicketRecalled, at: Timestamp) {
    order.ticket.lines.extend(recalled.lines.iter().map(|line| (*line, LineState::Waiting)));
    ticket_step(order, Stage::Making, at);
}

fn ticket_rejected(order: &mut Order, rejected: &TicketRejected, at: Timestamp) {
    order.ticket.lines.extend(rejected.lines.iter().map(|line| (*line, LineState::Rejected)));
    if rejected.all {
        order.ticket.other_lines = LineState::Rejected;
        ticket_step(order, Stage::Rejected, at);
    }
}

fn ticket_cancel_refused(order: &mut Order) {
    order.ticket.cancel_refused = true;
}
