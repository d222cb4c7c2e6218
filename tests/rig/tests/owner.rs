//! What is left of a rig when its owner could not clean up.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use cafe_rig::{Kafka, Postgres};

/// Set for the process that owns the rig, which is this test once more.
const OWNER: &str = "CAFE_RIG_OWNER";
const LIMIT: Duration = Duration::from_secs(20);

#[test]
fn nothing_outlives_an_owner_that_is_killed() -> Result<()> {
    if std::env::var_os(OWNER).is_some() {
        return own();
    }
    let mut owner = Command::new(std::env::current_exe()?);
    owner.args(["--exact", "nothing_outlives_an_owner_that_is_killed", "--nocapture"]);
    let mut owner = owner.env(OWNER, "1").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let output = BufReader::new(owner.stdout.take().context("a pipe")?);
    let line =
        output.lines().map_while(Result::ok).find_map(|line| Some(line.split_once("owns: ")?.1.to_owned()));
    owner.kill()?;
    owner.wait()?;

    let line = line.context("the owner tells what it owns")?;
    let ids: Vec<&str> = line.split(' ').collect();
    assert!(ids.len() > 10, "a broker and two databases of several processes, not {line}");
    let started = Instant::now();
    while let Some(left) = ids.iter().find(|id| is_there(id)) {
        assert!(started.elapsed() < LIMIT, "process {left} is left of {line}");
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Starts a rig on a thread that ends, and waits to be killed.
fn own() -> Result<()> {
    let rig = thread::spawn(|| -> Result<_> {
        let frozen = Postgres::start()?;
        frozen.freeze()?;
        Ok((Kafka::start(1)?, Postgres::start()?, frozen))
    });
    let (kafka, working, frozen) = rig.join().expect("the thread ends by itself")?;
    assert_eq!(working.psql("SELECT 1")?, "1", "it has outlived the thread that started it");
    let databases = [working.process_ids(), frozen.process_ids()].concat();
    let ids: Vec<_> = kafka.process_id(0).into_iter().chain(databases).map(|id| id.to_string()).collect();
    println!("owns: {}", ids.join(" "));
    std::io::stdin().lines().for_each(drop);
    Ok(())
}

/// Dead ones that nobody has waited for do not count: whoever adopted them may be slow.
fn is_there(id: &str) -> bool {
    let stat = std::fs::read_to_string(Path::new("/proc").join(id).join("stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}
