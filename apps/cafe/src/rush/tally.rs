//! What came of it so far: shared by everyone who takes part in a rush.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cafe_events::OrderId;
use cafe_promises::{CustomerFact, OrderStatus};
use hdrhistogram::Histogram;
use tokio::time::Instant;

/// The longest wait that is told apart from longer ones, in microseconds.
const LONGEST_US: u64 = 600_000_000;

/// Everything that is counted.
pub(super) struct Tally {
    /// From the moment a customer came to the answer that took their order: a stall shows, however few requests met it.
    pub(super) waits: Histogram<u64>,
    /// Of the request that was answered, alone.
    pub(super) answers: Histogram<u64>,
    /// Orders that were taken, in the order of their answers.
    pub(super) taken: Vec<Taken>,
    /// Deliberate second requests that were answered.
    pub(super) sent_twice: u64,
    /// Why requests were sent again.
    pub(super) sent_again: BTreeMap<String, u64>,
    /// How cancels were answered.
    pub(super) cancels: BTreeMap<u16, u64>,
    /// Orders whose cancel was acknowledged.
    pub(super) cancelled: BTreeSet<OrderId>,
    /// What no customer should have been answered, and customers who got no answer at all.
    pub(super) failures: Vec<String>,
    /// Customers who are through, one way or another.
    pub(super) through: u64,
    /// What the customers of orders that were taken see at the moment.
    pub(super) shown: BTreeMap<OrderStatus, u64>,
}

/// An order that was acknowledged.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    pub(super) order_id: OrderId,
    pub(super) told: CustomerFact,
    /// When it expires unpaid, by this machine's steady clock.
    pub(super) expires: Instant,
}

/// The tally, for everyone.
pub(super) struct Shared(Mutex<Tally>);

impl Shared {
    pub(super) fn new() -> Self {
        let histogram =
            || Histogram::new_with_bounds(1, LONGEST_US, 3).unwrap_or_else(|error| unreachable!("{error}"));
        Self(Mutex::new(Tally {
            waits: histogram(),
            answers: histogram(),
            taken: Vec::new(),
            sent_twice: 0,
            sent_again: BTreeMap::new(),
            cancels: BTreeMap::new(),
            cancelled: BTreeSet::new(),
            failures: Vec::new(),
            through: 0,
            shown: BTreeMap::new(),
        }))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Tally> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn sent_again(&self, why: &str) {
        let mut tally = self.lock();
        match tally.sent_again.get_mut(why) {
            Some(times) => *times += 1,
            None => drop(tally.sent_again.insert(why.to_owned(), 1)),
        }
    }

    pub(super) fn failed(&self, what: String) {
        self.lock().failures.push(what);
    }
}

impl Tally {
    pub(super) fn note_wait(&mut self, since_coming: Duration, since_sending: Duration) {
        self.waits.saturating_record(since_coming.as_micros() as u64);
        self.answers.saturating_record(since_sending.as_micros() as u64);
    }
}
