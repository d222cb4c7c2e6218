//! The rule of a store's queue: first in, first out. Pure.

use cafe_events::{PaymentApproved, TicketEvent, TicketQueued};
use jiff::Timestamp;

use crate::ticket::{LineState, Status, Ticket, TicketLine};

/// The line of all tickets that a store ever queued. A place in it is given once, in the order of approval, and is what
/// "first in, first out" is measured by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Queue {
    /// The last place that was given; 0 before the first.
    pub last_sequence: i64,
}

/// Why an approval cannot become a ticket, now or ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unmakeable {
    /// There is nothing to make.
    #[error("the approved order has no lines")]
    NoLines,
    /// It could not be said which line is ready.
    #[error("the approved order has two lines of the same number")]
    SameLineTwice,
}

impl Queue {
    /// Puts a paid order at the end of the line.
    pub fn admit(
        &mut self,
        store: &str,
        approved: &PaymentApproved,
        now: Timestamp,
    ) -> Result<(Ticket, TicketEvent), Unmakeable> {
        let ids: std::collections::BTreeSet<_> = approved.lines.iter().map(|line| line.line_id).collect();
        if ids.is_empty() {
            return Err(Unmakeable::NoLines);
        }
        if ids.len() < approved.lines.len() {
            return Err(Unmakeable::SameLineTwice);
        }
        self.last_sequence += 1;
        let queued = TicketQueued { number: approved.number.clone(), sequence: self.last_sequence };
        Ok((self.ticket(store, approved, now), TicketEvent::Queued(queued)))
    }

    fn ticket(self, store: &str, approved: &PaymentApproved, now: Timestamp) -> Ticket {
        let line = |ordered| TicketLine { ordered, state: LineState::Waiting, recalled: false };
        Ticket {
            store: store.to_owned(),
            number: approved.number.clone(),
            day: approved.day.clone(),
            sequence: self.last_sequence,
            status: Status::Queued,
            lines: approved.lines.iter().cloned().map(line).collect(),
            version: 1,
            queued_at: now,
            started_at: None,
            ready_at: None,
        }
    }
}
