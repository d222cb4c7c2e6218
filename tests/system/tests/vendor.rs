//! A payment vendor on a bad day: what goes wrong there holds up nobody here. Each ends with every customer served, every order
//! at its end and a clean audit.

use cafe_failures::{Fault, tried, vendor};
use cafe_system_tests::{Cafe, ROBOT, Rush, Service};

/// Customers a second.
const RATE: u32 = 100;
/// Customers who come while the vendor fails.
const MEANWHILE: u32 = 8 * RATE;

#[test]
#[ignore = "run by cargo xtask test"]
fn payments_that_go_wrong_one_by_one_hold_up_no_others() {
    let cafe = Cafe::up_beside_others(&ROBOT);
    let good = ["tok_ok"; 3].as_slice();
    let tokens =
        [good, &["tok_slow"], good, &["tok_error"], good, &["tok_timeout"], good, &["tok_late"]].concat();
    tried(&vendor::MIXED);
    let rush = Rush::start(&cafe, RATE, &tokens);
    rush.wait_for_customers(MEANWHILE);
    rush.stop().demand_all_well(&cafe, &[]);
    let payments = cafe.all(Service::Payment, "payments");
    assert!(payments.iter().all(|payment| payment["open"] == false), "nothing is left to see to");
}

#[test]
#[ignore = "run by cargo xtask test"]
fn a_vendor_that_takes_five_seconds_for_every_answer() {
    vendor_fails("slow", &vendor::SLOW);
}

#[test]
#[ignore = "run by cargo xtask test"]
fn a_vendor_that_answers_everything_with_an_error() {
    vendor_fails("error", &vendor::FAILS);
}

#[test]
#[ignore = "run by cargo xtask test"]
fn a_vendor_that_charges_and_never_says_so() {
    vendor_fails("silent", &vendor::SILENT);
}

#[test]
#[ignore = "run by cargo xtask test"]
fn a_vendor_that_does_not_know_its_own_charges_for_half_a_minute() {
    vendor_fails("late", &vendor::LATE);
}

/// The vendor works, fails in this way, works again.
fn vendor_fails(how: &str, fault: &Fault) {
    let cafe = Cafe::up_beside_others(&ROBOT);
    let rush = Rush::start(&cafe, RATE, &["tok_ok"]);
    rush.wait_for_customers(RATE);
    tried(fault);
    cafe.simulator_fails(Some(how));
    rush.wait_for_customers(MEANWHILE);
    cafe.simulator_fails(None);
    rush.wait_for_customers(RATE);
    rush.stop().demand_all_well(&cafe, &[]);
}
