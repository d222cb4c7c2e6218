//! What the barista service decides on: its rows, what is asked of it, what it hears. Pure; the SQL is in `store.rs`.

use std::sync::Arc;

use cafe_delivery::{Announcement, Domain, Poison, Rows, Turn};
use cafe_events::{Event, Heard, OrderId, PaymentEvent, Said, Source, TicketEvent};
use jiff::Timestamp;

use crate::queue::Queue;
use crate::reactions;
use crate::ticket::{Command, Refusal, Status, Ticket, Transition};

/// The barista service.
#[derive(Clone, Copy, Debug)]
pub struct Barista;

/// The rows that a turn has loaded.
#[derive(Clone, Default)]
pub struct Loaded {
    /// One row per ticket.
    pub tickets: Rows<OrderId, Arc<Ticket>>,
    /// One row per store.
    pub queues: Rows<String, Queue>,
}

/// A command for the ticket of an order.
#[derive(Clone, Debug)]
pub struct Request {
    /// Whose.
    pub order_id: OrderId,
    /// What is to be done.
    pub command: Command,
    /// The version of the ticket that whoever asks has seen: of another it is not done. Nothing for whoever asks whatever it is.
    pub seen: Option<u32>,
}

/// The ticket as it is after the command, or why the command was not obeyed.
pub type Answer = Result<Arc<Ticket>, Refused>;

/// Why a command was not obeyed. Nothing changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The order was never paid, or does not exist.
    #[error("there is no ticket of this order; an order gets one when it is paid")]
    NoTicket,
    /// Somebody else was faster.
    #[error("the ticket has changed since: it is {0}")]
    Changed(Status),
    /// A rule of the ticket forbids it.
    #[error(transparent)]
    Rule(#[from] Refusal),
}

/// A ticket changed, for those who watch the queue.
#[derive(Clone, Debug)]
pub struct Changed {
    /// Whose.
    pub order_id: OrderId,
    /// What it was before; nothing if it is new.
    pub before: Option<Status>,
    /// What it is now.
    pub ticket: Arc<Ticket>,
}

impl Domain for Barista {
    const SOURCE: Source = Source::Barista;
    type Tables = Loaded;
    type Request = Request;
    type Answer = Answer;
    type Effect = Changed;

    fn news_of(changed: &Changed) -> Option<String> {
        Some(changed.order_id.to_string())
    }

    fn needs_of_heard(&self, heard: &Heard, tables: &mut Loaded) {
        match &heard.said {
            Said::Known(Event::Payment(PaymentEvent::Approved(_))) => {
                tables.tickets.need(heard.order_id);
                tables.queues.need(heard.store.clone());
            }
            Said::Known(Event::Payment(PaymentEvent::CancelRequested(_))) => {
                tables.tickets.need(heard.order_id);
            }
            _ => {}
        }
    }

    fn needs_of_request(&self, request: &Request, tables: &mut Loaded) {
        tables.tickets.need(request.order_id);
    }

    /// Only an approval and a wish to cancel what was approved concern the barista; what else payment says is settled
    /// between payment and order.
    fn hear(
        &self,
        tables: &mut Loaded,
        heard: &Heard,
        now: Timestamp,
        turn: &mut Turn<Changed>,
    ) -> Result<(), Poison> {
        match &heard.said {
            Said::Known(Event::Payment(PaymentEvent::Approved(approved))) => {
                reactions::approved(tables, heard, approved, now, turn)
            }
            Said::Known(Event::Payment(PaymentEvent::CancelRequested(wish))) => {
                reactions::cancel_requested(tables, heard.order_id, wish, now, turn)
            }
            _ => Ok(()),
        }
    }

    fn decide(
        &self,
        tables: &mut Loaded,
        request: &Request,
        now: Timestamp,
        turn: &mut Turn<Changed>,
    ) -> Answer {
        let ticket = tables.tickets.get(&request.order_id).ok_or(Refused::NoTicket)?;
        match request.seen {
            Some(seen) if seen != ticket.version => Err(Refused::Changed(ticket.status)),
            _ => obey(tables, request.order_id, &request.command, now, turn),
        }
    }
}

/// Load, already done?, decide, note: the same for what staff ask and what payment forwards.
pub(crate) fn obey(
    tables: &mut Loaded,
    order_id: OrderId,
    command: &Command,
    now: Timestamp,
    turn: &mut Turn<Changed>,
) -> Answer {
    let before = tables.tickets.get(&order_id).cloned().ok_or(Refused::NoTicket)?;
    let mut ticket = Ticket::clone(&before);
    match ticket.obey(command, now)? {
        Transition::AlreadyDone => Ok(before),
        Transition::Changed(events) => Ok(note(tables, order_id, Some(&before), ticket, events, now, turn)),
    }
}

/// Puts the changed ticket among the rows to write and announces what made it so.
pub(crate) fn note(
    tables: &mut Loaded,
    order_id: OrderId,
    before: Option<&Ticket>,
    ticket: Ticket,
    events: Vec<TicketEvent>,
    at: Timestamp,
    turn: &mut Turn<Changed>,
) -> Arc<Ticket> {
    for (version, event) in (before.map_or(1, |ticket| ticket.version + 1)..).zip(events) {
        turn.announce(Announcement {
            order_id,
            store: ticket.store.clone(),
            version,
            at,
            event: Event::Ticket(event),
        });
    }
    let ticket = Arc::new(ticket);
    tables.tickets.put(order_id, Arc::clone(&ticket));
    turn.after_commit(Changed {
        order_id,
        before: before.map(|ticket| ticket.status),
        ticket: Arc::clone(&ticket),
    });
    ticket
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_replicas_are_told_whose_ticket_changed() {
        let order_id = OrderId::from_u128(7);
        let ticket = Ticket {
            store: "main".to_owned(),
            number: "0001".to_owned(),
            day: "2026-11-23".to_owned(),
            sequence: 1,
            status: Status::Queued,
            lines: Vec::new(),
            version: 1,
            queued_at: cafe_clock::from_ms(0),
            started_at: None,
            ready_at: None,
        };
        let news = Barista::news_of(&Changed { order_id, before: None, ticket: Arc::new(ticket) });
        assert_eq!(news, Some(order_id.to_string()));
    }
}
