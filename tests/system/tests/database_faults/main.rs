//! What can happen to a database server, and to the way there: whoever cannot be served is told so within a second and when to
//! come again, and whoever needs nothing of it is served.
//!
//! Each under a rush, on a server of its own. Each ends with every customer served, every order at its end and a clean audit.

mod connections;
mod gone;
mod locked;
mod partitioned;
mod stranger;

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use cafe_system_tests::{Cafe, ROBOT, Rush, Service, http};

/// Customers a second. Those who are refused for half a minute and ask again and again become as many at once as a small
/// machine serves.
const RATE: u32 = 10;
/// Paid at once.
const PAID: [&str; 1] = ["tok_ok"];
/// Between two looks at whether order is ready.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Whoever asks has an answer by then.
const IN_TIME: Duration = Duration::from_secs(1);

/// Customers come, before the harm, during it and afterwards. Answers how many were asked to come again.
fn under_a_rush(cafe: &Cafe, harm: impl FnOnce(&Rush)) -> usize {
    let rush = Rush::start(cafe, RATE, &PAID);
    rush.wait_for_customers(RATE);
    let (port, (under_way, over)) = (cafe.port(Service::Order), mpsc::channel());
    let why = thread::scope(|scope| {
        let watch = scope.spawn(move || why_not_ready(port, &over));
        harmed(harm, &rush, under_way);
        watch.join().expect("the watch ends well")
    });
    assert!(why.is_some(), "order said all the time that it was ready");
    println!("order was not ready: {}", why.unwrap_or_default());
    rush.wait_for_customers(2 * RATE);
    let rushed = rush.stop();
    let refused = rushed.demand_told_in_time();
    println!("{refused} of {} customers were asked to come again", rushed.posts.len());
    assert!(refused > 0, "nobody was refused: there was no harm");
    rushed.demand_all_served(cafe);
    assert!(cafe.log().contains("a turn was rolled back"), "the log says so");
    refused
}

/// Ends the watch also if the harm fails.
fn harmed(harm: impl FnOnce(&Rush), rush: &Rush, _under_way: mpsc::Sender<()>) {
    harm(rush);
}

/// Why order is not ready, as it says until all is over.
fn why_not_ready(port: u16, over: &mpsc::Receiver<()>) -> Option<String> {
    let mut why = None;
    while over.recv_timeout(LOOK_EVERY) == Err(mpsc::RecvTimeoutError::Timeout) {
        let Ok(health) = http::get(port, "/health/ready", None) else { continue };
        let reason = &health.json()["errors"][0];
        if health.status == 503 && reason["field"] == "commits" {
            why = reason["detail"].as_str().map(str::to_owned);
        }
    }
    why
}

/// Demands that payment and barista answer at once, from their own databases.
fn demand_others_untouched(cafe: &Cafe) {
    let key = cafe.staff_key();
    for (service, path) in [(Service::Payment, "/payments?limit=1"), (Service::Barista, "/queue")] {
        let asked = Instant::now();
        let answer = http::get(cafe.port(service), path, Some(&key)).expect("it answers");
        let took = asked.elapsed();
        assert!(answer.status == 200 && took <= IN_TIME, "{}: {answer:?} after {took:?}", service.name());
    }
}
