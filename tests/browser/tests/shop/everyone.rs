//! Everyone can order: the rules of WCAG 2.2 AA in every state, in both languages, light and dark.

use cafe_browser_tests::{Browser, Customer, Screen};

/// The most that a page weighs over the wire.
const WEIGHT_MAX: u64 = 100_000;
/// The least that what is touched measures, in CSS pixels.
const TARGET_PX: f64 = 44.0;

fn is_right(phone: &Browser, state: &str) {
    for scheme in ["light", "dark"] {
        phone.prefer("prefers-color-scheme", scheme);
        let violations = phone.violations();
        assert!(violations.is_empty(), "{state}, {scheme}: {violations:#?}");
    }
    let small = phone.sizes_below("button, a.button, .choice label, select", TARGET_PX);
    assert!(small.is_empty(), "{state}: {small:?}");
    let missing = phone.missing_glyphs();
    assert!(missing.is_empty(), "{state}: {missing:?}");
    let wide = phone.run("return document.documentElement.scrollWidth > innerWidth", &[]);
    assert_eq!(wide, false, "{state}: nothing is wider than the screen");
}

fn in_every_state(language: &str) {
    let customer = Customer::enters(&[], Screen::PHONE, language);
    let phone = &customer.phone;
    let weight = phone.weight();
    assert!(weight < WEIGHT_MAX, "the shop weighs {weight} bytes");
    is_right(phone, "empty");
    customer.looks_at("latte");
    is_right(phone, "a drink");
    customer.takes_it();
    for drink in ["americano", "mocha", "black_tea"] {
        customer.adds(drink);
    }
    is_right(phone, "chosen");
    customer.opens_the_cart();
    is_right(phone, "cart");
    customer.pays_with("tok_declined");
    customer.sees("declined");
    is_right(phone, "declined");
    phone.goto(&format!("{}/", customer.origin));
    customer.adds("latte");
    customer.opens_the_cart();
    customer.pays_with("tok_ok");
    customer.sees("paid");
    let weight = phone.weight();
    assert!(weight < WEIGHT_MAX, "an order's page weighs {weight} bytes");
    is_right(phone, "paid");
    phone.run("document.documentElement.dataset.link = 'lost'", &[]);
    is_right(phone, "offline");
    phone.goto(&format!("{}/o/01a21f65-e060-737e-8123-d735c485d4dd?token=x", customer.origin));
    is_right(phone, "no such order");
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
