//! What was touched by mistake.

use cafe_browser_tests::{Counter, Screen, button, css};

#[test]
#[ignore = "run by cargo xtask test"]
fn a_slip_is_taken_back_before_anybody_is_called() {
    let counter = Counter::open();
    let orders = counter.orders(2);
    let (display, board) = (counter.display(Screen::TABLET, "en"), counter.board(Screen::TV, "?lang=en"));
    display.click(button("Done, 0001"));
    counter.see(&orders[0], "ready");
    display.click(button("Undo"));
    counter.see(&orders[0], "making");
    display.see(button("Done, 0001"));
    // What comes later is called; the slip was not.
    display.click(button("Done, 0002"));
    board.see(css("#ready .called"));
    assert_eq!(board.texts(css("#ready .called .number")), ["0002"]);
    assert_eq!(board.text(css("#said")), "Order 2 is ready");
    assert_eq!(counter.ticket(&orders[0])["lines"][0]["recalled"], true);
}

#[test]
#[ignore = "run by cargo xtask test"]
fn a_hand_over_is_taken_back_as_if_it_had_never_been() {
    let counter = Counter::open();
    let orders = counter.orders(1);
    let display = counter.display(Screen::TABLET, "en");
    display.click(button("Done, 0001"));
    display.click(button("Handed over, 0001"));
    display.see("0001 is handed over");
    let before = counter.ticket(&orders[0])["version"].clone();
    display.click(button("Undo"));
    display.see_gone(css("#ready .leaving"));
    display.see_gone(button("Undo"));
    // So long as it would have taken to be said.
    display.set_limit(std::time::Duration::from_secs(20));
    display.run("window.later = false; setTimeout(() => { window.later = true; }, 6_000)", &[]);
    display.wait_for("it would have been said", |page| page.run("return window.later", &[]) == true);
    let ticket = counter.ticket(&orders[0]);
    assert_eq!((&ticket["status"], &ticket["version"]), (&"ready".into(), &before));
}

#[test]
#[ignore = "run by cargo xtask test"]
fn a_hand_over_is_said_even_when_the_page_is_left_at_once() {
    let counter = Counter::open();
    let orders = counter.orders(1);
    let display = counter.display(Screen::TABLET, "en");
    display.click(button("Done, 0001"));
    display.click(button("Handed over, 0001"));
    display.goto(&format!("{}/board", counter.origin()));
    counter.see(&orders[0], "picked_up");
}
