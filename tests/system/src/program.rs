//! The program under test.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context, ensure};

static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// Names the program beforehand; the first to do so decides.
pub fn use_program(path: PathBuf) {
    let _ = PROGRAM.set(path);
}

/// Where the program is: what `CAFE_BIN` names, or else the debug build, brought up to date once per test process.
///
/// # Panics
/// If it does not build.
pub fn program() -> &'static Path {
    PROGRAM.get_or_init(|| match std::env::var_os("CAFE_BIN") {
        Some(path) => PathBuf::from(path),
        None => build().unwrap_or_else(|failure| panic!("{failure:#}")),
    })
}

/// The same build as that of `cargo test`, which it finds done: for `cargo build` cargo would choose other features of the
/// dependencies, and build them again. Cargo says where it put the program.
fn build() -> anyhow::Result<PathBuf> {
    let output = Command::new(env!("CARGO"))
        .args(["test", "--quiet", "--no-run", "--test", "program", "--message-format", "json"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
        .stderr(Stdio::inherit())
        .output()
        .context("cargo does not start")?;
    ensure!(output.status.success(), "the program does not build");
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["target"]["name"] == "cafe")
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .context("cargo built the tests of the program without naming the program")
}
