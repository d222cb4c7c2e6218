//! Many seeds: spread over the machine's cores, counted, and the first that breaks a promise shrunk and told.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::bugs::Bug;
use crate::config::is_on_sqlite;
use crate::coverage::Coverage;
use crate::judge::Broken;
use crate::run::{replay, run, shrink};

/// One seed in so many is run twice, and both stories are compared.
const SAMPLE: u64 = 500;
/// How often it is told how far it is.
const TELL_EVERY: Duration = Duration::from_secs(5);
/// Seeds in which a planted bug must be found.
pub const FOUND_WITHIN: u64 = 10_000;
/// Seeds in which each kind of fault must have met an order at each step of its way.
pub const ALL_SEEN_WITHIN: u64 = 100_000;

/// What many seeds came to.
#[derive(Default)]
pub struct Tally {
    /// How many were run.
    pub seeds: u64,
    /// Steps that were taken in all of them.
    pub steps: u64,
    /// Of them on `SQLite` too.
    pub on_sqlite: u64,
    /// Seeds that were run twice.
    pub sampled: u64,
    /// What happened when.
    pub coverage: Coverage,
    /// The first seeds that broke each promise, and how many did.
    pub broken: BTreeMap<String, (u64, u64, Broken)>,
    /// Seeds that told two stories.
    pub differing: Vec<u64>,
    /// Processor time that it took, of all threads together.
    pub busy: Duration,
}

/// A promise that caught a bug.
pub struct Found {
    /// Which.
    pub promise: String,
    /// What was wrong.
    pub found: String,
    /// After so many seeds.
    pub seeds: u64,
    /// In this one.
    pub seed: u64,
}

/// Runs seeds from `first` on: `count` of them, or as many as there is time for.
pub fn run_seeds(first: u64, count: u64, limit: Option<Duration>, tell: impl Fn(&Tally) + Sync) -> Tally {
    let (started, next) = (Instant::now(), AtomicU64::new(first));
    let (tally, told) = (Mutex::new(Tally::default()), Mutex::new(Instant::now()));
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    let from = next.fetch_add(SAMPLE, Ordering::Relaxed);
                    let to = (from + SAMPLE).min(first.saturating_add(count));
                    if from >= to || limit.is_some_and(|limit| started.elapsed() >= limit) {
                        is_over.store(true, Ordering::Relaxed);
                        break;
                    }
                    let part = run_some(from, to);
                    let mut tally = lock(&tally);
                    tally.add(part);
                    let mut told = lock(&told);
                    if told.elapsed() >= TELL_EVERY {
                        *told = Instant::now();
                        tell(&tally);
                    }
                }
            });
        }
    });
    tally.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn run_some(from: u64, to: u64) -> Tally {
    let started = processor_time();
    let mut tally = Tally::default();
    for seed in from..to {
        let outcome = run(seed, None, false);
        tally.seeds += 1;
        tally.on_sqlite += u64::from(is_on_sqlite(seed));
        tally.steps += outcome.steps;
        tally.coverage.add(&outcome.coverage);
        for broken in outcome.broken {
            let entry = tally.broken.entry(broken.promise.clone()).or_insert((0, seed, broken));
            entry.0 += 1;
        }
    }
    tally.busy = processor_time().saturating_sub(started);
    if !tells_the_same(from) {
        tally.differing.push(from);
    }
    tally.sampled += 1;
    tally
}

/// What this thread has had of a processor.
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Whether a seed tells the same story twice, byte for byte.
pub fn tells_the_same(seed: u64) -> bool {
    let story = run(seed, None, true).story;
    !story.is_empty() && story == run(seed, None, true).story
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.seeds += other.seeds;
        self.on_sqlite += other.on_sqlite;
        self.steps += other.steps;
        self.sampled += other.sampled;
        self.busy += other.busy;
        self.coverage.add(&other.coverage);
        self.differing.extend(other.differing);
        for (promise, (count, seed, broken)) in other.broken {
            let entry = self.broken.entry(promise).or_insert((0, seed, broken.clone()));
            entry.0 += count;
            if seed < entry.1 {
                (entry.1, entry.2) = (seed, broken);
            }
        }
    }

    /// Schedules and steps for each second of processor time.
    pub fn rates(&self) -> (f64, f64) {
        let busy = self.busy.as_secs_f64().max(0.001);
        (self.seeds as f64 / busy, self.steps as f64 / busy)
    }
}

/// The shortest story found of a seed that breaks a promise.
pub fn shortest_story(seed: u64, bug: Option<Bug>) -> String {
    let outcome = run(seed, bug, false);
    if outcome.broken.is_empty() {
        return run(seed, bug, true).story;
    }
    replay(seed, bug, shrink(seed, bug, &outcome), true).story
}

/// Looks for a planted bug.
pub fn hunt(bug: Bug) -> Option<Found> {
    (0..FOUND_WITHIN).find_map(|seed| {
        let outcome = run(seed, Some(bug), false);
        let broken = outcome.broken.into_iter().next()?;
        Some(Found { promise: broken.promise, found: broken.found, seeds: seed + 1, seed })
    })
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
