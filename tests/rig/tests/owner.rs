//! What is left of what was started when its owner could not end it.

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use cafe_rig::{Chromium, Kafka, Postgres};

/// Set for the process that owns what is started, which is one of these tests once more.
const OWNER: &str = "CAFE_RIG_OWNER";
const LIMIT: Duration = Duration::from_secs(20);

#[test]
fn no_server_outlives_an_owner_that_is_killed() -> Result<()> {
    let start = || {
        let frozen = Postgres::start()?;
        frozen.freeze()?;
        Ok((Kafka::start(1)?, Postgres::start()?, frozen))
    };
    demand_that_all_end_with_their_owner(
        "no_server_outlives_an_owner_that_is_killed",
        start,
        |(kafka, working, frozen)| {
            assert_eq!(working.psql("SELECT 1")?, "1", "it has outlived the thread that started it");
            let databases = [working.process_ids(), frozen.process_ids()].concat();
            let ids: Vec<u32> = kafka.process_id(0).into_iter().chain(databases).collect();
            assert!(ids.len() > 10, "a broker and two databases of several processes, not {ids:?}");
            Ok(ids)
        },
    )
}

#[test]
#[ignore = "run by cargo xtask test"]
fn no_process_of_a_browser_outlives_an_owner_that_is_killed() -> Result<()> {
    demand_that_all_end_with_their_owner(
        "no_process_of_a_browser_outlives_an_owner_that_is_killed",
        Chromium::start,
        |browser| {
            let ids = browser.process_ids();
            assert!(ids.len() > 4, "a driver, and a browser of several processes, not {ids:?}");
            Ok(ids)
        },
    )
}

/// Has the test of that name run once more as an owner, which `start`s something and tells the process ids `of` it; kills the
/// owner, and waits until nothing is left.
fn demand_that_all_end_with_their_owner<T: Send + 'static>(
    test: &str,
    start: fn() -> Result<T>,
    of: fn(&T) -> Result<Vec<u32>>,
) -> Result<()> {
    if std::env::var_os(OWNER).is_some() {
        return own(start, of);
    }
    let mut owner = Command::new(std::env::current_exe()?);
    owner.args(["--exact", test, "--nocapture", "--include-ignored"]);
    // Its folders, which it cannot remove, go with this one. A database does not run as root, and has to come through.
    let folder = tempfile::tempdir()?;
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755))?;
    owner.env(OWNER, "1").env("TMPDIR", folder.path());
    let mut owner = owner.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let output = BufReader::new(owner.stdout.take().context("a pipe")?);
    let line =
        output.lines().map_while(Result::ok).find_map(|line| Some(line.split_once("owns: ")?.1.to_owned()));
    owner.kill()?;
    owner.wait()?;

    let line = line.context("the owner tells what it owns")?;
    let ids: Vec<&str> = line.split(' ').collect();
    // Some had not been started yet when it told; they have the folder in their command lines.
    let left =
        || ids.iter().find(|id| is_there(id)).map(|id| (*id).to_owned()).or_else(|| user_of(folder.path()));
    let started = Instant::now();
    while let Some(left) = left() {
        assert!(started.elapsed() < LIMIT, "process {left} is left of {line}");
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Starts it on a thread that ends, and waits to be killed.
fn own<T: Send + 'static>(start: fn() -> Result<T>, of: fn(&T) -> Result<Vec<u32>>) -> Result<()> {
    let owned = thread::spawn(start).join().expect("the thread ends by itself")?;
    let ids: Vec<_> = of(&owned)?.iter().map(u32::to_string).collect();
    println!("owns: {}", ids.join(" "));
    std::io::stdin().lines().for_each(drop);
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
