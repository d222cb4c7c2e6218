//! Which replica of a service listens, relays and works: the one that has the lease. The others answer requests, and wait.
//!
//! Whoever has the lease shows signs of life (`beats`) in its row. Another takes it once it has seen no sign for a while, by
//! its own monotonic clock; no wall clock is asked. Time decides only *when* it is taken: that whoever had it before writes
//! nothing more is seen to by its epoch, which every turn of a leading process looks at.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use cafe_store::{Connection, Error};

use crate::tables::{self, Lease};

/// A lease without a sign of life for so long is taken.
pub(crate) const LAPSE: Duration = Duration::from_secs(3);
/// Between two signs of life, and between two looks for one.
pub(crate) const BEAT: Duration = Duration::from_millis(500);
/// A look counts only if the one before it is no older: whoever looks may have been asleep.
const LOOK_LIMIT: Duration = Duration::from_millis(1_500);
/// After so long without a sign of its own, whoever leads does nothing more outside of its database.
const FRESH: Duration = Duration::from_secs(2);

/// Whether this process leads, for those who do something outside of the database. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Leading(Option<Arc<Mutex<Option<Instant>>>>);

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
pub(crate) struct Candidate {
    before: Option<Look>,
}

impl Leading {
    /// There is nobody else: it leads for as long as it lives.
    pub(crate) fn alone() -> Self {
        Self(None)
    }

    /// It does not lead yet.
    pub(crate) fn among_others() -> Self {
        Self(Some(Arc::default()))
    }

    /// Notes a sign of life that was begun at `at` and is on disk.
    pub(crate) fn note(&self, at: Instant) {
        if let Self(Some(last)) = self {
            *last.lock().unwrap_or_else(PoisonError::into_inner) = Some(at);
        }
    }

    /// Whether nobody else can have taken over yet.
    pub(crate) fn is_fresh(&self) -> bool {
        let Self(Some(last)) = self else { return true };
        let last = *last.lock().unwrap_or_else(PoisonError::into_inner);
        last.is_some_and(|at| at.elapsed() < FRESH)
    }
}

impl Candidate {
    /// One look; answers the epoch if the lease was taken.
    pub(crate) fn look(&mut self, db: &mut Connection, replica: &str) -> Result<Option<i64>, Error> {
        let looked = self.is_free(db);
        if !matches!(looked, Ok(true)) {
            return looked.map(|_| None);
        }
        let seen = self.before.take();
        let taken = take(db, replica, seen.as_ref().map(|look| &look.lease));
        if taken.is_err() {
            db.rollback()?;
        }
        taken
    }

    fn is_free(&mut self, db: &mut Connection) -> Result<bool, Error> {
        let at = Instant::now();
        let lease = match tables::lease(db) {
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
pub(crate) fn take(db: &mut Connection, replica: &str, seen: Option<&Lease>) -> Result<Option<i64>, Error> {
    db.begin()?;
    let lease = tables::lock(db)?.lease;
    if seen.is_some_and(|seen| lease != *seen) {
        db.rollback()?;
        return Ok(None);
    }
    let epoch = tables::take_lease(db, replica)?;
    db.commit()?;
    Ok(Some(epoch))
}
