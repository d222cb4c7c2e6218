//! A disk that is full: what cannot be written is rolled back and told, and all goes on when there is room again.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod toy;

use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use cafe_clock::{Clock, Ids};
use cafe_delivery::{Hooks, Place, TurnError, start};
use cafe_events::Source;
use cafe_failures::{disk, tried};
use tokio_util::sync::CancellationToken;
use toy::{Request, Toy, order, outbox_of_payment, said, words};

/// A small disk of its own, gone with the test.
struct Disk(tempfile::TempDir);

impl Disk {
    /// Mounting needs root.
    fn mounted() -> Self {
        let disk = Self(tempfile::tempdir().unwrap());
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=2m", "none"])
            .arg(disk.0.path())
            .status()
            .unwrap();
        assert!(mount.success(), "run this test as root, it mounts a small disk");
        disk
    }

    /// Writes until nothing more goes in.
    fn fill(&self) {
        let mut ballast = std::fs::File::create(self.ballast()).unwrap();
        while ballast.write(&[0; 4096]).is_ok_and(|written| written > 0) {}
    }

    fn make_room(&self) {
        std::fs::remove_file(self.ballast()).unwrap();
    }

    fn ballast(&self) -> std::path::PathBuf {
        self.0.path().join("ballast")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}

#[tokio::test]
#[ignore = "run by cargo xtask test"]
async fn a_full_disk_is_told_loses_nothing_and_is_forgotten_when_there_is_room_again() {
    tried(&disk::FULL);
    let disk = Disk::mounted();
    let place = Place::new(disk.0.path().join("data"));
    place.prepare().unwrap();
    // The peer has a disk of its own that is not full.
    let elsewhere = tempfile::tempdir().unwrap();
    let mut payment = outbox_of_payment(&Place::new(elsewhere.path()));
    let file = Place::new(elsewhere.path()).file(Source::Payment);
    std::os::unix::fs::symlink(file, place.file(Source::Payment)).unwrap();
    let stop = CancellationToken::new();
    let desk = start(Toy, &place, Clock::Real, &Ids::random(), Hooks::new(|_| {}), stop.clone()).unwrap();
    let say = async |number| desk.ask(Request::Say(order(number), "fine"), None).await;

    assert_eq!(say(1).await, Ok(1));
    disk.fill();
    assert_eq!(say(2).await, Err(TurnError::DiskFull));
    payment.say(&[said(order(3), 1, "w1")]).unwrap();
    assert_eq!(say(2).await, Err(TurnError::DiskFull));
    assert!(desk.status().failing.is_some_and(|reason| reason.contains("full")));
    let read = async |number| desk.readers().read(move |db| words(db, order(number))).await.unwrap();
    assert_eq!((read(1).await, read(2).await), (Some(vec!["fine".to_owned()]), None), "reading goes on");

    disk.make_room();
    until("it recovers, though nobody asks", async || desk.status().failing.is_none()).await;
    until("what was said meanwhile is heard", async || read(3).await.is_some()).await;
    assert_eq!(say(2).await, Ok(1), "nothing of what was refused is left");

    stop.cancel();
    desk.stopped().await.unwrap();
    assert_no_gap(&place.file(Source::Barista));
}

fn assert_no_gap(file: &Path) {
    let mut db = cafe_store::Connection::open_peer(file).unwrap();
    let records = cafe_delivery::read_after(&mut db, 0, 100).unwrap();
    let positions: Vec<i64> = records.iter().map(|record| record.position).collect();
    assert_eq!(positions, [1, 2, 3]);
}

async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    let limit = tokio::time::Instant::now() + Duration::from_secs(10);
    while !condition().await {
        assert!(tokio::time::Instant::now() < limit, "not within 10 s: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
