//! Faults by the hundred, on one cafe under a steady rush.

mod chain;
mod disk;
mod kafka;
mod mutants;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use cafe_clock::Ids;
use cafe_system_tests::{Cafe, Outage, Rush, Service};

use crate::test;

/// How much of it.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Kills, spread over the three services at random
    #[arg(long, default_value_t = 300, value_name = "N")]
    kills: u32,
    /// Freezes of 0 to 10 s, spread likewise
    #[arg(long, default_value_t = 30, value_name = "N")]
    freezes: u32,
    /// All three killed at once
    #[arg(long, default_value_t = 20, value_name = "N")]
    all: u32,
    /// `cafe up` itself killed and started again
    #[arg(long, default_value_t = 20, value_name = "N")]
    ups: u32,
    /// Listeners stopped inside their read
    #[arg(long, default_value_t = 5, value_name = "N")]
    reads: u32,
    /// Goes on with more of the same until so many minutes have passed
    #[arg(long, default_value_t = 0, value_name = "M")]
    minutes: u64,
    /// Customers a second
    #[arg(long, default_value_t = 100, value_name = "R")]
    rate: u32,
    /// Instead of all that: so many faults on Kafka and `PostgreSQL`, with replicas of every service
    #[arg(long, default_value_t = 0, value_name = "N")]
    chain: u32,
    /// Instead of all that: so many times everything that can befall Kafka
    #[arg(long, default_value_t = 0, value_name = "N")]
    kafka: u32,
    /// Instead of all that: so many power cuts, at every kind of moment
    #[arg(long, default_value_t = 0, value_name = "N")]
    disk: usize,
    /// Instead of all that: small changes to the rules, one at a time, each of which a test must notice. It takes hours
    #[arg(long)]
    mutants: bool,
    /// With --mutants: only the rules of this package
    #[arg(long, value_name = "PACKAGE", requires = "mutants", value_parser = mutants::PACKAGES)]
    mutants_of: Option<String>,
    /// With --mutants: only the Kth of N parts of each package's
    #[arg(long, value_name = "K/N", requires = "mutants")]
    shard: Option<String>,
    /// Where the draws come from: the same faults in the same order again, though not at the same moments [default: drawn]
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// With --chain: the program that works beside this one, instead of the one before its last change
    #[arg(long, value_name = "REVISION", requires = "chain")]
    previous: Option<String>,
}

/// Faults between two audits.
const ROUND: usize = 25;
/// Where the folders of a failed run are left.
const KEPT: &str = "target/soak";
/// Some customers pay with a vendor on a bad day.
const TOKENS: [&str; 8] =
    ["tok_ok", "tok_ok", "tok_declined", "tok_ok", "tok_error", "tok_ok", "tok_timeout", "tok_ok"];
/// From the kill to the first request served.
const BACK_IN: Duration = Duration::from_millis(500);
/// After so long a service's next restart is at once; one that is killed again sooner is started again more slowly.
const HEALTHY: Duration = Duration::from_millis(5_500);

#[derive(Clone, Copy)]
enum Fault {
    Kill,
    Freeze,
    KillAll,
    KillUp,
    StopReader,
}

pub(crate) fn run(arguments: &Arguments) -> Result<bool> {
    if arguments.mutants {
        return mutants::run(arguments);
    }
    test::demand_what_is_needed()?;
    test::build_program()?;
    let seed = arguments.seed.unwrap_or_else(|| (Ids::random().fraction() * 1e6) as u64);
    println!("seed {seed}");
    cafe_rig::keep_what_fails(Path::new(KEPT));
    if arguments.chain > 0 {
        return chain::run(arguments, seed);
    }
    if arguments.disk > 0 {
        return disk::run(arguments.disk, seed);
    }
    if arguments.kafka > 0 {
        return kafka::run(arguments, seed);
    }
    let started = Instant::now();
    let (mut done, mut slowest) = (0, Duration::ZERO);
    let mut cafe = Cafe::up(&["--robot", "--robot-speed", "1000", "--wal-limit-mb", "16"]);
    cafe.draw_from_seed(seed);
    loop {
        let mut faults = shuffled(arguments, &cafe);
        while !faults.is_empty() {
            let round = faults.split_off(faults.len().saturating_sub(ROUND));
            done += round.len();
            slowest = slowest.max(run_round(&mut cafe, arguments.rate, &round));
            println!(
                "{done} faults, {} s: all well; order back in {slowest:?} at most",
                started.elapsed().as_secs()
            );
        }
        if started.elapsed() >= Duration::from_secs(60 * arguments.minutes) {
            break;
        }
    }
    println!("\n{done} faults, every promise kept, {:.0} s", started.elapsed().as_secs_f64());
    let prompt = slowest <= BACK_IN;
    if !prompt {
        println!("missed: order was back only {slowest:?} after a kill, not in {BACK_IN:?}");
    }
    Ok(prompt)
}

/// A rush, the faults within it, then everything settled and audited. Answers how long order took to be back at most.
fn run_round(cafe: &mut Cafe, rate: u32, faults: &[Fault]) -> Duration {
    let rush = Rush::start(cafe, rate, &TOKENS);
    let (mut order_was_out, mut slowest) = (Vec::<Outage>::new(), Duration::ZERO);
    for fault in faults {
        rush.wait_for_customers(cafe.draw(1..2 * rate));
        let service = Service::ALL[cafe.draw(0..3) as usize];
        let (hit, outage) = inflict(cafe, *fault, service);
        if hit.contains(&Service::Order) {
            let was_healthy = order_was_out.last().is_none_or(|last| outage.from > last.to + HEALTHY);
            if matches!(fault, Fault::Kill) && was_healthy {
                slowest = slowest.max(outage.length());
            }
            order_was_out.push(outage);
        }
    }
    rush.wait_for_customers(rate);
    rush.stop().demand_all_well(cafe, &order_was_out);
    slowest
}

/// Does the harm, and answers who could not serve meanwhile, and when.
fn inflict(cafe: &mut Cafe, fault: Fault, service: Service) -> (Vec<Service>, Outage) {
    match fault {
        Fault::Kill => (vec![service], cafe.kill(service)),
        Fault::Freeze => {
            let length = Duration::from_millis(cafe.draw(0..10_000).into());
            (vec![service], cafe.freeze(service, length))
        }
        Fault::KillAll => (Service::ALL.to_vec(), cafe.kill_all()),
        Fault::KillUp => (Vec::new(), cafe.replace_supervisor()),
        Fault::StopReader => {
            let (listener, peer) = match service {
                Service::Order => (Service::Order, Service::Barista),
                Service::Payment => (Service::Payment, Service::Order),
                Service::Barista => (Service::Barista, Service::Payment),
            };
            (vec![listener], cafe.stop_reader(listener, peer))
        }
    }
}

fn shuffled(arguments: &Arguments, cafe: &Cafe) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (fault, times) in [
        (Fault::Kill, arguments.kills),
        (Fault::Freeze, arguments.freezes),
        (Fault::KillAll, arguments.all),
        (Fault::KillUp, arguments.ups),
        (Fault::StopReader, arguments.reads),
    ] {
        faults.extend(std::iter::repeat_n(fault, times as usize));
    }
    for at in (1..faults.len()).rev() {
        faults.swap(at, cafe.draw(0..at as u32 + 1) as usize);
    }
    faults
}
