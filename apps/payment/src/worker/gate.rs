//! Whether there is room to ask a vendor right now.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::breaker::{Breaker, Pass, State};

/// Charges that may wait for one of the [`super::ASK_SLOTS`]. Past it, orders wait in the database, where they can expire.
pub const ASKS_WAITING: usize = 256;

/// Shared by the turns, which open attempts, and the worker, which asks. What turns read is approximate by design: it is
/// read while a whole batch is decided.
#[derive(Debug, Default)]
pub struct Gate {
    waiting: AtomicUsize,
    shut: AtomicBool,
    backlog: AtomicBool,
    stopping: AtomicBool,
    breaker: Mutex<Breaker>,
}

impl Gate {
    /// True if an attempt that is opened now will be asked soon, and jumps no queue.
    pub fn has_room(&self) -> bool {
        !self.backlog.load(Ordering::Relaxed)
            && !self.shut.load(Ordering::Relaxed)
            && !self.stopping.load(Ordering::Relaxed)
            && self.waiting.load(Ordering::Relaxed) < ASKS_WAITING
    }

    /// How many waiting orders may be begun now.
    pub fn room(&self, now: Duration) -> usize {
        if self.stopping.load(Ordering::Relaxed) {
            return 0;
        }
        let free = ASKS_WAITING.saturating_sub(self.waiting.load(Ordering::Relaxed));
        let breaker = self.breaker();
        match breaker.state(now) {
            State::Closed => free,
            State::HalfOpen => free.min(breaker.probes_free(now) as usize),
            State::Open => 0,
        }
    }

    /// Orders wait in the database: those that are heard now go behind them.
    pub fn set_backlog(&self, is_there: bool) {
        self.backlog.store(is_there, Ordering::Relaxed);
    }

    /// True if only the charges that are under way take all the room.
    pub fn is_full(&self, now: Duration) -> bool {
        !self.stopping.load(Ordering::Relaxed) && self.breaker().state(now) == State::Closed
    }

    /// Nothing new is asked from now on.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether nothing new is asked.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// A charge waits to be asked for.
    pub fn joins(&self) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
    }

    /// It does not wait any more.
    pub fn leaves(&self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }

    /// Lets a call through, or not; see [`Breaker::admit`].
    pub fn admit(&self, now: Duration) -> Option<Pass> {
        self.breaker().admit(now)
    }

    /// Notes what came of a call; see [`Breaker::record`].
    pub fn record(&self, pass: Pass, answered: bool, now: Duration, draw: f64) {
        let mut breaker = self.breaker();
        let before = breaker.state(now);
        breaker.record(pass, answered, now, draw);
        let after = breaker.state(now);
        self.shut.store(after != State::Closed, Ordering::Relaxed);
        if before != after {
            tracing::warn!(?before, ?after, "the vendor's breaker changed");
        }
    }

    /// 0 closed, 1 half-open, 2 open.
    pub fn breaker_state(&self, now: Duration) -> f64 {
        match self.breaker().state(now) {
            State::Closed => 0.0,
            State::HalfOpen => 1.0,
            State::Open => 2.0,
        }
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
