//! A ticket, told as a plain fact for those who judge promises.

use cafe_events::OrderId;
use cafe_promises::{LineFact, LineState as LineWord, TicketFact, TicketStatus};

use crate::ticket::{LineState, Status, Ticket};

/// What is known of an order's ticket here.
pub fn fact(order_id: OrderId, ticket: &Ticket) -> TicketFact {
    let lines = ticket.lines.iter().map(|line| LineFact {
        line_id: line.ordered.line_id,
        price: line.ordered.price,
        state: match line.state {
            LineState::Waiting => LineWord::Waiting,
            LineState::Ready => LineWord::Ready,
            LineState::Rejected => LineWord::Rejected,
        },
    });
    TicketFact { order_id, status: status(ticket.status), lines: lines.collect(), version: ticket.version }
}

fn status(status: Status) -> TicketStatus {
    match status {
        Status::Queued => TicketStatus::Queued,
        Status::Making => TicketStatus::Making,
        Status::Ready => TicketStatus::Ready,
        Status::PickedUp => TicketStatus::PickedUp,
        Status::Rejected => TicketStatus::Rejected,
        Status::Cancelled => TicketStatus::Cancelled,
        Status::Uncollected => TicketStatus::Uncollected,
    }
}
