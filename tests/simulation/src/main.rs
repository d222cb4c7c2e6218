//! The command behind `cargo xtask simulate`.

use std::process::ExitCode;
use std::time::Duration;

use cafe_simulation::bugs::Bug;
use cafe_simulation::campaign::{
    ALL_SEEN_WITHIN, FOUND_WITHIN, Tally, hunt, run_seeds, shortest_story, tells_the_same,
};
use clap::Parser;

/// The allocator of the program itself.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The whole cafe from a seed, with faults between any two steps and every promise checked
#[derive(Parser)]
struct Arguments {
    /// How many seeds
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    seeds: u64,
    /// The first seed; alone: tell its story, shrunk if it breaks a promise
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// As many seeds as there is time for
    #[arg(long, value_name = "M")]
    minutes: Option<u64>,
    /// Look for each planted bug instead, and print what caught it
    #[arg(long)]
    bugs: bool,
    /// Only this planted bug, by its name in `bugs.rs`; with --seed: the story with it
    #[arg(long, value_name = "BUG")]
    bug: Option<String>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let bug = match arguments.bug.as_deref().map(named) {
        None => None,
        Some(Some(bug)) => Some(bug),
        Some(None) => {
            let names: Vec<String> = Bug::ALL.iter().map(|bug| format!("{bug:?}")).collect();
            eprintln!("there is no such bug; there are: {}", names.join(", "));
            return ExitCode::FAILURE;
        }
    };
    let is_fine = match (arguments.seed, bug) {
        (Some(seed), bug) if arguments.minutes.is_none() => story(seed, bug),
        (_, Some(bug)) => hunt_all(&[bug]),
        _ if arguments.bugs => hunt_all(&Bug::ALL),
        (seed, None) => seeds(seed.unwrap_or(0), &arguments),
    };
    if is_fine { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn named(name: &str) -> Option<Bug> {
    Bug::ALL.into_iter().find(|bug| format!("{bug:?}").eq_ignore_ascii_case(name))
}

fn story(seed: u64, bug: Option<Bug>) -> bool {
    let story = shortest_story(seed, bug);
    print!("{story}");
    if !tells_the_same(seed) {
        println!("seed {seed} tells another story the second time");
        return false;
    }
    !story.contains("BROKEN")
}

fn seeds(first: u64, arguments: &Arguments) -> bool {
    let limit = arguments.minutes.map(|minutes| Duration::from_secs(minutes * 60));
    let count = if limit.is_some() { u64::MAX } else { arguments.seeds };
    let tally = run_seeds(first, count, limit, |tally| println!("{}", progress(tally)));
    println!("{}\n\n{}\n", progress(&tally), tally.coverage.table());
    for (kind, service, times) in tally.coverage.befell() {
        cafe_failures::simulated(kind, service.name(), times);
    }
    for (promise, (count, seed, broken)) in &tally.broken {
        println!(
            "BROKEN in {count} seeds: {promise}\n  {}\n  cargo xtask simulate --seed {seed}",
            broken.found
        );
    }
    for seed in &tally.differing {
        println!("NOT REPEATABLE: seed {seed} tells another story the second time");
    }
    let never = if tally.seeds >= ALL_SEEN_WITHIN { tally.coverage.never() } else { Vec::new() };
    for (kind, stage) in &never {
        println!("NEVER SEEN: {kind}, while an order is {}", format!("{stage:?}").to_lowercase());
    }
    if let Some((_, seed, _)) = tally.broken.values().min_by_key(|(_, seed, _)| seed) {
        println!("\nThe shortest story of seed {seed}:\n\n{}", shortest_story(*seed, None));
    }
    tally.broken.is_empty() && tally.differing.is_empty() && never.is_empty()
}

/// With the first seed that broke each promise, so that a long run can be looked into before it ends.
fn progress(tally: &Tally) -> String {
    let (seeds, steps) = tally.rates();
    let mut line = format!(
        "{} seeds, {} steps; per second of processor time {seeds:.0} schedules and {steps:.0} steps; {} on SQLite too, {} told twice; {} broke a promise",
        tally.seeds,
        tally.steps,
        tally.on_sqlite,
        tally.sampled,
        tally.broken.values().map(|(count, ..)| count).sum::<u64>(),
    );
    for (promise, (_, seed, _)) in &tally.broken {
        line.push_str("; seed ");
        line.push_str(&seed.to_string());
        line.push_str(": ");
        line.push_str(promise);
    }
    line
}

/// A table in the form of `docs/simulation.md`.
fn hunt_all(bugs: &[Bug]) -> bool {
    let mut all = true;
    println!("| planted bug | caught by | seeds |\n|---|---|---|");
    for bug in bugs {
        if let Some(found) = hunt(*bug) {
            println!("| {} | {} | {} |", bug.says(), found.promise, found.seeds);
        } else {
            all = false;
            println!("| {} | **nothing** | {FOUND_WITHIN} |", bug.says());
        }
    }
    all
}
