//! libFuzzer: bytes that come from outside, changed by what they reach in the program, against what is promised of them
//! (`tests/fuzz`).

mod engine;

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::parts::Outcome;
use crate::shell;

pub(crate) use engine::build;

/// How long each target is tried in a test run.
const USUAL: Duration = Duration::from_secs(30);
/// Targets that are tried beside each other; each keeps a core busy.
const AT_ONCE: usize = 2;

/// What to try, and for how long.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How long each target is tried
    #[arg(long, value_name = "SECONDS", default_value_t = USUAL.as_secs(), value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Only this target; can be given more than once
    #[arg(long, value_name = "TARGET", value_parser = NAMES)]
    target: Vec<String>,
}

/// As they are called in `tests/fuzz`.
const NAMES: [&str; 5] = ["settings", "order_body", "event", "menu", "request"];

/// Tries what was asked for; answers whether every promise held.
pub(crate) fn run(arguments: &Arguments) -> Result<bool> {
    let is_wanted = |name: &&str| arguments.target.is_empty() || arguments.target.iter().any(|it| it == name);
    let wanted: Vec<_> = NAMES.into_iter().filter(is_wanted).collect();
    cafe_rig::prepare_cxx()?;
    let outcome = try_all(&build()?, &wanted, Duration::from_secs(arguments.seconds))?;
    Ok(matches!(outcome, Outcome::Ran { failed: 0, .. }))
}

/// Every target, each of them one test.
pub(crate) fn test(programs: &Path) -> Result<Outcome> {
    try_all(programs, &NAMES, USUAL)
}

fn try_all(programs: &Path, wanted: &[&'static str], time: Duration) -> Result<Outcome> {
    let waiting = Mutex::new(wanted.iter());
    let worker = || {
        let mut outcome = Outcome::Ran { passed: 0, failed: 0 };
        loop {
            let next = waiting.lock().ok().and_then(|mut waiting| waiting.next().copied());
            let Some(name) = next else { return Ok(outcome) };
            outcome = outcome.and(Outcome::of(try_one(programs, name, time)?));
        }
    };
    let outcomes: Vec<Result<Outcome>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().map(|worker| worker.join().expect("a worker does not panic")).collect()
    });
    outcomes.into_iter().try_fold(Outcome::Ran { passed: 0, failed: 0 }, |sum, outcome| Ok(sum.and(outcome?)))
}

/// Answers whether its promises held.
fn try_one(programs: &Path, name: &str, time: Duration) -> Result<bool> {
    let tried = engine::run(programs, name, time)?;
    let Some(found) = &tried.broken else {
        ensure!(tried.inputs > 0, "{name}: the engine tried nothing:\n{}", tried.output);
        println!(
            "{name}: {} inputs, {} a second; {} of {} counters reached",
            tried.inputs,
            tried.inputs / time.as_secs().max(1),
            tried.reached,
            tried.counters
        );
        return Ok(true);
    };
    println!("{name}: A PROMISE IS BROKEN\n{}\n{found}", tried.output);
    println!(
        "When it is mended, keep the input in tests/fuzz/corpus/{name} under a name that says what it is."
    );
    Ok(false)
}

/// Where everything of the engine is: its programs, what they found, what broke a promise.
fn folder() -> PathBuf {
    shell::target().join("fuzz")
}
