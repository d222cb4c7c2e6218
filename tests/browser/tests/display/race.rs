//! Two displays of one cafe.

use std::time::{Duration, Instant};

use cafe_browser_tests::{Counter, Screen, button, css};

/// From a bump on one display until the other shows it.
const SHOWN_WITHIN: Duration = Duration::from_secs(1);

#[test]
#[ignore = "run by cargo xtask test"]
fn a_bump_on_one_display_is_on_the_other_within_a_second() {
    let counter = Counter::open();
    counter.orders(2);
    let (one, other) = (counter.display(Screen::TABLET, "en"), counter.display(Screen::TABLET, "ko"));
    other.see(button("완료, 0001"));
    one.click(button("Done, 0001"));
    let since = Instant::now();
    other.see_gone(button("완료, 0001"));
    assert!(since.elapsed() < SHOWN_WITHIN, "{:?}", since.elapsed());
    other.see(css("#ready .ticket"));
}

#[test]
#[ignore = "run by cargo xtask test"]
fn of_two_that_touch_the_same_ticket_one_takes_effect_and_the_other_is_told() {
    let counter = Counter::open();
    let order = counter.order(r#"[{"menu":"latte"},{"menu":"mocha"}]"#);
    let (one, other) = (counter.display(Screen::TABLET, "en"), counter.display(Screen::TABLET, "en"));
    // Neither hears of the other before both have touched.
    let deaf = "const touch = document.querySelector('.done'); window.touch = () => touch.click();
        EventSource.prototype.dispatchEvent = () => {};";
    for display in [&one, &other] {
        display.see(button("Done, 0001"));
        display.run(deaf, &[]);
    }
    let before = counter.ticket(&order)["version"].as_u64().expect("a version");
    for display in [&one, &other] {
        display.run("touch()", &[]);
    }
    let told = |page: &cafe_browser_tests::Browser| page.text(css("#told"));
    for display in [&one, &other] {
        display.wait_for("it is told", |page| !told(page).is_empty());
    }
    let mut both = [told(&one), told(&other)];
    both.sort();
    assert_eq!(both, ["0001 is done", "0001 was done on another screen first: ready"]);
    let after = counter.ticket(&order)["version"].as_u64().expect("a version");
    assert_eq!(after - before, 4, "started, two lines made, ready: each once");
}
