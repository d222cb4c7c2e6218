//! The latest changes of all queues, numbered, for the screens that watch them.
//!
//! A bounded ring: whoever was away for too long, or watches too slowly, has missed something and starts from the rows
//! again. Nothing waits for a watcher.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use cafe_events::OrderId;
use tokio::sync::watch;

use crate::domain::Changed;
use crate::ticket::{Status, Ticket};

/// Changes that are kept, about a kilobyte each.
const CHANGES_KEPT: usize = 2_048;

/// Where committed changes are put and read. Clones share it.
#[derive(Clone)]
pub(crate) struct Feed {
    ring: Arc<Mutex<VecDeque<Changed>>>,
    /// The number of the last change, from 1 since the start of this process.
    last: Arc<watch::Sender<u64>>,
}

/// What happened after a number.
#[derive(Clone, Debug)]
pub(crate) enum News {
    /// Each ticket that changed, as it is now, in the order of the changes, and the number they lead up to.
    Tickets(Vec<(OrderId, Arc<Ticket>)>, u64),
    /// It is no longer known: look at the rows.
    Missed,
}

impl Feed {
    pub(crate) fn new() -> Self {
        Self { ring: Arc::default(), last: Arc::new(watch::Sender::new(0)) }
    }

    /// Adds a change. Called on the writer's thread: it waits for nothing but other short looks into the ring.
    pub(crate) fn push(&self, changed: Changed) {
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        if ring.len() == CHANGES_KEPT {
            ring.pop_front();
        }
        ring.push_back(changed);
        self.last.send_modify(|last| *last += 1);
    }

    /// Has everybody who watches look at the rows again: anything may have changed.
    pub(crate) fn forget(&self) {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.last.send_modify(|last| *last += CHANGES_KEPT as u64 + 1);
    }

    /// The number of the last change. Rows that are read afterwards contain it.
    pub(crate) fn last(&self) -> u64 {
        *self.last.borrow()
    }

    /// What changed in the queue of `store` after the change numbered `after`; of several changes of a ticket only the last.
    pub(crate) fn after(&self, after: u64, store: &str) -> News {
        let Some((fresh, last)) = self.range(after) else { return News::Missed };
        let newest: HashMap<OrderId, u32> =
            fresh.iter().map(|changed| (changed.order_id, changed.ticket.version)).collect();
        let is_news = |changed: &Changed| {
            changed.ticket.store == store && newest[&changed.order_id] == changed.ticket.version
        };
        let tickets =
            fresh.into_iter().filter(is_news).map(|changed| (changed.order_id, changed.ticket)).collect();
        News::Tickets(tickets, last)
    }

    /// Stores in which a ticket was finished after the change numbered `after`, of those changes that are still known, and the number
    /// of the last.
    pub(crate) fn finished_after(&self, after: u64) -> (BTreeSet<String>, u64) {
        let Some((fresh, last)) = self.range(after) else { return (BTreeSet::new(), self.last()) };
        let is_finished = |changed: &&Changed| {
            matches!(changed.before, Some(Status::Queued | Status::Making))
                && matches!(changed.ticket.status, Status::Ready | Status::Rejected)
        };
        (fresh.iter().filter(is_finished).map(|changed| changed.ticket.store.clone()).collect(), last)
    }

    /// Every change after the one numbered `after`, and the number of the last; nothing if some of them are gone.
    fn range(&self, after: u64) -> Option<(Vec<Changed>, u64)> {
        let ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        let last = self.last();
        let behind = last.checked_sub(after).filter(|behind| *behind <= ring.len() as u64)?;
        Some((ring.range(ring.len() - behind as usize..).cloned().collect(), last))
    }

    /// Completes once there is a change after the one numbered `after`.
    pub(crate) async fn changed_after(&self, after: u64) {
        let mut last = self.last.subscribe();
        // The sender lives as long as `self`.
        let _ = last.wait_for(|last| *last > after).await;
    }
}

#[cfg(test)]
mod tests {
    use cafe_clock::from_ms;

    use super::*;

    #[test]
    fn a_watcher_sees_each_changed_ticket_once_as_it_is_now() {
        let feed = Feed::new();
        let (a, b) = (OrderId::from_u128(1), OrderId::from_u128(2));
        feed.push(change(a, "main", 1));
        let seen = feed.last();
        feed.push(change(a, "main", 2));
        feed.push(change(b, "other", 1));
        feed.push(change(a, "main", 3));
        assert_eq!(versions(&feed.after(0, "main")), [(a, 3)]);
        assert_eq!(versions(&feed.after(seen, "other")), [(b, 1)]);
        assert_eq!(versions(&feed.after(feed.last(), "main")), []);
    }

    #[test]
    fn who_was_away_for_too_long_or_comes_from_another_time_has_missed_something() {
        let feed = Feed::new();
        for order in 0..=CHANGES_KEPT as u128 {
            feed.push(change(OrderId::from_u128(order), "main", 1));
        }
        assert!(matches!(feed.after(0, "main"), News::Missed));
        assert_eq!(versions(&feed.after(1, "main")).len(), CHANGES_KEPT);
        assert!(matches!(feed.after(feed.last() + 1, "main"), News::Missed));
    }

    fn versions(news: &News) -> Vec<(OrderId, u32)> {
        let News::Tickets(tickets, _) = news else { panic!("missed") };
        tickets.iter().map(|(order_id, ticket)| (*order_id, ticket.version)).collect()
    }

    fn change(order_id: OrderId, store: &str, version: u32) -> Changed {
        let ticket = Ticket {
            store: store.to_owned(),
            number: "0001".to_owned(),
            day: "2026-11-23".to_owned(),
            sequence: 1,
            status: Status::Queued,
            lines: Vec::new(),
            version,
            queued_at: from_ms(0),
            started_at: None,
            ready_at: None,
        };
        Changed { order_id, before: None, ticket: Arc::new(ticket) }
    }
}
