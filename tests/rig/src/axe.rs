//! axe-core, which knows the rules of accessibility: fetched once, kept where cargo builds.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};

use crate::machine::{cache, found_or_installed, lock, on_path};

const VERSION: &str = "4.14.1";
const SCRIPT: &str = "axe.min.js";
/// Of the script.
const SHA256: &str = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c";

/// Where axe-core's script is, which is the one that was pinned.
///
/// # Errors
/// If it cannot be fetched, or is another.
pub fn axe() -> Result<PathBuf> {
    let folder = cache()?.join(format!("axe-core-{VERSION}"));
    let script = folder.join(SCRIPT);
    let _lock = lock("axe")?;
    if !folder.exists() {
        fetch(&folder)?;
    }
    demand_pinned(&script)?;
    Ok(script)
}

/// Makes the folder under another name first: once it is there it is whole, and what it should be.
fn fetch(folder: &Path) -> Result<()> {
    let npm = found_or_installed("npm", &["nodejs", "npm"], || on_path("npm"))?;
    eprintln!("fetching axe-core, once");
    let staging = folder.with_extension("new");
    let _ = fs::remove_dir_all(&staging);
    fs::create_dir_all(&staging)?;
    let package = format!("axe-core@{VERSION}");
    run(&staging, Command::new(npm).args(["pack", "--silent", &package]), "npm cannot fetch axe-core")?;
    let archive = format!("axe-core-{VERSION}.tgz");
    let mut unpack = Command::new("tar");
    unpack.args(["--extract", "--gzip", "--strip-components", "1", "--file", &archive]);
    run(&staging, unpack.arg(format!("package/{SCRIPT}")), "axe-core cannot be unpacked")?;
    demand_pinned(&staging.join(SCRIPT))?;
    fs::rename(&staging, folder).context("what was fetched cannot be put in place")
}

fn run(folder: &Path, command: &mut Command, what: &str) -> Result<()> {
    let output =
        command.current_dir(folder).stdin(Stdio::null()).output().with_context(|| what.to_owned())?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{what}: {}", said.trim());
    Ok(())
}

fn demand_pinned(script: &Path) -> Result<()> {
    let bytes = fs::read(script).with_context(|| format!("{} cannot be read", script.display()))?;
    let mut sum = String::new();
    for byte in Sha256::digest(&bytes) {
        write!(sum, "{byte:02x}")?;
    }
    ensure!(sum == SHA256, "{} is not the one that was pinned: its SHA-256 is {sum}", script.display());
    Ok(())
}
