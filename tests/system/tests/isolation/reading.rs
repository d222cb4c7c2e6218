//! A listener that is stopped inside a read of its peer's database pins the peer's write-ahead log: it can only grow.

use std::time::Duration;

use cafe_failures::{process, tried};
use cafe_system_tests::{Cafe, Rush, Service, proc, wait_until};

use crate::{PAID, RATE, ROBOT};

/// A hundred orders a second write some 4 MB a second, and the watch-dog looks every second.
const LIMIT_MB: u64 = 16;
/// What is written between the last look at the log and the commits that copy it back.
const UNTIL_COPIED_BYTES: u64 = 4 * 1024 * 1024;

#[test]
#[ignore = "run by cargo xtask test"]
fn a_listener_stopped_inside_its_read_is_ended_before_its_peers_log_grows_without_bounds() {
    let limit = LIMIT_MB.to_string();
    let cafe = Cafe::up(&[&ROBOT[..], &["--wal-limit-mb", &limit]].concat());
    let rush = Rush::start(&cafe, RATE, &PAID);
    rush.wait_for_customers(RATE);

    tried(&process::READER_STOPPED);
    let holder = cafe.freeze_inside_read(Service::Payment, Service::Order);
    let mut highest = 0;
    let ended = || {
        highest = highest.max(cafe.wal_bytes(Service::Order));
        (!proc::alive(holder)).then_some(())
    };
    let ((), took) = wait_until(Duration::from_mins(1), "the watch-dog ends the holder", ended);
    println!("the holder was ended after {took:?}, at {highest} bytes");
    assert!(highest <= 2 * LIMIT_MB * 1024 * 1024, "the log grew to {highest} bytes");

    cafe.wait_until_serving(Service::Payment);
    let why = format!("it pins the log of the order database, which is past {LIMIT_MB} MB");
    assert!(cafe.log().contains(&format!("killing the payment service: {why}")), "the log says why");
    // Nobody holds it any more: after the next commits it is written from its beginning again. Would it grow on, the orders
    // of these ten seconds would add some 40 MB.
    rush.wait_for_customers(10 * RATE);
    let now = cafe.wal_bytes(Service::Order);
    assert!(now <= highest + UNTIL_COPIED_BYTES, "the log grew on from {highest} to {now} bytes");
    rush.stop().demand_all_well(&cafe, &[]);
}
