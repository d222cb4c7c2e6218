//! Looks now and then whether anything is due, and wakes whose work it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;

use super::Worker;
use crate::payment::agenda::Lane;
use crate::store;
use crate::timer::Timer;

/// How often the rows are searched when nobody wakes the scout, in real time.
const TICK: Duration = Duration::from_millis(200);
/// A wall clock that goes back by more than this, against the one that cannot step, was set back.
const STEPPED_BACK: Duration = Duration::from_secs(2);

/// One bell for each lane, and one for what expires. Clones share them.
#[derive(Clone, Debug)]
pub struct Bells {
    lanes: Arc<[Bell; Lane::ALL.len()]>,
    pub(super) expiring: Arc<Bell>,
}

/// Rung when there is something to do.
#[derive(Debug, Default)]
pub struct Bell {
    ring: Notify,
    take_all: AtomicBool,
}

impl Default for Bells {
    /// At first everything that may be waited for is looked at, due or not.
    fn default() -> Self {
        let bells = Self { lanes: Arc::default(), expiring: Arc::default() };
        // Closed attempts are not urgent, however long nobody was there, and orders that wait are due anyway.
        for lane in [Lane::Look, Lane::Asked, Lane::Refund] {
            bells.lane(lane).take_all.store(true, Ordering::Relaxed);
        }
        bells
    }
}

impl Bells {
    /// The bell of a lane.
    pub fn lane(&self, lane: Lane) -> &Bell {
        &self.lanes[lane.number() as usize - 1]
    }

    fn ring_for_everything(&self) {
        for lane in Lane::ALL {
            self.lane(lane).take_all.store(true, Ordering::Relaxed);
            self.lane(lane).ring.notify_one();
        }
    }
}

impl Bell {
    pub(super) async fn rung(&self) {
        self.ring.notified().await;
    }

    /// True if everything is to be looked at, due or not; once.
    pub fn takes_all(&self) -> bool {
        self.take_all.swap(false, Ordering::Relaxed)
    }
}

/// Notices when the wall clock is set back.
#[derive(Debug)]
pub struct Scout {
    before: (Timestamp, Duration),
}

impl Scout {
    /// Begins with how the clocks stand.
    pub fn new(timer: &Timer) -> Self {
        Self { before: (timer.now(), timer.elapsed()) }
    }

    /// Looks at the clocks; where the wall clock was set back, everything that waits is to be looked at.
    pub fn look(&mut self, timer: &Timer, bells: &Bells) {
        let now = (timer.now(), timer.elapsed());
        if was_set_back(self.before, now) {
            tracing::warn!("the clock was set back; everything that waits is looked at");
            bells.ring_for_everything();
        }
        self.before = now;
    }
}

pub(super) fn start(worker: &Worker) {
    let worker = worker.clone();
    let tasks = worker.tasks.clone();
    tasks.spawn(async move {
        let mut scout = Scout::new(&worker.till.timer);
        while !worker.stop.is_cancelled() {
            scout.look(&worker.till.timer, &worker.bells);
            worker.ring_what_is_due(worker.till.timer.now()).await;
            tokio::select! {
                () = worker.wake.notified() => {}
                () = tokio::time::sleep(TICK) => {}
                () = worker.stop.cancelled() => {}
            }
        }
    });
}

fn was_set_back(before: (Timestamp, Duration), now: (Timestamp, Duration)) -> bool {
    let expected = cafe_clock::after(before.0, now.1.saturating_sub(before.1));
    cafe_clock::since(expected, now.0) > STEPPED_BACK
}

impl Worker {
    async fn ring_what_is_due(&self, now: Timestamp) {
        for due in self.search(move |db| store::what_is_due(db, now)).await {
            match due {
                store::Due::In(lane) => self.bells.lane(lane).ring.notify_one(),
                store::Due::Expiring => self.bells.expiring.ring.notify_one(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use cafe_clock::from_ms;
    use cafe_failures::{clock, tried};

    use super::*;

    #[test]
    fn a_clock_that_is_set_back_is_noticed_and_one_that_is_put_on_is_not() {
        tried(&clock::STEPS_BACK);
        let before = (from_ms(100_000), Duration::from_secs(5));
        let later = |wall_ms| was_set_back(before, (from_ms(wall_ms), Duration::from_secs(6)));
        assert!(!later(101_000));
        assert!(!later(99_500), "clocks are corrected a little all the time");
        assert!(later(40_000));
        assert!(!later(90_000_000));
    }
}
