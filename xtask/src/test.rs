//! Everything that shows whether the cafe keeps its promises, each kind of fault once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use cafe_system_tests::Cafe;

use crate::behind::{self, Behind};
use crate::failures::{self, Scope};
use crate::parts::{Outcome, Parts};
use crate::previous::{self, Previous};
use crate::{fuzz, inputs, shell, simulate};

/// What to test.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only this part; can be given more than once
    #[arg(long, value_name = "PART", value_parser = NAMES)]
    only: Vec<String>,
    /// The program to put beside this one, instead of the one before its last change
    #[arg(long, value_name = "REVISION")]
    previous: Option<String>,
}

/// The parts, in the order in which they run: what fails soonest comes first.
const NAMES: [&str; 12] = [
    "crates",
    "simulation",
    "system",
    "rungs",
    "versions",
    "disk",
    "tls",
    "browser",
    "readme",
    "fuzz",
    "inputs",
    "rush",
];

/// Tests on real processes, one at a time because they measure.
const SYSTEM: [&str; 6] = ["whole", "quiet", "restored", "traces", "contracts", "isolation"];

/// The same with databases on a server, with Kafka, and with replicas.
const RUNGS: [&str; 4] = ["rungs", "replicas", "database_faults", "kafka_faults"];

/// Screens on which something is measured, and the judges of what is.
const MEASURED_SCREENS: [&str; 3] = ["harness", "cafe", "rush"];
/// Screens whose tests wait for somebody most of the time.
const SCREENS: [&str; 3] = ["shop", "display", "board"];

const ONE: &str = "1";
/// Tests of screens at a time: each of them has a cafe, and one browser or two.
const BROWSERS: &str = "2";
/// Cafes that wait for a vendor at a time.
const VENDORS: &str = "3";

/// Cafes whose disks fail at a time: they wait for their customers.
const DISKS: &str = "7";

/// What the rush may take: 10 s of customers, then the last payments and their audit.
const RUSH_LIMIT: Duration = Duration::from_secs(55);

pub(crate) fn run(arguments: &Arguments) -> Result<bool> {
    demand_what_is_needed()?;
    let is_wanted = |name: &str| arguments.only.is_empty() || arguments.only.iter().any(|only| only == name);
    prepare(is_wanted)?;
    let revision = failures::begin()?;
    let mut parts = Parts::new();
    thread::scope(|builds| run_parts(arguments, is_wanted, &mut parts, builds))?;
    let is_whole = arguments.only.is_empty() && parts.counts().skipped == 0 && parts.counts().failed == 0;
    let scope = if is_whole { Scope::Everything } else { Scope::Parts(&arguments.only) };
    parts.run("failures", || failures::test(scope, &revision));
    let passed = parts.print_table();
    parts.print_skipped();
    let counts = parts.counts();
    println!("\n{} passed, {} failed, {} skipped", counts.passed, counts.failed, counts.skipped);
    Ok(passed)
}

/// Installs what the parts need, so that a machine that cannot have it is told so now.
fn prepare(is_wanted: impl Fn(&str) -> bool) -> Result<()> {
    if ["crates", "system", "rungs", "versions", "tls"].into_iter().any(&is_wanted) {
        cafe_rig::prepare()?;
    }
    if is_wanted("disk") {
        cafe_rig::strace()?;
    }
    if is_wanted("tls") {
        cafe_rig::prepare_tls()?;
    }
    if is_wanted("crates") || is_wanted("browser") {
        cafe_rig::prepare_browser()?;
    }
    if is_wanted("inputs") {
        cafe_rig::prepare_cxx()?;
    }
    Ok(())
}

fn run_parts<'scope>(
    arguments: &'scope Arguments,
    is_wanted: impl Fn(&str) -> bool,
    parts: &mut Parts,
    builds: &'scope thread::Scope<'scope, '_>,
) -> Result<()> {
    let began = Instant::now();
    let building = Behind::begin(builds, build_program);
    if is_wanted("crates") {
        parts.run("crates", || crates(is_root()));
    }
    if (is_wanted("crates") || is_wanted("disk")) && !is_root() {
        parts.run("full disk", || Ok(Outcome::Skipped("it mounts a small disk, which takes root".into())));
    }
    println!("\n=== building the program");
    let program = building.finish()?;
    println!("built {:.1} s after it was begun", began.elapsed().as_secs_f64());
    let (revision, target) = (arguments.previous.as_deref(), behind::target()?);
    let same_target = target.clone();
    let mut before =
        is_wanted("versions").then(|| Behind::begin(builds, move || previous::build(revision, &target)));
    let mut with_tls = is_wanted("tls").then(|| Behind::begin(builds, move || build_with_tls(&same_target)));
    let mut engine = is_wanted("inputs").then(|| Behind::begin(builds, inputs::build));
    for name in NAMES.into_iter().filter(|name| *name != "crates" && is_wanted(name)) {
        parts.run(name, || match name {
            "simulation" => simulate::test(),
            "system" => system(&program),
            "rungs" => one_by_one(&tests(&RUNGS), &program),
            "versions" => versions(finished(&mut before)?, &program),
            "disk" => disk(&program),
            "tls" => one_by_one(&tests(&["tls"]), &finished(&mut with_tls)?),
            "browser" => browser(&program),
            "readme" => one_by_one(&["--test", "readme"], &program),
            "fuzz" => fuzz::run(),
            "inputs" => inputs::test(&finished(&mut engine)?),
            _ => rush(),
        });
    }
    Ok(())
}

/// What was built for a part that is wanted.
fn finished<T: Send>(build: &mut Option<Behind<'_, T>>) -> Result<T> {
    build.take().context("nothing was built for this part")?.finish()
}

/// A machine that lacks something is told so now and not after ten minutes.
pub(crate) fn demand_what_is_needed() -> Result<()> {
    if !shell::is_present("cc", "--version") {
        bail!("there is no C compiler (`cc`), which SQLite is built with: install gcc or clang");
    }
    if !shell::is_present("make", "--version") {
        bail!("there is no `make`, which Kafka's client is built with: install make");
    }
    if !shell::is_present("python3", "--version") {
        bail!("there is no `python3`, which the API fuzzer runs on: install Python 3.10 or newer");
    }
    let mut venv = Command::new("python3");
    if !venv.args(["-c", "import venv, ensurepip"]).output().is_ok_and(|output| output.status.success()) {
        bail!("python3 has no `venv`, which the API fuzzer is installed with: install python3-venv");
    }
    Ok(())
}

/// Builds the program as `cargo run --release` does it (with `--package` cargo would choose other features of the dependencies,
/// and build them twice), unless `CAFE_BIN` names one; tells the harness, and answers where it is.
pub(crate) fn build_program() -> Result<PathBuf> {
    let program = if let Some(program) = std::env::var_os("CAFE_BIN") {
        // Cafes are run in folders of their own.
        std::path::absolute(program).context("CAFE_BIN names no path")?
    } else {
        simulate::build()?;
        shell::target().join("release/cafe")
    };
    cafe_system_tests::use_program(program.clone());
    Ok(program)
}

/// Builds the program with TLS; answers where it is.
fn build_with_tls(target: &Path) -> Result<PathBuf> {
    let mut build = shell::cargo(["build", "--quiet", "--locked", "--bin", "cafe", "--features", "tls"]);
    ensure!(shell::run(build.arg("--target-dir").arg(target))?, "the program does not build with TLS");
    // Where cargo has put it others will be.
    let program = shell::target().join("tls/cafe");
    fs::create_dir_all(shell::target().join("tls"))?;
    fs::copy(target.join("debug/cafe"), &program).context("cargo built no program")?;
    Ok(program)
}

/// Every test of every crate but those on real processes.
fn crates(root: bool) -> Result<Outcome> {
    let which = ["--workspace", "--exclude", "cafe-system-tests", "--exclude", "cafe-browser-tests"];
    cargo_test(&which, mountable(root), |_| {})
}

/// Leaves out what mounts a small disk for whoever cannot.
fn mountable(root: bool) -> &'static [&'static str] {
    if root { &[] } else { &["--skip", "a_full_disk_"] }
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n")
}

/// Tests on real processes.
fn system(program: &PathBuf) -> Result<Outcome> {
    let measured = one_by_one(&[&["--lib"][..], &tests(&SYSTEM)].concat(), program)?;
    let waiting = on_processes(&tests(&["vendor"]), VENDORS, &[], &[("CAFE_BIN", program)])?;
    Ok(measured.and(waiting))
}

/// This program and the one before it, side by side.
fn versions(before: Previous, program: &PathBuf) -> Result<Outcome> {
    match before {
        Previous::At(before) => {
            let programs = [("CAFE_BIN", program), ("CAFE_PREVIOUS_BIN", &before)];
            on_processes(&tests(&["versions"]), ONE, &[], &programs)
        }
        Previous::None(why) => Ok(Outcome::Skipped(why)),
    }
}

/// What a disk can do: lose what was not synced, fail to sync, be full.
fn disk(program: &PathBuf) -> Result<Outcome> {
    let programs = [("CAFE_BIN", program)];
    let cut = on_processes(&tests(&["power_cut"]), ONE, &[], &programs)?;
    let faults = on_processes(&tests(&["disk_faults"]), DISKS, mountable(is_root()), &programs)?;
    Ok(cut.and(faults))
}

/// The screens in a real browser: one test at a time where something is measured.
fn browser(program: &PathBuf) -> Result<Outcome> {
    let of_screens = |which: &[&str], at_once| {
        on_processes_of("cafe-browser-tests", which, at_once, &[], &[("CAFE_BIN", program)])
    };
    let measured = of_screens(&[&["--lib"][..], &tests(&MEASURED_SCREENS)].concat(), ONE)?;
    Ok(measured.and(of_screens(&tests(&SCREENS), BROWSERS)?))
}

/// Those that measure.
fn one_by_one(which: &[&str], program: &PathBuf) -> Result<Outcome> {
    on_processes(which, ONE, &[], &[("CAFE_BIN", program)])
}

fn on_processes(
    which: &[&str],
    at_once: &str,
    but: &[&str],
    programs: &[(&str, &PathBuf)],
) -> Result<Outcome> {
    on_processes_of("cafe-system-tests", which, at_once, but, programs)
}

fn on_processes_of(
    package: &str,
    which: &[&str],
    at_once: &str,
    but: &[&str],
    programs: &[(&str, &PathBuf)],
) -> Result<Outcome> {
    let which = [&["--package", package], which].concat();
    let flags = [&["--test-threads", at_once, "--nocapture"], but].concat();
    cargo_test(&which, &flags, |command| {
        command.envs(programs.iter().copied());
    })
}

/// As cargo wants them named.
fn tests<'a>(names: &[&'a str]) -> Vec<&'a str> {
    names.iter().flat_map(|name| ["--test", name]).collect()
}

fn cargo_test(which: &[&str], flags: &[&str], adjust: impl FnOnce(&mut Command)) -> Result<Outcome> {
    let mut command = shell::cargo(["test", "--locked", "--no-fail-fast"]);
    command.args(which).args(["--", "--include-ignored"]).args(flags).envs([failures::variable()?]);
    adjust(&mut command);
    let (succeeded, lines) = shell::run_and_read(&mut command)?;
    let (passed, failed) =
        lines.iter().filter_map(|line| counts_of(line)).fold((0, 0), |sum, it| (sum.0 + it.0, sum.1 + it.1));
    // Failed without a failed test: it did not compile, or a test process died.
    let failed = if succeeded { failed } else { failed.max(1) };
    Ok(Outcome::Ran { passed, failed })
}

/// Passed and failed in a line such as `test result: ok. 12 passed; 0 failed; 0 ignored; …`.
fn counts_of(line: &str) -> Option<(usize, usize)> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let mut counts = counts.split("; ").map(|count| count.split(' ').next()?.parse::<usize>().ok());
    Some((counts.next()??, counts.next()??))
}

/// The lunch rush, with every promise checked afterwards.
fn rush() -> Result<Outcome> {
    let cafe = Cafe::up(&["--robot", "--robot-speed", "1000", "--pay-by", "15s"]);
    let started = Instant::now();
    let succeeded = shell::run(cafe.shown_command("rush").args(["--orders", "2000", "--rate", "200"]))?;
    let took = started.elapsed();
    ensure!(took <= RUSH_LIMIT, "the rush took {took:?}, more than {RUSH_LIMIT:?}");
    Ok(Outcome::of(succeeded))
}

#[cfg(test)]
mod tests {
    use super::counts_of;

    #[test]
    fn cargos_counts_are_read() {
        let ok =
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s";
        let bad = "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s";
        assert_eq!(counts_of(ok), Some((12, 0)));
        assert_eq!(counts_of(bad), Some((3, 2)));
        assert_eq!(counts_of("test a ... ok"), None);
    }
}
