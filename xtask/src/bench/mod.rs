//! How fast it is, beside how fast it must be. Everything on one machine, over loopback, the load included.

pub(crate) mod echo;

mod accept;
mod backlog;
mod bytes;
mod cycle;
mod figures;
mod ground;
mod heard;
mod history;
mod load;
mod others;
mod replicas;
mod rest;
mod starts;
mod takeover;

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use figures::{Figures, figure};
use ground::Ground;

use crate::{shell, test};

/// What to measure.
#[derive(clap::Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Arguments {
    /// Only this part; can be given more than once
    #[arg(long, value_name = "PART", value_parser = NAMES)]
    only: Vec<String>,
    /// Windows of each measurement; the median of them is shown
    #[arg(long, default_value_t = 3, value_name = "N")]
    windows: usize,
    /// Length of each window, in seconds
    #[arg(long, default_value_t = 5, value_name = "S")]
    seconds: u64,
    /// Writes the figures to this file as JSON too
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// On a Kafka that is started for it
    #[arg(long)]
    kafka: bool,
    /// On a `PostgreSQL` that is started for it
    #[arg(long)]
    postgres: bool,
    /// What a long history costs, beside an empty cafe, on `SQLite` and on `PostgreSQL`; nothing else is measured
    #[arg(long, conflicts_with_all = ["only", "kafka", "postgres"])]
    history: bool,
    /// Orders in the history that are at their end
    #[arg(long, default_value_t = 1_000_000, value_name = "N", requires = "history")]
    past: u64,
    /// Orders in the history that are not
    #[arg(long, default_value_t = 100_000, value_name = "N", requires = "history")]
    open: u64,
    /// With --history: instead of that, how a cafe that has it in files is moved up to `PostgreSQL` while it trades
    #[arg(long, requires = "history")]
    moving: bool,
    /// Also builds the program from nothing, which takes minutes
    #[arg(long)]
    cold_build: bool,
}

const NAMES: [&str; 9] =
    ["starts", "rest", "heard", "accept", "emitter", "cycle", "backlog", "takeover", "others"];

/// How often and for how long.
pub(crate) struct Windows {
    pub(crate) number: usize,
    pub(crate) length: Duration,
}

pub(crate) fn run(arguments: &Arguments) -> Result<bool> {
    if cfg!(debug_assertions) {
        return run_optimized();
    }
    test::build_program()?;
    let windows =
        Windows { number: arguments.windows.max(1), length: Duration::from_secs(arguments.seconds.max(1)) };
    let mut figures = Figures::default();
    if arguments.moving {
        history::moving::measure(arguments.past, arguments.open, &mut figures)?;
    } else if arguments.history {
        history::measure(arguments.past, arguments.open, &windows, &mut figures)?;
    } else {
        parts(arguments, &windows, &mut figures)?;
    }
    if arguments.cold_build {
        cold_build(&mut figures)?;
    }
    figures.print();
    if let Some(path) = &arguments.json {
        figures.write(path)?;
    }
    Ok(true)
}

fn parts(arguments: &Arguments, windows: &Windows, figures: &mut Figures) -> Result<()> {
    let ground = Ground::start(arguments.postgres, arguments.kafka)?;
    let is_wanted = |name: &&str| arguments.only.is_empty() || arguments.only.iter().any(|only| only == name);
    for name in NAMES.into_iter().filter(is_wanted) {
        println!("\n=== {name}");
        match name {
            "starts" => starts::measure(&ground, figures)?,
            "rest" => rest::measure(&ground, figures)?,
            "heard" => heard::measure(&ground, windows, figures)?,
            "accept" => accept::measure(&ground, windows, figures)?,
            "emitter" => accept::measure_beside_emitter(&ground, windows, figures)?,
            "cycle" => cycle::measure(&ground, windows, figures)?,
            "backlog" => backlog::measure(&ground, figures)?,
            "takeover" => takeover::measure(&ground, figures)?,
            _ => others::measure(&ground, windows, figures)?,
        }
    }
    Ok(())
}

/// A load from an unoptimized program would measure that program.
fn run_optimized() -> Result<bool> {
    println!("building the load generator");
    let built =
        shell::run(&mut shell::cargo(["build", "--quiet", "--locked", "--release", "--package", "xtask"]))?;
    ensure!(built, "cargo build --release --package xtask fails");
    let mut optimized = shell::command(shell::target().join("release/xtask"), std::env::args_os().skip(1));
    Err(optimized.exec().into())
}

fn cold_build(figures: &mut Figures) -> Result<()> {
    println!("\n=== cold build");
    let folder = tempfile::tempdir_in(shell::target())?;
    let started = Instant::now();
    let mut build =
        shell::cargo(["build", "--quiet", "--locked", "--release", "--bin", "cafe", "--target-dir"]);
    ensure!(shell::run(build.arg(folder.path()))?, "the program does not build");
    figures.add(figure(
        "cold build of the program, downloads not counted",
        started.elapsed().as_secs_f64(),
        "s",
    ));
    Ok(())
}
