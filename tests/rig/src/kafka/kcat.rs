//! A second opinion: kcat, which knows nothing of us.

use std::ffi::OsStr;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::machine::{found_or_installed, on_path};

/// What one call may take, in seconds.
const LIMIT_S: &str = "60";

pub(super) fn program() -> Result<PathBuf> {
    found_or_installed("kcat", &["kcat"], || on_path("kcat"))
}

/// Runs `kcat` with these arguments and this input, and answers with what it prints.
///
/// # Errors
/// If it is missing and cannot be installed, fails, or takes longer than a minute.
pub fn kcat(arguments: &[impl AsRef<OsStr>], input: &str) -> Result<String> {
    let mut command = Command::new("timeout");
    command.args(["--signal", "KILL", LIMIT_S]).arg(program()?).args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().context("kcat does not start")?;
    let mut pipe = child.stdin.take().context("the input of a child is a pipe")?;
    let text = input.to_owned();
    // From a thread of its own: with pipes full both ways neither would move.
    let writer = std::thread::spawn(move || pipe.write_all(text.as_bytes()));
    let output = child.wait_with_output()?;
    let error = String::from_utf8_lossy(&output.stderr);
    let shown: Vec<_> = arguments.iter().map(|word| word.as_ref().to_string_lossy()).collect();
    ensure!(output.status.success(), "kcat {}: {}", shown.join(" "), error.trim());
    writer.join().map_err(|_| anyhow::anyhow!("the input was not written"))??;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
