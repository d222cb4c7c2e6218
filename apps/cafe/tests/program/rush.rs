//! `cafe rush` against real processes.

use serde_json::Value;

use crate::audit::QUICK;
use crate::support::{Cafe, words};

#[test]
fn a_rush_that_goes_well_says_so_and_what_came_of_it() {
    let cafe = Cafe::open(&["--robot", "--robot-speed", "1000", "--pay-by", "15s"]);
    let arguments = ["rush", "--orders", "100", "--rate", "100", "--seed", "7", "--resend", "20%", "--json"];
    let rush = cafe.run(&[&arguments[..], &QUICK[..]].concat());
    assert!(rush.status.success(), "{}\n{}", words(&rush.stdout), words(&rush.stderr));
    let outcome: Value = serde_json::from_slice(&rush.stdout).unwrap();
    assert_eq!(outcome["ok"], true);
    assert_eq!(outcome["orders"], 100);
    assert_eq!(outcome["sent_twice"], 20);
    assert_eq!(outcome["shown"]["declined"], 10);
    assert_eq!(outcome["waits"]["count"], 100);
    let places = outcome["audits"].as_array().unwrap();
    assert_eq!(places.len(), 2, "over HTTP and on the data folder");

    // The same customers come again: they are others to the cafe, and it has no orders but the rush's own.
    let again = cafe.run(&[&["rush", "--orders", "20", "--rate", "100", "--seed", "7"], &QUICK[..]].concat());
    assert!(again.status.success(), "{}\n{}", words(&again.stdout), words(&again.stderr));
}

#[test]
fn a_cafe_with_orders_of_its_own_is_left_alone_unless_told() {
    let cafe = Cafe::open(&["--robot", "--robot-speed", "1000"]);
    cafe.order();
    let arguments = ["rush", "--orders", "10", "--rate", "100"];
    let refused = cafe.run(&[&arguments[..], &QUICK[..]].concat());
    assert!(!refused.status.success());
    assert!(words(&refused.stderr).contains("--yes-not-only-mine"), "{}", words(&refused.stderr));
    let told = cafe.run(&[&arguments[..], &["--yes-not-only-mine"], &QUICK[..]].concat());
    assert!(told.status.success(), "{}\n{}", words(&told.stdout), words(&told.stderr));
}

#[test]
fn without_a_barista_a_rush_says_so_and_judges_what_it_can() {
    let cafe = Cafe::open(&["--pay-by", "15s"]);
    let rush =
        cafe.run(&[&["rush", "--orders", "20", "--rate", "100", "--cancel", "0%"], &QUICK[..]].concat());
    assert!(rush.status.success(), "{}\n{}", words(&rush.stdout), words(&rush.stderr));
    assert!(words(&rush.stdout).contains("cafe up --robot"), "{}", words(&rush.stdout));
}

#[test]
fn a_rush_needs_a_cafe() {
    let cafe = Cafe::open(&[]);
    let data = cafe.data();
    let elsewhere = cafe
        .bare_command(&["rush", "--order-port", "1", "--payment-port", "2", "--barista-port", "3"])
        .arg("--data")
        .arg(data)
        .output()
        .unwrap();
    assert!(!elsewhere.status.success());
    assert!(words(&elsewhere.stderr).contains("cafe up"), "{}", words(&elsewhere.stderr));
}
