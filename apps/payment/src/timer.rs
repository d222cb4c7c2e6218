//! Waiting and measuring, on the real clock or on a simulated one.

use std::time::Duration;

use cafe_clock::Clock;
use jiff::Timestamp;

/// How often a simulated clock is looked at, in real time.
const SIMULATED_TICK: Duration = Duration::from_millis(2);

/// Measures time that cannot step, and waits for it to pass.
#[derive(Clone, Debug)]
pub struct Timer {
    clock: Clock,
    started: Duration,
}

impl Timer {
    /// Starts measuring now.
    pub fn new(clock: Clock) -> Self {
        let started = clock.steady();
        Self { clock, started }
    }

    /// The wall clock's time, which may step.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// How long it is since this timer was made; never goes back.
    pub fn elapsed(&self) -> Duration {
        self.clock.steady().saturating_sub(self.started)
    }

    /// Waits.
    pub async fn sleep(&self, pause: Duration) {
        match self.clock {
            Clock::Real => tokio::time::sleep(pause).await,
            Clock::Simulated(_) => {
                let until = self.elapsed() + pause;
                while self.elapsed() < until {
                    tokio::time::sleep(SIMULATED_TICK).await;
                }
            }
        }
    }

    /// What `work` comes to, or nothing if it takes longer than `limit`.
    pub async fn within<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            done = work => Some(done),
            () = self.sleep(limit) => None,
        }
    }
}
