//! Everyone can order: the rules of WCAG 2.2 AA in every state, in both languages, light and dark.

use cafe_browser_tests::{Customer, Screen};

/// The most that a page weighs over the wire.
const WEIGHT_MAX: u64 = 100_000;

fn in_every_state(language: &str) {
    let customer = Customer::enters(&[], Screen::PHONE, language);
    let phone = &customer.phone;
    let weight = phone.weight();
    assert!(weight < WEIGHT_MAX, "the shop weighs {weight} bytes");
    phone.demand_usable("empty");
    customer.looks_at("latte");
    phone.demand_usable("a drink");
    customer.takes_it();
    for drink in ["americano", "mocha", "black_tea"] {
        customer.adds(drink);
    }
    phone.demand_usable("chosen");
    customer.opens_the_cart();
    phone.demand_usable("cart");
    customer.pays_with("tok_declined");
    customer.sees("declined");
    phone.demand_usable("declined");
    phone.goto(&format!("{}/", customer.origin));
    customer.adds("latte");
    customer.opens_the_cart();
    customer.pays_with("tok_ok");
    customer.sees("paid");
    let weight = phone.weight();
    assert!(weight < WEIGHT_MAX, "an order's page weighs {weight} bytes");
    phone.demand_usable("paid");
    phone.run("document.documentElement.dataset.link = 'lost'", &[]);
    phone.demand_usable("offline");
    phone.goto(&format!("{}/o/01a21f65-e060-737e-8123-d735c485d4dd?token=x", customer.origin));
    phone.demand_usable("no such order");
}

#[test]
#[ignore = "run by cargo xtask test"]
fn every_page_keeps_the_rules_in_every_state_in_korean() {
    in_every_state("ko");
}

#[test]
#[ignore = "run by cargo xtask test"]
fn every_page_keeps_the_rules_in_every_state_in_english() {
    in_every_state("en");
}
