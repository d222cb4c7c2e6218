//! Which replica of a service listens, relays and works: the one that has the lease. The others answer requests, and wait.
//!
//! Whoever has the lease shows signs of life (`beats`) in its row. Another takes it once it has seen no sign for a while, by
//! its own monotonic clock; no wall clock is asked. Time decides only *when* it is taken: that whoever had it before writes
//! nothing more is seen to by its epoch, which every turn of a leading process looks at.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use cafe_store::Error;

use crate::domain::Domain;
use crate::storage::Storage;
use crate::tables::Lease;

/// A lease without a sign of life for so long is taken.
pub const LAPSE: Duration = Duration::from_secs(3);
/// Between two signs of life, and between two looks for one.
pub const BEAT: Duration = Duration::from_millis(500);
/// A look counts only if the one before it is no older: whoever looks may have been asleep.
const LOOK_LIMIT: Duration = Duration::from_millis(1_500);
/// After so long without a sign of its own, whoever leads does nothing more outside of its database.
const FRESH: Duration = Duration::from_secs(2);

/// Whether this process leads, for those who do something outside of the database. Clones share it.
#[derive(Clone, Debug)]
pub struct Leading(Option<Arc<Mutex<Option<Instant>>>>);

/// A look at somebody else's lease.
#[derive(Debug)]
struct Look {
    lease: Lease,
    /// When it was first seen like this.
    since: Instant,
    at: Instant,
}

/// Tries for the lease until it has it.
#[derive(Debug, Default)]
pub struct Candidate {
    before: Option<Look>,
}

impl Leading {
    /// There is nobody else: it leads for as long as it lives.
    pub fn alone() -> Self {
        Self(None)
    }

    /// It does not lead yet.
    pub fn among_others() -> Self {
        Self(Some(Arc::default()))
    }

    /// Notes a sign of life that was begun at `at` and is on disk.
    pub fn note(&self, at: Instant) {
        if let Self(Some(last)) = self {
            *last.lock().unwrap_or_else(PoisonError::into_inner) = Some(at);
        }
    }

    /// Whether nobody else can have taken over yet, at `now`.
    pub fn is_fresh(&self, now: Instant) -> bool {
        let Self(Some(last)) = self else { return true };
        let last = *last.lock().unwrap_or_else(PoisonError::into_inner);
        last.is_some_and(|at| now.saturating_duration_since(at) < FRESH)
    }
}

impl Candidate {
    /// One look, at `at`; answers the epoch if the lease was taken.
    pub fn look<D: Domain>(
        &mut self,
        storage: &mut impl Storage<D>,
        replica: &str,
        at: Instant,
    ) -> Result<Option<i64>, Error> {
        let lease = storage.lease();
        if !self.is_free(lease, at)? {
            return Ok(None);
        }
        let seen = self.before.take();
        let taken = take(storage, replica, seen.as_ref().map(|look| &look.lease));
        if taken.is_err() {
            storage.rollback()?;
        }
        taken
    }

    fn is_free(&mut self, lease: Result<Lease, Error>, at: Instant) -> Result<bool, Error> {
        let lease = match lease {
            Ok(lease) => lease,
            Err(error) => {
                self.before = None;
                return Err(error);
            }
        };
        let since = match &self.before {
            Some(before) if before.lease == lease && at - before.at <= LOOK_LIMIT => before.since,
            _ => at,
        };
        let is_free = lease.replica.is_empty() || at - since >= LAPSE;
        self.before = Some(Look { lease, since, at });
        Ok(is_free)
    }
}

/// Takes the lease if it is still as it was seen. No turn of whoever had it is under way meanwhile.
pub fn take<D: Domain>(
    storage: &mut impl Storage<D>,
    replica: &str,
    seen: Option<&Lease>,
) -> Result<Option<i64>, Error> {
    storage.begin()?;
    let lease = storage.lock()?.lease;
    if seen.is_some_and(|seen| lease != *seen) {
        storage.rollback()?;
        return Ok(None);
    }
    let epoch = storage.take_lease(replica)?;
    storage.commit()?;
    Ok(Some(epoch))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_leads_among_others_is_sure_of_it_for_two_seconds_after_each_sign_of_life() {
        let leading = Leading::among_others();
        let at = Instant::now();
        assert!(!leading.is_fresh(at), "there was none yet");
        leading.note(at);
        assert!(leading.is_fresh(at) && leading.is_fresh(at + Duration::from_millis(1_999)));
        assert!(!leading.is_fresh(at + FRESH));
        assert!(Leading::alone().is_fresh(at + Duration::from_hours(1)));
    }
}
