//! The server is killed, or stops where it stands.

use std::thread::sleep;
use std::time::Duration;

use cafe_failures::{database, tried};
use cafe_rig::Postgres;
use cafe_system_tests::{Cafe, Site};

use crate::{ROBOT, under_a_rush};

const DEAD: Duration = Duration::from_secs(3);
const FROZEN: Duration = Duration::from_secs(10);

#[test]
#[ignore = "run by cargo xtask test"]
fn the_server_is_killed_and_started_again() {
    let postgres = Postgres::start().expect("PostgreSQL starts");
    let cafe = Cafe::up_at(Site::of(Some(&postgres), None), &ROBOT);
    under_a_rush(&cafe, |_| {
        tried(&database::KILLED);
        postgres.kill().expect("it runs");
        // This is the harm itself, not a wait for anything.
        sleep(DEAD);
        postgres.restart().expect("it starts again");
    });
}

#[test]
#[ignore = "run by cargo xtask test"]
fn the_server_is_frozen_for_ten_seconds() {
    let postgres = Postgres::start().expect("PostgreSQL starts");
    let cafe = Cafe::up_at(Site::of(Some(&postgres), None), &ROBOT);
    under_a_rush(&cafe, |_| {
        tried(&database::FROZEN);
        postgres.freeze().expect("it runs");
        // This is the harm itself, not a wait for anything.
        sleep(FROZEN);
        postgres.thaw().expect("it was frozen");
    });
}
