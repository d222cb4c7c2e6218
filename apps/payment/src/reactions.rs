//! What is done about what other services say: one function per event that concerns payments.

use cafe_events::{
    Event, Heard, OrderCancelRequested, OrderEvent, OrderPlaced, TicketCancelRefused, TicketCancelled,
    TicketEvent, TicketRejected,
};
use jiff::Timestamp;

use crate::domain::Cashier;
use crate::payment::refund::NotMade;
use crate::payment::{Order, Payment, Refusal, Transition, Wish};
use crate::vendor::Vendors;

/// True if the event changes a payment; most of what the barista service says does not.
pub(crate) fn concerns_payment(event: &Event) -> bool {
    matches!(
        event,
        Event::Order(_)
            | Event::Ticket(
                TicketEvent::Rejected(_) | TicketEvent::Cancelled(_) | TicketEvent::CancelRefused(_)
            )
    )
}

/// Hears one event. After a restore the barista service may be heard before the order service, so that any of them may
/// be the first about an order.
pub(crate) fn hear(
    cashier: &Cashier,
    payment: &mut Payment,
    heard: &Heard,
    event: &Event,
    now: Timestamp,
) -> Result<Transition, Refusal> {
    if payment.store.is_empty() {
        payment.store.clone_from(&heard.store);
    }
    if heard.traceparent.is_some() {
        payment.traceparent.clone_from(&heard.traceparent);
    }
    match event {
        Event::Order(OrderEvent::Placed(placed)) => order_placed(cashier, payment, heard, placed, now),
        Event::Order(OrderEvent::CancelRequested(wish)) => order_cancel_requested(payment, wish, now),
        Event::Ticket(TicketEvent::Rejected(rejected)) => ticket_rejected(payment, heard, rejected, now),
        Event::Ticket(TicketEvent::Cancelled(cancelled)) => ticket_cancelled(payment, heard, cancelled, now),
        Event::Ticket(TicketEvent::CancelRefused(refused)) => {
            ticket_cancel_refused(payment, heard, refused, now)
        }
        _ => Ok(Transition::AlreadyDone),
    }
}

/// A payment to make. If there is room, its first attempt is opened in this same turn; otherwise the worker finds it.
fn order_placed(
    cashier: &Cashier,
    payment: &mut Payment,
    heard: &Heard,
    placed: &OrderPlaced,
    now: Timestamp,
) -> Result<Transition, Refusal> {
    let known_vendor = Vendors::NAMES.contains(&placed.payment.vendor.as_str());
    let order = Order { order_id: heard.order_id, placed_at: heard.at, placed: placed.clone() };
    let transition = payment.placed(order, known_vendor, cashier.restored_at, now)?;
    if transition == Transition::Changed(Vec::new()) && payment.may_ask() && cashier.gate.has_room() {
        return payment.begin(now);
    }
    Ok(transition)
}

fn order_cancel_requested(
    payment: &mut Payment,
    wish: &OrderCancelRequested,
    now: Timestamp,
) -> Result<Transition, Refusal> {
    payment.cancel(Wish { by: wish.by, reason: wish.reason.clone() }, now)
}

fn ticket_rejected(
    payment: &mut Payment,
    heard: &Heard,
    rejected: &TicketRejected,
    now: Timestamp,
) -> Result<Transition, Refusal> {
    if rejected.lines.is_empty() {
        return Ok(Transition::AlreadyDone);
    }
    let reason = rejected.reason.clone().unwrap_or_else(|| "cannot_be_made".to_owned());
    payment.not_made(NotMade { version: heard.version, lines: rejected.lines.clone(), reason }, now)
}

fn ticket_cancelled(
    payment: &mut Payment,
    heard: &Heard,
    cancelled: &TicketCancelled,
    now: Timestamp,
) -> Result<Transition, Refusal> {
    let reason = cancelled.reason.clone().unwrap_or_else(|| "cancelled".to_owned());
    payment.not_made(NotMade { version: heard.version, lines: Vec::new(), reason }, now)
}

fn ticket_cancel_refused(
    payment: &mut Payment,
    heard: &Heard,
    refused: &TicketCancelRefused,
    now: Timestamp,
) -> Result<Transition, Refusal> {
    payment.cancel_refused(heard.version, refused.by, now)
}
