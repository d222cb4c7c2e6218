//! What is to be made, from the ticket to the hand over.

use cafe_browser_tests::{Counter, Key, Screen, button, css};
use cafe_system_tests::{MOMENT, Service, http, wait_until};
use serde_json::Value;

const TWO_DRINKS: &str =
    r#"[{"menu":"latte","size":"large","quantity":2,"takeout":true},{"menu":"americano"}]"#;

#[test]
#[ignore = "run by cargo xtask test"]
fn one_touch_makes_an_order_ready_and_another_hands_it_over() {
    let counter = Counter::open();
    let display = counter.display(Screen::TABLET, "en");
    let orders = [counter.order(TWO_DRINKS), counter.order(r#"[{"menu":"latte"}]"#)];
    display.see(button("Done, 0002"));
    assert_eq!(display.texts(css("#tickets h2")), ["0001", "0002"], "first in, first out");
    for words in ["2×", "Latte", "Large · to go", "Americano", "for here"] {
        display.see(words);
    }
    assert!(
        display.texts(css("#drinks li")).contains(&"2× Latte Large".to_owned()),
        "counted over all tickets"
    );
    display.click(button("Done, 0001"));
    counter.see(&orders[0], "ready");
    display.see(css("#ready .ticket"));
    // The next one starts at the same time, and its card is drawn anew.
    display.wait_for("the other is left", |page| page.texts(css("#tickets h2")) == ["0002"]);
    display.click(button("Handed over, 0001"));
    counter.see(&orders[0], "picked_up");
    display.see_gone(css("#ready .ticket"));
    counter.see(&orders[1], "making");
    display.see("being made");
    assert_eq!(display.console_errors(), [""; 0]);
    assert_eq!(display.foreign_requests(&[&counter.origin()]), [""; 0]);
}

#[test]
#[ignore = "run by cargo xtask test"]
fn lines_are_ticked_off_one_by_one_and_the_last_makes_the_order_ready() {
    let counter = Counter::open();
    let order = counter.order(TWO_DRINKS);
    let display = counter.display(Screen::TABLET, "en");
    display.click(button("2 Latte"));
    display.see("✓ made");
    counter.see(&order, "making");
    display.see("being made");
    // A slip.
    display.click(button("2 Latte"));
    display.see("↻ again");
    display.click(button("2 Latte"));
    display.see("✓ made");
    display.click(button("1 Americano"));
    counter.see(&order, "ready");
}

#[test]
#[ignore = "run by cargo xtask test"]
fn a_bump_bar_s_keys_do_it_without_a_touch() {
    let counter = Counter::open();
    let orders = counter.orders(3);
    let display = counter.display(Screen::TV, "en");
    display.see(button("Done, 0003"));
    display.press(Key::Char('2'));
    counter.see(&orders[1], "ready");
    display.see_gone(button("Done, 0002"));
    display.press(Key::Enter);
    counter.see(&orders[0], "ready");
    display.see("0001 is done");
    display.press(Key::Backspace);
    counter.see(&orders[0], "making");
    display.see(button("Done, 0001"));
    assert_ne!(counter.ticket(&orders[2])["status"], "ready");
}

#[test]
#[ignore = "run by cargo xtask test"]
fn what_cannot_be_made_is_rejected_with_a_reason_and_the_money_goes_back() {
    let counter = Counter::open();
    let order = counter.order(TWO_DRINKS);
    let display = counter.display(Screen::TABLET, "en");
    display.click(button("Cannot make, 0001"));
    display.see("The customer gets the money for these drinks back.");
    assert_eq!(display.violations(), []);
    // Only the americano: the latte is not chosen any more.
    display.click(css("#ask-lines label:first-child"));
    display.click(css("#ask-reasons label:nth-child(4)"));
    display.type_keys(css("#ask-reason"), "no beans");
    display.click(css("#ask-do"));
    display.see("✕ cannot be made");
    let ticket = counter.ticket(&order);
    assert_eq!(
        (&ticket["lines"][0]["state"], &ticket["lines"][1]["state"]),
        (&"waiting".into(), &"rejected".into())
    );
    display.click(button("Done, 0001"));
    counter.see(&order, "ready");
    let (key, path) = (counter.cafe.staff_key(), format!("/payments/{order}"));
    let given_back = || {
        let payment = http::get(counter.cafe.port(Service::Payment), &path, Some(&key)).ok()?.json();
        payment["refunded"].as_i64().filter(|amount| *amount > 0)
    };
    let americano = ticket["lines"][1]["price"].as_i64();
    assert_eq!(Some(wait_until(MOMENT, "money goes back", given_back).0), americano);
}

#[test]
#[ignore = "run by cargo xtask test"]
fn what_was_handed_over_is_called_back_and_made_again_at_no_charge() {
    let counter = Counter::open();
    let order = counter.order(TWO_DRINKS);
    let display = counter.display(Screen::TABLET, "en");
    display.click(button("Done, 0001"));
    display.click(button("Handed over, 0001"));
    counter.see(&order, "picked_up");
    display.click("Handed over lately");
    display.click(button("Make again, 0001"));
    display.click(css("#ask-lines label:first-child"));
    display.click(css("#ask-do"));
    counter.see(&order, "making");
    display.see("↻ again");
    let states: Vec<Value> =
        (0..2).map(|line| counter.ticket(&order)["lines"][line]["state"].clone()).collect();
    assert_eq!(states, ["ready", "waiting"]);
}
