//! How fast it is, beside how fast it must be. Everything on one machine, over loopback, the load included.

pub(crate) mod echo;

mod accept;
mod cycle;
mod figures;
mod heard;
mod load;
mod others;
mod rest;
mod starts;

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use figures::{Figures, figure};

use crate::{shell, test};

/// What to measure.
#[derive(clap::Args)]
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
    /// Also builds the program from nothing, which takes minutes
    #[arg(long)]
    cold_build: bool,
}

const NAMES: [&str; 6] = ["starts", "rest", "heard", "accept", "cycle", "others"];

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
    for name in NAMES {
        if !arguments.only.is_empty() && !arguments.only.iter().any(|only| only == name) {
            continue;
        }
        println!("\n=== {name}");
        match name {
            "starts" => starts::measure(&mut figures)?,
            "rest" => rest::measure(&mut figures)?,
            "heard" => heard::measure(&windows, &mut figures)?,
            "accept" => accept::measure(&windows, &mut figures)?,
            "cycle" => cycle::measure(&windows, &mut figures)?,
            _ => others::measure(&windows, &mut figures)?,
        }
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
