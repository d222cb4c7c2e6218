//! A stranger takes every connection that the server has.

use std::thread::sleep;
use std::time::{Duration, Instant};

use cafe_failures::{database, tried};
use cafe_rig::Postgres;
use cafe_system_tests::{Cafe, Site};

use crate::stranger::Held;
use crate::{ROBOT, under_a_rush};

const CONNECTIONS: &str = "50";
const LENGTH: Duration = Duration::from_secs(6);
/// Those that the cafe has: a server ends some when it is told to, as after a change of its settings.
const END_OURS: &str =
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'cafe %'";

#[test]
#[ignore = "run by cargo xtask test"]
fn a_stranger_takes_every_connection() {
    let postgres = Postgres::with(&[("max_connections", CONNECTIONS)]).expect("PostgreSQL starts");
    let cafe = Cafe::up_at(Site::of(Some(&postgres), None), &ROBOT);
    under_a_rush(&cafe, |_| {
        tried(&database::NO_CONNECTIONS);
        let mut first = Held::take(postgres.port()).expect("there are connections left");
        let mut held = Vec::new();
        let since = Instant::now();
        while since.elapsed() < LENGTH {
            // What the cafe has got back meanwhile is taken from it again.
            first.run(END_OURS).expect("a stranger may do that");
            while let Ok(another) = Held::take(postgres.port()) {
                held.push(another);
            }
            sleep(Duration::from_millis(20));
        }
        println!("the stranger held {} of {CONNECTIONS} connections", held.len() + 1);
    });
}
