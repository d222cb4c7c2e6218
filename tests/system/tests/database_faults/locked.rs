//! Somebody holds a lock on a table of order's, as a careless `ALTER TABLE` does.

use std::thread;
use std::time::Duration;

use cafe_failures::{database, tried};
use cafe_rig::Postgres;
use cafe_system_tests::{Cafe, Site};

use crate::{RATE, ROBOT, demand_others_untouched, under_a_rush};

const HELD: Duration = Duration::from_secs(30);

#[test]
#[ignore = "run by cargo xtask test"]
fn orders_are_locked_for_half_a_minute() {
    locked("cafe_order.orders", HELD);
}

/// What every turn locks first, and what those who listen to order read.
#[test]
#[ignore = "run by cargo xtask test"]
fn the_head_of_orders_outbox_is_locked_for_half_a_minute() {
    locked("cafe_order.outbox_head", HELD);
}

fn locked(table: &str, length: Duration) {
    let postgres = Postgres::start().expect("PostgreSQL starts");
    let cafe = Cafe::up_at(Site::of(Some(&postgres), None), &ROBOT);
    let hold = format!("BEGIN; LOCK TABLE {table}; SELECT pg_sleep({}); COMMIT", length.as_secs());
    let refused = under_a_rush(&cafe, |_| {
        tried(&database::LOCKED);
        thread::scope(|scope| {
            let holder = scope.spawn(|| postgres.psql(&hold));
            while !holder.is_finished() {
                demand_others_untouched(&cafe);
                thread::sleep(Duration::from_millis(500));
            }
            holder.join().expect("psql ends").expect("the lock is taken");
        });
    });
    assert!(refused > (RATE as usize * length.as_secs() as usize) / 2, "only {refused} met the lock");
}
