//! What is left of a browser when its owner could not end it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use anyhow::{Context, Result};
use cafe_rig::Chromium;

/// Set for the process that owns the browser, which is this test once more.
const OWNER: &str = "CAFE_BROWSER_OWNER";
const LIMIT: Duration = Duration::from_secs(20);

#[test]
#[ignore = "run by cargo xtask test"]
fn no_process_of_a_browser_outlives_an_owner_that_is_killed() -> Result<()> {
    if std::env::var_os(OWNER).is_some() {
        let browser = Chromium::start()?;
        let ids: Vec<_> = browser.process_ids().iter().map(u32::to_string).collect();
        println!("owns: {}", ids.join(" "));
        std::io::stdin().lines().for_each(drop);
        return Ok(());
    }
    let mut owner = Command::new(std::env::current_exe()?);
    owner.args([
        "--exact",
        "no_process_of_a_browser_outlives_an_owner_that_is_killed",
        "--nocapture",
        "--include-ignored",
    ]);
    // Its folder, which it cannot remove, goes with this one.
    let folder = tempfile::tempdir()?;
    owner.env(OWNER, "1").env("TMPDIR", folder.path());
    let mut owner = owner.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let output = BufReader::new(owner.stdout.take().context("a pipe")?);
    let line =
        output.lines().map_while(Result::ok).find_map(|line| Some(line.split_once("owns: ")?.1.to_owned()));
    owner.kill()?;
    owner.wait()?;
    let line = line.context("the owner tells what it owns")?;
    let ids: Vec<&str> = line.split(' ').collect();
    assert!(ids.len() > 4, "a driver, and a browser of several processes, not {line}");
    let started = Instant::now();
    // Some had not been started yet when it told; they have the folder in their command lines.
    while let Some(left) =
        ids.iter().find(|id| is_there(id)).copied().map(str::to_owned).or_else(|| user_of(folder.path()))
    {
        assert!(started.elapsed() < LIMIT, "process {left} is left of {line}");
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Dead ones that nobody has waited for do not count: whoever adopted them may be slow.
fn is_there(id: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

fn user_of(folder: &Path) -> Option<String> {
    let folder = folder.to_string_lossy();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut ids = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    ids.find(|id| {
        let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        is_there(id) && String::from_utf8_lossy(&line).contains(&*folder)
    })
}
