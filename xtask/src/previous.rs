//! The program as it was before the last change to it, to be put beside this one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};

use crate::shell::{self, git};

/// What the program is made of.
const PROGRAM: [&str; 3] = ["apps", "libs", "Cargo.lock"];

/// The program before, or why there is none to put beside this one.
pub(crate) enum Previous {
    At(PathBuf),
    None(String),
}

/// Builds the program of a revision, or of the one before the last change to the program, in a folder where tests are built: what
/// it depends on is there already.
pub(crate) fn build(revision: Option<&str>, target: &Path) -> Result<Previous> {
    let Some(revision) = revision.map_or_else(before_the_last_change, |it| Ok(Some(it.to_owned())))? else {
        return Ok(Previous::None("this copy of the project has no history of the program".to_owned()));
    };
    let revision = git(&["rev-parse", &format!("{revision}^{{commit}}")])?;
    let program = unpacked_and_built(&revision, target)?;
    let help = shell::command(&program, ["order", "--help"]).output()?;
    if !String::from_utf8_lossy(&help.stdout).contains("--replica") {
        return Ok(Previous::None(format!("the program of {revision} knows no replicas")));
    }
    println!("beside it: the program of {}", git(&["log", "-1", "--format=%h, %s", &revision])?);
    Ok(Previous::At(program))
}

/// With changes that are not committed, the last commit is the one before.
fn before_the_last_change() -> Result<Option<String>> {
    if !shell::is_present("git", "--version") || git(&["rev-parse", "--git-dir"]).is_err() {
        return Ok(None);
    }
    let is_changed = !git(&[&["status", "--porcelain", "--"], &PROGRAM[..]].concat())?.is_empty();
    let changes = git(&[&["rev-list", "--max-count=2", "HEAD", "--"], &PROGRAM[..]].concat())?;
    Ok(changes.lines().nth(usize::from(!is_changed)).map(str::to_owned))
}

/// In a folder of its own, kept for the next time; of earlier revisions nothing is kept.
fn unpacked_and_built(revision: &str, target: &Path) -> Result<PathBuf> {
    let all = shell::target().join("previous");
    let here = all.join(revision);
    let program = here.join("cafe");
    if program.exists() {
        return Ok(program);
    }
    if all.exists() {
        fs::remove_dir_all(&all)?;
    }
    let source = here.join("source");
    fs::create_dir_all(&source)?;
    unpack(revision, &source)?;
    rename(&source.join("Cargo.toml"))?;
    // Not with `--locked`: the lock file has the crates under their own version.
    let mut build = shell::cargo(["build", "--quiet", "--bin", "cafe", "--target-dir"]);
    build.arg(fs::canonicalize(target)?).current_dir(&source);
    ensure!(shell::run(&mut build)?, "the program of {revision} does not build");
    fs::copy(target.join("debug/cafe"), &program).context("cargo built no program")?;
    Ok(program)
}

fn unpack(revision: &str, to: &Path) -> Result<()> {
    let mut archive = shell::command("git", ["archive", revision]).stdout(Stdio::piped()).spawn()?;
    let packed = archive.stdout.take().context("the output of a child is a pipe")?;
    let unpacked = shell::command("tar", ["-x", "-C"]).arg(to).stdin(packed).status()?;
    ensure!(archive.wait()?.success() && unpacked.success(), "git archive {revision} cannot be unpacked");
    Ok(())
}

/// Gives the crates of a workspace another version. Cargo tells crates of the same name and version that are built to one place
/// apart by nothing: it would take those of the program before for ours.
fn rename(workspace: &Path) -> Result<()> {
    let manifest = fs::read_to_string(workspace)?;
    let (before, after) =
        manifest.split_once("\nversion = \"").context("the workspace gives its crates no version")?;
    Ok(fs::write(workspace, format!("{before}\nversion = \"0.0.0-before+{after}"))?)
}
