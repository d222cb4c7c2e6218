//! The replica that leads its service is killed, or frozen until another leads and then woken.

use std::time::{Duration, Instant};

use cafe_failures::{replica, tried};
use cafe_system_tests::{Cafe, MOMENT, Rung, Rush, Service, wait_until};
use rustix::process::Signal;

use crate::{ROBOT, opened};

const RATE: u32 = 50;
/// From the end of the one that led to the first word that another has heard.
const TAKEN_OVER: Duration = Duration::from_secs(5);
/// Of a program that ran and had to end (`EX_SOFTWARE` of `sysexits.h`).
const HAD_TO_END: i32 = 70;

#[test]
#[ignore = "run by cargo xtask test"]
fn the_leader_of_each_service_is_killed_and_another_takes_over() {
    let mut cafe = two_of_each(Rung::Chain);
    let rush = rush(&cafe);
    for service in Service::ALL {
        rush.wait_for_customers(RATE);
        let leader = leader(&cafe, service);
        tried(&replica::LEADER_KILLED);
        cafe.kill_replica(service, &leader);
        let took = wait_for_another(&cafe, service, &leader);
        println!("{}: another replica leads {took:?} after kill -9", service.name());
        assert!(took <= TAKEN_OVER, "{} was taken over after {took:?}", service.name());
        let told = |line: &str| line.contains("this process leads") && line.contains(service.name());
        assert_eq!(cafe.log().lines().filter(|line| told(line)).count(), 2, "each that led says so");
        cafe.open_replica(service, &leader);
        cafe.wait_until_replica_serves(service, &leader);
    }
    rush.wait_for_customers(RATE);
    rush.stop().demand_all_served(&cafe);
}

#[test]
#[ignore = "run by cargo xtask test"]
fn the_leader_of_each_service_is_frozen_past_its_lease_and_writes_nothing_when_it_wakes() {
    let mut cafe = two_of_each(Rung::Postgres);
    let rush = rush(&cafe);
    for service in Service::ALL {
        rush.wait_for_customers(RATE);
        let leader = leader(&cafe, service);
        tried(&replica::LEADER_FROZEN);
        cafe.signal_replica(service, &leader, Signal::STOP);
        let took = wait_for_another(&cafe, service, &leader);
        println!("{}: another replica leads {took:?} after the freeze", service.name());
        cafe.signal_replica(service, &leader, Signal::CONT);
        assert_eq!(cafe.wait_for_end(service, &leader).code(), Some(HAD_TO_END), "{}", service.name());
        cafe.open_replica(service, &leader);
        cafe.wait_until_replica_serves(service, &leader);
        assert!(!cafe.leads(service, &leader), "{}: it follows", service.name());
    }
    rush.wait_for_customers(RATE);
    rush.stop().demand_all_served(&cafe);
}

/// It is killed at a moment at which another can take the lease and can read nothing else: that one must not lead and be deaf.
#[test]
#[ignore = "run by cargo xtask test"]
fn a_replica_that_takes_the_lead_and_cannot_begin_ends_and_the_next_one_leads() {
    let mut cafe = two_of_each(Rung::Postgres);
    let rush = rush(&cafe);
    rush.wait_for_customers(RATE);
    let before = leader(&cafe, Service::Order);
    let other = if before == "a" { "b" } else { "a" };
    let site = cafe.site().clone();
    std::thread::scope(|scope| {
        scope.spawn(|| site.sql(LOCKED_FOR_A_WHILE));
        wait_until(MOMENT, "the lock is taken", || (site.sql(LOCKS) != "0").then_some(()));
        tried(&replica::LEADER_CANNOT_BEGIN);
        cafe.kill_replica(Service::Order, &before);
        assert_eq!(cafe.wait_for_end(Service::Order, other).code(), Some(HAD_TO_END));
    });
    for name in [&before, other] {
        cafe.open_replica(Service::Order, name);
        cafe.wait_until_replica_serves(Service::Order, name);
    }
    rush.wait_for_customers(RATE);
    rush.stop().demand_all_served(&cafe);
}

/// What whoever leads begins with, and what a turn writes: turns fail, one after the other. Longer than it takes to find the lease
/// lapsed.
const LOCKED_FOR_A_WHILE: &str =
    "BEGIN; LOCK TABLE cafe_order.positions, cafe_order.orders; SELECT pg_sleep(10); COMMIT";
const LOCKS: &str = "SELECT count(*) FROM pg_locks WHERE relation = 'cafe_order.orders'::regclass AND mode = 'AccessExclusiveLock' AND granted";

fn two_of_each(rung: Rung) -> Cafe {
    opened(Cafe::closed_on(rung, &ROBOT), [&["a", "b"]; 3])
}

/// Some payments take a moment, so that some are under way whenever the one that asks ends.
fn rush(cafe: &Cafe) -> Rush {
    Rush::start_at(&cafe.ports_of(Service::Order), RATE, &["tok_ok", "tok_ok", "tok_ok", "tok_slow"])
}

fn leader(cafe: &Cafe, service: Service) -> String {
    wait_until(MOMENT, "a replica leads", || cafe.leader(service)).0
}

fn wait_for_another(cafe: &Cafe, service: Service, before: &str) -> Duration {
    let since = Instant::now();
    wait_until(MOMENT, "another replica leads", || cafe.leader_after(service, before));
    since.elapsed()
}
