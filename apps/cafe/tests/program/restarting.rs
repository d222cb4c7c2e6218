//! Whatever ends a service, `up` starts it again.

use std::time::{Duration, Instant};

use cafe_failures::{process, tried};
use rustix::process::Signal;

use crate::support::{Cafe, SERVICES, send, wait_for};

/// From the kill to the first answer.
const BACK_WITHIN: Duration = Duration::from_millis(500);

#[test]
fn a_killed_service_serves_again_within_half_a_second_and_the_others_never_notice() {
    tried(&process::ORDER_KILLED);
    tried(&process::PAYMENT_KILLED);
    tried(&process::BARISTA_KILLED);
    let cafe = Cafe::open(&[]);
    for service in SERVICES {
        let before = cafe.pids();
        let killed = cafe.pid(service).unwrap();
        send(killed, Signal::KILL);
        let killed_at = Instant::now();
        wait_for("another process serves", || {
            cafe.pid(service).filter(|pid| *pid != killed && cafe.serves(service))
        });
        let took = killed_at.elapsed();
        assert!(took < BACK_WITHIN, "{service} took {took:?}");
        let unchanged = before.iter().zip(cafe.pids()).filter(|(before, after)| **before == *after).count();
        assert_eq!(unchanged, 2, "only {service} is another process");
    }
}

#[test]
fn a_service_that_dies_again_and_again_is_started_again_and_again() {
    tried(&process::DIES_AGAIN);
    let cafe = Cafe::open(&[]);
    for _ in 0..4 {
        let killed = wait_for("barista runs", || cafe.pid("barista"));
        send(killed, Signal::KILL);
        wait_for("another process serves", || {
            cafe.pid("barista").filter(|pid| *pid != killed && cafe.serves("barista"))
        });
    }
    assert!(
        cafe.log().contains("the barista service was ended by signal 9; starting it again"),
        "{}",
        cafe.log()
    );
}

#[test]
fn a_frozen_service_is_killed_and_starts_again() {
    tried(&process::FROZEN_FOR_GOOD);
    let cafe = Cafe::open(&[]);
    let frozen = cafe.pid("payment").unwrap();
    send(frozen, Signal::STOP);
    assert!(cafe.serves("order") && cafe.serves("barista"), "nobody else stands still");
    wait_for("another process serves", || {
        cafe.pid("payment").filter(|pid| *pid != frozen && cafe.serves("payment"))
    });
    assert!(cafe.log().contains("the payment service does not answer; killing it"), "{}", cafe.log());
}
