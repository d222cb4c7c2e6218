//! A sync fails. What was to be synced may be lost though a second sync succeeds (`fsync(2)`), so that the service has to end
//! and to start again from what is on disk.

use std::ffi::OsString;
use std::fs;
use std::time::Duration;

use cafe_failures::{disk, tried};
use cafe_system_tests::{Cafe, MOMENT, Post, ROBOT, Rush, Service};
use rustix::process::Signal;

/// Customers a second, for several cafes at a time.
const RATE: u32 = 20;
const PAID: [&str; 1] = ["tok_ok"];
/// Until a log was copied back twice.
const FAILED: Duration = Duration::from_mins(1);
/// Of a service that had to end and may be started again (`EX_SOFTWARE` of `sysexits.h`).
const HAD_TO_END: i32 = 70;

/// Which sync of the service's writer fails; strace counts each thread's for itself.
#[derive(Clone, Copy)]
enum Sync {
    /// One after which customers are answered: of the log, long before it is copied back.
    OfACommit,
    /// One after which a log may be written over: of the database. Its opening is synced once at most, by another thread.
    OfACheckpoint,
}

#[test]
#[ignore = "run by cargo xtask test"]
fn a_commit_of_order_is_not_synced() {
    fails_to_sync(Service::Order, Sync::OfACommit);
}

#[test]
#[ignore = "run by cargo xtask test"]
fn a_commit_of_payment_is_not_synced() {
    fails_to_sync(Service::Payment, Sync::OfACommit);
}

#[test]
#[ignore = "run by cargo xtask test"]
fn a_commit_of_barista_is_not_synced() {
    fails_to_sync(Service::Barista, Sync::OfACommit);
}

#[test]
#[ignore = "run by cargo xtask test"]
fn a_checkpoint_of_order_is_not_synced() {
    fails_to_sync(Service::Order, Sync::OfACheckpoint);
}

#[test]
#[ignore = "run by cargo xtask test"]
fn a_checkpoint_of_payment_is_not_synced() {
    fails_to_sync(Service::Payment, Sync::OfACheckpoint);
}

#[test]
#[ignore = "run by cargo xtask test"]
fn a_checkpoint_of_barista_is_not_synced() {
    fails_to_sync(Service::Barista, Sync::OfACheckpoint);
}

fn fails_to_sync(service: Service, sync: Sync) {
    let mut cafe = Cafe::closed_beside_others(&ROBOT);
    for service in Service::ALL {
        cafe.open_alone(service);
    }
    cafe.wait_until_ready();
    cafe.signal(service, Signal::TERM);
    assert!(cafe.wait_for_end_alone(service, MOMENT).success());
    let told = cafe.data().with_file_name("strace");
    let failing = failing(&cafe, service, sync, told.clone().into_os_string());
    cafe.open_alone_under(&failing, service);
    cafe.wait_until_serving(service);

    tried(match sync {
        Sync::OfACommit => &disk::COMMIT_NOT_SYNCED,
        Sync::OfACheckpoint => &disk::CHECKPOINT_NOT_SYNCED,
    });
    let others = |cafe: &Cafe| Service::ALL.map(|it| if it == service { None } else { cafe.pid(it) });
    let untouched = others(&cafe);
    let rush = Rush::start(&cafe, RATE, &PAID);
    let end = cafe.wait_for_end_alone(service, FAILED);
    let told = fs::read_to_string(told).expect("strace has written its log");
    assert_eq!(
        told.matches("(INJECTED)").count(),
        1,
        "the sync failed, and nothing was synced after it:\n{told}"
    );
    assert_eq!(end.code(), Some(HAD_TO_END), "{}", cafe.log());
    assert!(cafe.log().contains("this process must not write any more"), "the log says so");
    assert_eq!(others(&cafe), untouched, "the others are the same processes");
    cafe.open_alone(service);
    cafe.wait_until_serving(service);
    rush.wait_for_customers(RATE);
    let rushed = rush.stop();
    rushed.demand_all_served(&cafe);
    match (service, sync) {
        (Service::Order, Sync::OfACommit) => {
            // Whose order was in that commit, if any was: it may have been one of what was heard.
            let unknown = |post: &&Post| post.first == Ok(504);
            assert!(rushed.posts.iter().filter(unknown).all(|post| post.retry_after == Some(1)));
        }
        (Service::Order, Sync::OfACheckpoint) => {}
        (Service::Payment | Service::Barista, _) => rushed.demand_prompt_answers(&[]),
    }
}

/// Has one sync of a file fail, and each of it told.
fn failing(cafe: &Cafe, service: Service, sync: Sync, log: OsString) -> Vec<OsString> {
    let strace = cafe_rig::strace().expect("there is strace");
    // The kernel names files without links on the way.
    let mut file = fs::canonicalize(cafe.database(service)).expect("the database is there").into_os_string();
    let nth = match sync {
        Sync::OfACommit => {
            file.push("-wal");
            10
        }
        Sync::OfACheckpoint => 2,
    };
    let failure = format!("inject=fsync,fdatasync:error=EIO:when={nth}");
    let flags = ["-f", "-qq", "-e", "signal=none", "-e", "trace=fsync,fdatasync", "-e", &failure, "-o"]
        .map(OsString::from);
    [strace.into_os_string()].into_iter().chain(flags).chain([log, "-P".into(), file]).collect()
}
