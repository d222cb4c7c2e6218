//! What a run of the tests has tried, held against what `docs/failures.md` says of it.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use cafe_clock::Clock;
use cafe_failures::{Gap, Page, Records, TRIED_IN, faults};

use crate::parts::Outcome;
use crate::shell;

/// Whose counts to take.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Those of the last run of some parts, instead of the last run of everything
    #[arg(long)]
    parts: bool,
}

const PAGE: &str = "docs/failures.md";
const COMMAND: &str = "cargo xtask failures";
const COMMAND_OF_PARTS: &str = "cargo xtask failures --parts";

/// What a run was of.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scope<'a> {
    /// Every part, of which none was skipped and none failed.
    Everything,
    /// These, or as much as could be run if none is named.
    Parts(&'a [String]),
}

impl Scope<'_> {
    /// What was not run has not tried anything; what was run and is on no row is wrong in any case.
    fn fails_for(self, gap: &Gap) -> bool {
        matches!((self, gap), (Self::Everything, _) | (_, Gap::Unknown { .. }))
    }

    /// Where the page of such a run is left.
    fn page(self) -> PathBuf {
        let name = if matches!(self, Self::Everything) { "failures.md" } else { "failures-of-parts.md" };
        shell::target().join(name)
    }

    fn named(self) -> String {
        match self {
            Self::Everything => "everything".to_owned(),
            Self::Parts([]) => "everything that could be run".to_owned(),
            Self::Parts(parts) => format!("only {}", parts.join(", ")),
        }
    }
}

/// Forgets what was tried before, and answers of which revision the run is: one may be committed while it runs.
pub(crate) fn begin() -> Result<String> {
    let folder = folder()?;
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    fs::create_dir_all(folder)?;
    Ok(revision())
}

/// What tests are to find in their environment, so that they write down what they try.
pub(crate) fn variable() -> Result<(&'static str, impl AsRef<OsStr>)> {
    Ok((TRIED_IN, folder()?))
}

/// Tests run in folders of their own.
fn folder() -> Result<PathBuf> {
    std::path::absolute(shell::target().join("tried")).context("the folder of what is built has no path")
}

/// Looks whether every row was tried by everybody it names, and writes the page of this run. A run of some parts only says what it
/// did not try.
pub(crate) fn test(scope: Scope<'_>, revision: &str) -> Result<Outcome> {
    let records = Records::read(&folder()?)?;
    let gaps = records.gaps();
    let failed: Vec<&Gap> = gaps.iter().filter(|gap| scope.fails_for(gap)).collect();
    for gap in &failed {
        println!("{gap}");
    }
    let untried: Vec<&str> = faults().filter(|fault| !records.has(fault)).map(|fault| fault.name).collect();
    let tried = faults().count() - untried.len();
    if matches!(scope, Scope::Parts(_)) {
        println!("{tried} faults were tried; in this run these were not:");
        for name in &untried {
            println!("  {name}");
        }
    }
    if failed.is_empty() {
        let run = format!("the run of {} on {}, {revision}", scope.named(), today());
        fs::write(scope.page(), Page::of(&records, &run).written())?;
        let command = if matches!(scope, Scope::Everything) { COMMAND } else { COMMAND_OF_PARTS };
        println!("how often: {}; `{command}` takes it over into {PAGE}", scope.page().display());
    }
    Ok(Outcome::Ran { passed: tried, failed: failed.len() })
}

/// Writes the page anew: with today's words, and with the counts of the last run, or else with those that it has.
pub(crate) fn run(arguments: &Arguments) -> Result<bool> {
    let scope = if arguments.parts { Scope::Parts(&[]) } else { Scope::Everything };
    let committed = shell::root().join(PAGE);
    let counted = read(&scope.page())?;
    if counted.is_none() {
        println!("no run has counted: the counts stay as they are");
    }
    let page = counted.map_or_else(|| read(&committed), |page| Ok(Some(page)))?;
    fs::write(&committed, Page::read(&page.unwrap_or_default()).written())?;
    println!("{PAGE} is written");
    Ok(true)
}

fn read(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some).with_context(|| path.display().to_string()),
    }
}

fn today() -> String {
    Clock::Real.now().to_string().chars().take("2026-11-28".len()).collect()
}

fn revision() -> String {
    let Ok(revision) = shell::git(&["rev-parse", "--short", "HEAD"]) else {
        return "of a copy without a history".to_owned();
    };
    let is_changed = shell::git(&["status", "--porcelain"]).is_ok_and(|changes| !changes.is_empty());
    format!("revision `{revision}`{}", if is_changed { " with changes" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_of_everything_fails_for_what_was_not_tried_and_a_run_of_some_parts_does_not() {
        let untried =
            Gap::Untried { fault: "the power is cut", test: "power_cut.rs::nothing_is_lost".to_owned() };
        let unknown = Gap::Unknown { fault: "TEA_SPILT".to_owned(), test: "tea.rs::it_is_spilt".to_owned() };
        let parts = ["system".to_owned()];
        assert!(Scope::Everything.fails_for(&untried) && Scope::Everything.fails_for(&unknown));
        assert!(!Scope::Parts(&parts).fails_for(&untried) && Scope::Parts(&parts).fails_for(&unknown));
    }
}
