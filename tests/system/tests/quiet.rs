//! A cafe in which nothing happens costs next to nothing, and is awake at once when something does.

use std::time::{Duration, Instant};

use cafe_clock::Clock;
use cafe_system_tests::{Cafe, MOMENT, Service, http, proc, wait_until};

const ORDER: &str = r#"{"items":[{"menu":"espresso"}],"payment":{"vendor":"simulator","token":"tok_ok"}}"#;

#[test]
#[ignore = "run by cargo xtask test"]
fn an_idle_cafe_uses_less_than_a_hundredth_of_a_core() {
    const LENGTH: Duration = Duration::from_secs(10);
    let cafe = Cafe::up(&["--robot", "--robot-speed", "1000"]);
    place(&cafe);
    cafe.settle(MOMENT);
    let used = || cafe.pids().into_iter().map(proc::cpu_seconds).sum::<f64>();
    let (before, since) = (used(), Instant::now());
    // This is what is measured, not a wait for anything.
    std::thread::sleep(LENGTH);
    let share = (used() - before) / since.elapsed().as_secs_f64();
    println!("an idle cafe uses {:.2} % of a core", share * 100.0);
    assert!(share < 0.01, "an idle cafe uses {:.2} % of a core", share * 100.0);
}

/// From the answer to the customer, which waited for the commit, to the turn in which payment hears of the order and
/// decides to ask the vendor; whole milliseconds, as they are stored.
#[test]
#[ignore = "run by cargo xtask test"]
fn payment_hears_of_an_order_within_five_milliseconds_of_its_commit_at_the_median() {
    const ORDERS: usize = 51;
    let cafe = Cafe::up(&["--robot", "--robot-speed", "1000"]);
    let key = cafe.staff_key();
    let mut waits_ms = Vec::new();
    for _ in 0..ORDERS {
        let id = place(&cafe);
        let committed_ms = Clock::Real.now().as_millisecond();
        let path = format!("/payments/{id}");
        let first_asked = || {
            http::get(cafe.port(Service::Payment), &path, Some(&key)).ok()?.json()["attempts"][0]["asked_at"]
                .as_str()?
                .parse::<jiff::Timestamp>()
                .ok()
        };
        let (asked, _) = wait_until(MOMENT, "payment asks the vendor", first_asked);
        waits_ms.push(asked.as_millisecond() - committed_ms);
    }
    waits_ms.sort_unstable();
    println!("from commit to heard, in ms: {waits_ms:?}");
    assert!(waits_ms[ORDERS / 2] < 5, "median of {waits_ms:?} ms");
}

fn place(cafe: &Cafe) -> String {
    let answer = http::post(cafe.port(Service::Order), "/orders", None, ORDER).expect("order answers");
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.json()["id"].as_str().expect("an order has an id").to_owned()
}
