//! Time and ids, as arguments.
//!
//! Nothing else in the workspace may read the system clock or draw an id (`clippy.toml` says so): rules take `now`, and
//! the edges of a service hold a [`Clock`] and [`Ids`]. That is what lets the whole cafe run from a seed.

mod ids;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use jiff::Timestamp;

pub use ids::Ids;

/// Where `now` comes from. Cheap to clone; clones of a simulated clock share its hands.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The system's wall clock, in UTC. It may step either way: nothing that must be safe hangs on it.
    Real,
    /// Moved by hand.
    Simulated(Arc<Hands>),
}

/// What a simulated clock shows.
#[derive(Debug)]
pub struct Hands {
    /// Milliseconds since the Unix epoch.
    wall_ms: AtomicI64,
    /// Milliseconds since the clock was made; never goes back.
    steady_ms: AtomicI64,
}

impl Clock {
    /// A clock that stands at `start` until it is moved.
    pub fn simulated(start: Timestamp) -> Self {
        let wall_ms = AtomicI64::new(start.as_millisecond());
        Self::Simulated(Arc::new(Hands { wall_ms, steady_ms: AtomicI64::new(0) }))
    }

    /// The time now, in whole milliseconds, which is what is stored and sent.
    #[expect(clippy::disallowed_methods, reason = "the one place where the system clock is read")]
    pub fn now(&self) -> Timestamp {
        match self {
            Self::Real => from_ms(Timestamp::now().as_millisecond()),
            Self::Simulated(hands) => from_ms(hands.wall_ms.load(Ordering::Relaxed)),
        }
    }

    /// How long it is since some moment that stays the same while the process lives; it never steps.
    pub fn steady(&self) -> Duration {
        static FIRST_LOOK: OnceLock<Instant> = OnceLock::new();
        match self {
            Self::Real => FIRST_LOOK.get_or_init(Instant::now).elapsed(),
            Self::Simulated(hands) => Duration::from_millis(hands.steady_ms.load(Ordering::Relaxed) as u64),
        }
    }

    /// Lets time pass on a simulated clock. The real one cannot be moved and stays as it is.
    pub fn advance(&self, by: Duration) {
        if let Self::Simulated(hands) = self {
            hands.wall_ms.fetch_add(by.as_millis() as i64, Ordering::Relaxed);
            hands.steady_ms.fetch_add(by.as_millis() as i64, Ordering::Relaxed);
        }
    }

    /// Sets a simulated wall clock on (or back) by so many milliseconds, in no time.
    pub fn step(&self, by_ms: i64) {
        if let Self::Simulated(hands) = self {
            hands.wall_ms.fetch_add(by_ms, Ordering::Relaxed);
        }
    }
}

/// The time that is `ms` milliseconds after the Unix epoch, as stored in every database of ours. What lies outside the
/// calendar's range (a damaged row) becomes the nearest end of it.
pub fn from_ms(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(if ms < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

/// `at + by`, staying within the calendar.
pub fn after(at: Timestamp, by: Duration) -> Timestamp {
    from_ms(at.as_millisecond().saturating_add(ms(by)))
}

/// `at - by`, staying within the calendar.
pub fn before(at: Timestamp, by: Duration) -> Timestamp {
    from_ms(at.as_millisecond().saturating_sub(ms(by)))
}

/// A length of time that no calendar has is the longest that can be counted.
fn ms(by: Duration) -> i64 {
    by.as_millis().try_into().unwrap_or(i64::MAX)
}

/// How long from `earlier` to `later`; zero if the clock went backwards.
pub fn since(later: Timestamp, earlier: Timestamp) -> Duration {
    Duration::from_millis(later.as_millisecond().saturating_sub(earlier.as_millisecond()).max(0) as u64)
}
