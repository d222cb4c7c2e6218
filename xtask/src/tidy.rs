//! Everything about the source that a program can check.

use anyhow::Result;

use crate::parts::{Outcome, Parts};
use crate::shell;
use crate::tools::{DENY, MACHETE};

pub(crate) fn run() -> bool {
    let mut parts = Parts::new();
    parts.run("format", || cargo(&["fmt", "--all", "--check"]));
    parts.run("lints", || {
        cargo(&["clippy", "--quiet", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"])
    });
    parts.run("documents", documents);
    parts.run("licences, duplicates, sources", || deny(&["licenses", "bans", "sources"]));
    parts
        .run("unused dependencies", || succeeds(&mut shell::command(MACHETE.path()?, ["--skip-target-dir"])));
    parts.run("advisories", advisories);
    let passed = parts.print_table();
    parts.print_skipped();
    passed
}

fn documents() -> Result<Outcome> {
    let mut doc =
        shell::cargo(["doc", "--quiet", "--locked", "--workspace", "--no-deps", "--document-private-items"]);
    succeeds(doc.env("RUSTDOCFLAGS", "-D warnings"))
}

/// An advisory is a failure; a database that cannot be had is named as not checked.
fn advisories() -> Result<Outcome> {
    let mut fetch = shell::command(DENY.path()?, ["fetch", "db"]);
    fetch
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_HTTP_LOW_SPEED_LIMIT", "1")
        .env("GIT_HTTP_LOW_SPEED_TIME", "20");
    let fetched = fetch.output()?;
    if !fetched.status.success() {
        return Ok(Outcome::Skipped("database not reachable".into()));
    }
    deny(&["advisories"])
}

fn deny(checks: &[&str]) -> Result<Outcome> {
    succeeds(shell::command(DENY.path()?, ["--log-level", "error", "check"]).args(checks))
}

fn cargo(arguments: &[&str]) -> Result<Outcome> {
    succeeds(&mut shell::cargo(arguments))
}

fn succeeds(command: &mut std::process::Command) -> Result<Outcome> {
    Ok(Outcome::of(shell::run(command)?))
}
