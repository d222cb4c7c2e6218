//! What can happen to a database server, and to the way there: whoever cannot be served is told so within a second and when to
//! come again, and whoever needs nothing of it is served.
//!
//! Each under a rush, on a server of its own. Each ends with every customer served, every order at its end and a clean audit.

mod connections;
mod gone;
mod locked;
mod partitioned;
mod stranger;

use std::time::{Duration, Instant};

use cafe_system_tests::{Cafe, ROBOT, Rush, Service, http};

/// Customers a second. Those who are refused for half a minute and ask again and again become as many at once as a small
/// machine serves.
const RATE: u32 = 10;
/// Paid at once.
const PAID: [&str; 1] = ["tok_ok"];
/// Whoever asks has an answer by then.
const IN_TIME: Duration = Duration::from_secs(1);

/// Customers come, before the harm, during it and afterwards. Answers how many were asked to come again.
fn under_a_rush(cafe: &Cafe, harm: impl FnOnce(&Rush)) -> usize {
    let rush = Rush::start(cafe, RATE, &PAID);
    rush.wait_for_customers(RATE);
    harm(&rush);
    rush.wait_for_customers(2 * RATE);
    let rushed = rush.stop();
    let refused = rushed.demand_told_in_time();
    println!("{refused} of {} customers were asked to come again", rushed.posts.len());
    assert!(refused > 0, "nobody was refused: there was no harm");
    rushed.demand_all_served(cafe);
    refused
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
