//! Building for libFuzzer with the pinned toolchain, and reading what it says.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::folder;
use crate::shell;

/// Counters at every edge that the engine reads, and the values that are compared: what `cargo fuzz` asks of the compiler
/// (<https://clang.llvm.org/docs/SanitizerCoverage.html>), without the sanitizers, for which a nightly compiler is needed.
const COVERAGE: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";
/// The longest that one input may take, in seconds.
const INPUT_LIMIT_S: u64 = 10;
/// The most memory that a target may hold, in MB.
const MEMORY_LIMIT_MB: u64 = 1_024;
/// The longest input.
const LONGEST_BYTES: u64 = 8_192;
/// As much of a broken input is shown; all of it is in its file.
const SHOWN_BYTES: usize = 4_096;
/// As many of the engine's last lines tell why.
const SHOWN_LINES: usize = 40;

/// What came of a target.
pub(super) struct Tried {
    /// How many inputs there were.
    pub(super) inputs: u64,
    /// Edges of the program that were reached.
    pub(super) reached: u64,
    /// Edges that there are.
    pub(super) counters: u64,
    /// The input that broke a promise, and where it is kept.
    pub(super) broken: Option<String>,
    /// What the engine said last.
    pub(super) output: String,
}

/// Builds every target in a folder of its own, so that no other build is done again; answers where they are.
pub(crate) fn build() -> Result<PathBuf> {
    let host = host()?;
    let mut cargo = shell::cargo(["build", "--quiet", "--locked", "--package", "cafe-fuzz", "--examples"]);
    cargo.args(["--features", "engine", "--profile", "fuzz"]);
    // With a target that is named, what runs while building is built without counters.
    cargo.args(["--target", &host]).arg("--target-dir").arg(folder());
    cargo.env("RUSTFLAGS", COVERAGE).env_remove("CARGO_ENCODED_RUSTFLAGS");
    ensure!(shell::run(&mut cargo)?, "the targets do not build");
    Ok(folder().join(host).join("fuzz/examples"))
}

fn host() -> Result<String> {
    let told = shell::command("rustc", ["-vV"]).output().context("rustc does not start")?;
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    let host = told.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc does not tell for which machine it builds")?.to_owned())
}

/// Tries a target on the inputs that are kept, on those that earlier runs found, and on what can be made of them.
pub(super) fn run(programs: &Path, name: &str, time: Duration) -> Result<Tried> {
    let [found, broken, temporary] = ["found", "broken", "temporary"].map(|it| folder().join(it).join(name));
    for folder in [&found, &broken, &temporary] {
        fs::create_dir_all(folder)?;
    }
    let mut engine = shell::command(programs.join(name), [format!("-max_total_time={}", time.as_secs())]);
    engine.arg(format!("-timeout={INPUT_LIMIT_S}")).arg(format!("-rss_limit_mb={MEMORY_LIMIT_MB}"));
    engine.arg(format!("-max_len={LONGEST_BYTES}")).arg("-print_final_stats=1");
    engine.arg(format!("-artifact_prefix={}/", broken.display()));
    engine.arg(&found).arg(shell::root().join("tests/fuzz/corpus").join(name));
    for (variable, _) in std::env::vars_os() {
        if variable.to_string_lossy().starts_with("CAFE_") {
            engine.env_remove(variable);
        }
    }
    // A program that ends in a panic leaves its files there.
    engine.env("TMPDIR", &temporary).env("RUST_BACKTRACE", "0").stdin(Stdio::null());
    let output = engine.output().with_context(|| format!("{name} does not start"))?;
    fs::remove_dir_all(&temporary)?;
    read(&String::from_utf8_lossy(&output.stderr), output.status.success())
}

fn read(said: &str, succeeded: bool) -> Result<Tried> {
    let number_after = |mark: &str| {
        let (_, rest) = said.rsplit_once(mark)?;
        rest.trim_start().split(|it: char| !it.is_ascii_digit()).next()?.parse().ok()
    };
    let kept = said.rsplit_once("Test unit written to ").and_then(|(_, rest)| rest.lines().next());
    let broken = kept.map(|file| shown(Path::new(file.trim()))).transpose()?;
    let lines: Vec<_> = said.lines().filter(|line| is_telling(line)).collect();
    let output = lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n");
    ensure!(succeeded || broken.is_some(), "the engine fails:\n{output}");
    Ok(Tried {
        inputs: number_after("stat::number_of_executed_units:").unwrap_or_default(),
        reached: number_after(" cov: ").unwrap_or_default(),
        counters: number_after("Loaded 1 modules   (").unwrap_or_default(),
        broken,
        output,
    })
}

/// Neither its progress nor its statistics.
fn is_telling(line: &str) -> bool {
    let is_noise =
        ["#", "INFO:", "stat::", "NEW_FUNC", "DE: "].iter().any(|start| line.trim_start().starts_with(start));
    !is_noise && !line.contains("# Uses: ") && !line.trim().is_empty()
}

fn shown(file: &Path) -> Result<String> {
    let input = fs::read(file).with_context(|| format!("{} is gone", file.display()))?;
    let start = input[..input.len().min(SHOWN_BYTES)].escape_ascii();
    Ok(format!("{} bytes, in {}:\n{start}", input.len(), file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_engine_says_is_read() {
        let said = "INFO: Loaded 1 modules   (12451 inline 8-bit counters): 12451 [0x1, 0x2), \n\
             #2\tINITED cov: 12 ft: 13 corp: 1/1b exec/s: 0 rss: 30Mb\n\
             #866837\tDONE   cov: 3761 ft: 16916 corp: 2484/757Kb lim: 1141 exec/s: 41277 rss: 35Mb\n\
             stat::number_of_executed_units: 866837\n";
        let tried = read(said, true).unwrap();
        assert_eq!((tried.inputs, tried.reached, tried.counters), (866_837, 3_761, 12_451));
        assert!(tried.broken.is_none() && read(said, false).is_err());
    }

    #[test]
    fn a_broken_promise_is_told_with_its_input() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("crash-1");
        fs::write(&file, b"{\"\xff\"").unwrap();
        let said = format!(
            "thread panicked: a total\nartifact_prefix=''; Test unit written to {}\n",
            file.display()
        );
        let tried = read(&said, false).unwrap();
        assert!(tried.broken.unwrap().ends_with(r#"{\"\xff\""#));
        assert!(tried.output.contains("a total"));
    }
}
