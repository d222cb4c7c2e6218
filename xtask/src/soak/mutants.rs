//! Small changes to the rules, one at a time: whether a test notices each.
//!
//! cargo-mutants makes them, as `.cargo/mutants.toml` says where; what no test can notice is excused there, with the reason.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Result, bail, ensure};

use super::Arguments;
use crate::shell;
use crate::tools::MUTANTS;

/// A package that has rules, and its tests that are quick enough to be run for every mutant.
#[derive(Clone, Copy)]
struct Rules {
    package: &'static str,
    tests: &'static [&'static str],
}

/// Where a mistake costs most comes first.
const RULES: [Rules; 6] = [
    Rules { package: "cafe-payment", tests: &["--lib"] },
    Rules { package: "cafe-barista", tests: &["--lib", "--test=barista"] },
    Rules { package: "cafe-order", tests: &["--lib"] },
    Rules { package: "cafe-delivery", tests: &["--lib", "--test=turn"] },
    Rules { package: "cafe-promises", tests: &["--lib", "--tests"] },
    Rules { package: "cafe-events", tests: &["--lib", "--tests"] },
];

/// The packages, as they are named on the command line.
pub(super) const PACKAGES: [&str; RULES.len()] = {
    let mut packages = [""; RULES.len()];
    let mut at = 0;
    while at < RULES.len() {
        packages[at] = RULES[at].package;
        at += 1;
    }
    packages
};

/// What its own tests let through is tried on the whole cafe.
const SIMULATION: &str = "cafe-simulation";

/// How cargo-mutants ends when it did what it was asked to: nothing was missed; something was; something ran too long.
const DONE: [i32; 3] = [0, 2, 3];

/// What became of the mutants of a package.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    /// A test failed.
    caught: usize,
    /// The simulation broke a promise, after the package's own tests had passed.
    by_simulation: usize,
    /// It went on for ever, which every test notices.
    timeouts: usize,
    /// It did not compile.
    unviable: usize,
    /// Nothing noticed it.
    survivors: Vec<String>,
}

pub(super) fn run(arguments: &Arguments) -> Result<bool> {
    let tool = MUTANTS.path()?;
    let is_wanted = |package: &str| arguments.mutants_of.as_deref().is_none_or(|wanted| wanted == package);
    let mut survivors = Vec::new();
    for rules in RULES.into_iter().filter(|rules| is_wanted(rules.package)) {
        let started = Instant::now();
        let tally = try_all(&tool, rules, arguments.shard.as_deref())?;
        println!(
            "{}: {} mutants noticed by its own tests, {} by the simulation only, {} ran for ever, {} did not compile, {} \
             survived; {} s\n",
            rules.package,
            tally.caught,
            tally.by_simulation,
            tally.timeouts,
            tally.unviable,
            tally.survivors.len(),
            started.elapsed().as_secs()
        );
        survivors.extend(tally.survivors);
    }
    for survivor in &survivors {
        println!("survived: {survivor}");
    }
    if !survivors.is_empty() {
        println!(
            "\nA survivor is a rule that no test asks for: write the test, or say in .cargo/mutants.toml why none can."
        );
    }
    Ok(survivors.is_empty())
}

fn try_all(tool: &Path, rules: Rules, shard: Option<&str>) -> Result<Tally> {
    let folder = folder().join(rules.package);
    fs::remove_dir_all(&folder).ok();
    fs::create_dir_all(&folder)?;
    let mut own = mutants(tool, rules.package, &folder, shard);
    own.args(rules.tests.iter().map(|test| format!("--cargo-test-arg={test}")));
    finish(&mut own)?;
    let mut tally = Tally {
        caught: names(&folder, "caught")?.len(),
        by_simulation: 0,
        timeouts: names(&folder, "timeout")?.len(),
        unviable: names(&folder, "unviable")?.len(),
        survivors: names(&folder, "missed")?,
    };
    if !tally.survivors.is_empty() {
        let mut simulated = mutants(tool, rules.package, &folder, shard);
        // A thousand days are quicker built for than lived through without.
        simulated.args(["--iterate", "--test-package", SIMULATION]).env("CARGO_PROFILE_DEV_OPT_LEVEL", "1");
        finish(&mut simulated)?;
        let missed = names(&folder, "missed")?;
        tally.by_simulation = tally.survivors.iter().filter(|name| !missed.contains(name)).count();
        tally.survivors.retain(|name| missed.contains(name));
    }
    Ok(tally)
}

/// In a copy of the project, so that work on it can go on.
fn mutants(tool: &Path, package: &str, output: &Path, shard: Option<&str>) -> Command {
    let mut command = shell::command(tool, ["mutants", "--package", package, "--jobs", "1", "--output"]);
    command.arg(output);
    command.args(shard.iter().flat_map(|shard| ["--shard", shard].map(OsStr::new)));
    command
        .env("CARGO_TARGET_DIR", folder().join("build"))
        // Nobody looks into them with a debugger.
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        // That it fails is enough; nobody reads the shortest way to it.
        .env("PROPTEST_MAX_SHRINK_ITERS", "0")
        .env("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "true")
        // Whether a mutant survives is no matter of luck.
        .env("PROPTEST_RNG_SEED", "1");
    command
}

fn finish(command: &mut Command) -> Result<()> {
    let status = command.status()?;
    let Some(code) = status.code() else { bail!("cargo-mutants was ended: {status}") };
    ensure!(DONE.contains(&code), "cargo-mutants did not get to the mutants: {status}; its output says why");
    Ok(())
}

/// The mutants that ended like this in the last run.
fn names(folder: &Path, outcome: &str) -> Result<Vec<String>> {
    let text = fs::read_to_string(folder.join("mutants.out").join(outcome).with_extension("txt"))?;
    Ok(text.lines().map(str::to_owned).collect())
}

/// Where everything of it is: the build, and what became of each mutant.
fn folder() -> PathBuf {
    shell::target().join("mutants")
}
