//! The whole cafe from seeds: what `tests/simulation` is run with.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};

use crate::parts::Outcome;
use crate::{failures, shell};

/// What to simulate.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Passed on: --seeds N, --seed S, --minutes M, --bugs, --bug B; --help tells more
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<OsString>,
}

/// The program that runs seeds.
pub(crate) const PROGRAM: &str = "simulate";

/// Seeds of the test command.
const SEEDS: &str = "100000";

pub(crate) fn run(arguments: &Arguments) -> Result<bool> {
    shell::run(&mut simulation(&build()?, &arguments.rest))
}

/// As many seeds as a test has time for, and every planted bug.
pub(crate) fn test() -> Result<Outcome> {
    let program = build()?;
    let mut seeds = simulation(&program, &["--seeds".into(), SEEDS.into()]);
    seeds.envs([failures::variable()?]);
    let kept = shell::run(&mut seeds)?;
    let found = shell::run(&mut simulation(&program, &["--bugs".into()]))?;
    Ok(Outcome::of(kept).and(Outcome::of(found)))
}

/// With the cafe, so that both are built with the same features of their dependencies.
pub(crate) fn build() -> Result<PathBuf> {
    let mut build =
        shell::cargo(["build", "--quiet", "--locked", "--release", "--bin", "cafe", "--bin", PROGRAM]);
    ensure!(shell::run(&mut build)?, "the simulation does not build");
    Ok(shell::target().join("release").join(PROGRAM))
}

fn simulation(program: &Path, arguments: &[OsString]) -> Command {
    shell::command(program, arguments)
}
