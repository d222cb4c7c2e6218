//! A payment vendor on a bad day.

use std::time::Duration;

use cafe_system_tests::{Cafe, Rush, Rushed};

use crate::{RATE, ROBOT};

#[test]
#[ignore = "run by cargo xtask test"]
fn a_vendor_that_takes_five_seconds_holds_up_no_order_of_others() {
    served_with(&["tok_slow", "tok_ok", "tok_ok", "tok_ok"]);
}

#[test]
#[ignore = "run by cargo xtask test"]
fn a_vendor_that_answers_with_errors_is_asked_again() {
    served_with(&["tok_error", "tok_ok"]);
}

#[test]
#[ignore = "run by cargo xtask test"]
fn a_vendor_that_approves_and_never_says_so_is_looked_up() {
    served_with(&["tok_timeout", "tok_ok", "tok_ok", "tok_ok"]);
}

#[test]
#[ignore = "run by cargo xtask test"]
fn a_vendor_that_does_not_know_the_payment_for_half_a_minute_is_believed_in_the_end() {
    served_with(&["tok_late", "tok_ok", "tok_ok", "tok_ok"]);
}

fn served_with(tokens: &[&str]) -> Rushed {
    const LENGTH: Duration = Duration::from_secs(5);
    let cafe = Cafe::up(&ROBOT);
    let rush = Rush::start(&cafe, RATE, tokens);
    rush.wait_for_customers(RATE * LENGTH.as_secs() as u32);
    let rushed = rush.stop();
    rushed.demand_all_well(&cafe, &[]);
    rushed
}
