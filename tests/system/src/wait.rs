//! Waiting for a state, never for a time.

use std::time::{Duration, Instant};

/// How long is waited for what takes no time worth naming on an idle machine.
pub const MOMENT: Duration = Duration::from_secs(20);

/// How long something took to come true.
pub type Waited = Duration;

/// Looks every few milliseconds whether `condition` gives something, and answers with it and how long that took.
///
/// # Panics
/// When `limit` has passed, saying `what` did not come.
pub fn wait_until<T>(limit: Duration, what: &str, mut condition: impl FnMut() -> Option<T>) -> (T, Waited) {
    let started = Instant::now();
    loop {
        if let Some(it) = condition() {
            return (it, started.elapsed());
        }
        assert!(started.elapsed() < limit, "waited {limit:?} in vain for this: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
