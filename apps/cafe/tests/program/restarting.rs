//! Whatever ends a service, `up` starts it again.

use std::time::{Duration, Instant};

use cafe_failures::{process, tried};
use rustix::process::Signal;

use crate::support::{Cafe, SERVICES, send, wait_for};

/// From the kill to the first answer.
const BACK_WITHIN: Duration = Duration::from_millis(500);
/// A service may be silent for 15 s from its last answer, which it is asked for each second.
const SILENT_FOR: Duration = Duration::from_secs(13);

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
        let told = format!("the {service} service was ended by signal 9; starting it again");
        assert!(cafe.log().contains(&told), "{}", cafe.log());
    }
}

#[test]
fn a_service_that_dies_again_and_again_is_started_again_and_again() {
    tried(&process::DIES_AGAIN);
    let cafe = Cafe::open(&[]);
    let others = [cafe.pid("order"), cafe.pid("payment")];
    for _ in 0..4 {
        let killed = wait_for("barista runs", || cafe.pid("barista"));
        send(killed, Signal::KILL);
        wait_for("another process serves", || {
            cafe.pid("barista").filter(|pid| *pid != killed && cafe.serves("barista"))
        });
    }
    let told = "the barista service was ended by signal 9; starting it again";
    assert_eq!(cafe.log().matches(told).count(), 4, "{}", cafe.log());
    assert_eq!([cafe.pid("order"), cafe.pid("payment")], others, "nobody else is another process");
}

#[test]
fn a_frozen_service_is_killed_and_starts_again() {
    tried(&process::FROZEN_FOR_GOOD);
    let cafe = Cafe::open(&[]);
    let frozen = cafe.pid("payment").unwrap();
    let frozen_at = Instant::now();
    send(frozen, Signal::STOP);
    assert!(cafe.serves("order") && cafe.serves("barista"), "nobody else stands still");
    let order = cafe.order();
    wait_for("another process serves", || {
        cafe.pid("payment").filter(|pid| *pid != frozen && cafe.serves("payment"))
    });
    assert!(frozen_at.elapsed() >= SILENT_FOR, "after {:?}", frozen_at.elapsed());
    wait_for("the order is paid", || {
        let path = format!("/orders/{order}");
        let (_, shown) = cafe.get("order", &path, Some(&cafe.staff_key()))?;
        shown.contains(r#""status":"paid""#).then_some(())
    });
    assert!(cafe.log().contains("the payment service does not answer; killing it"), "{}", cafe.log());
}
