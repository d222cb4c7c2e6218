//! How soon a service that ended is started again.

use std::time::Duration;

/// Healthy for this long, and an end counts as the first again.
const RESET_AFTER: Duration = Duration::from_secs(5);
/// Pause before the second start in a row; it doubles from there.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Ends in a row.
#[derive(Debug, Default)]
pub(super) struct Restarts {
    ends: u32,
}

impl Restarts {
    /// How long to wait after an end; at first not at all. The service had answered for `healthy` before.
    pub(super) fn pause_after(&mut self, healthy: Duration) -> Duration {
        if healthy >= RESET_AFTER {
            self.ends = 0;
        }
        self.ends = self.ends.saturating_add(1);
        match self.ends {
            1 => Duration::ZERO,
            ends => FIRST_PAUSE.saturating_mul(1 << (ends - 2).min(16)).min(LONGEST_PAUSE),
        }
    }
}

#[cfg(test)]
mod tests {
    use cafe_failures::{process, tried};

    use super::*;

    #[test]
    fn the_first_restart_is_at_once_then_they_wait_longer_and_health_forgives() {
        tried(&process::DIES_AGAIN);
        let mut restarts = Restarts::default();
        let pauses: Vec<u128> = (0..10).map(|_| restarts.pause_after(Duration::ZERO).as_millis()).collect();
        assert_eq!(pauses, [0, 100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]);
        assert_eq!(restarts.pause_after(Duration::from_secs(4)), LONGEST_PAUSE);
        assert_eq!(restarts.pause_after(RESET_AFTER), Duration::ZERO);
    }
}
