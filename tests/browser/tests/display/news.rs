//! How old what it shows is.

use cafe_browser_tests::{Counter, Screen, button, css};
use cafe_failures::{process, tried};
use cafe_system_tests::{MOMENT, Service};
use rustix::process::Signal;

#[test]
#[ignore = "run by cargo xtask test"]
fn a_display_whose_service_is_gone_never_says_that_all_is_done_and_recovers_by_itself() {
    let mut counter = Counter::open_unwatched();
    let display = counter.display(Screen::TABLET, "en");
    display.see("Nothing to make");
    tried(&process::DISPLAY_CUT_OFF);
    counter.cafe.signal(Service::Barista, Signal::KILL);
    counter.cafe.wait_for_end_alone(Service::Barista, MOMENT);
    display.see("No connection: orders since");
    display.see("Asking for the orders");
    assert!(!display.has("Nothing to make"));
    assert_eq!(display.violations(), []);

    counter.cafe.open_alone(Service::Barista);
    counter.cafe.wait_until_serving(Service::Barista);
    counter.orders(1);
    display.see_gone(css("#alarm"));
    display.see(button("Done, 0001"));
}

#[test]
#[ignore = "run by cargo xtask test"]
fn a_display_that_hears_nothing_over_a_connection_that_holds_says_so_too() {
    let counter = Counter::open();
    let orders = counter.orders(1);
    let display = counter.display(Screen::TABLET, "en");
    display.see(button("Done, 0001"));
    tried(&process::DISPLAY_CUT_OFF);
    counter.cafe.signal(Service::Barista, Signal::STOP);
    display.see("No connection: orders since");
    counter.cafe.signal(Service::Barista, Signal::CONT);
    display.see_gone(css("#alarm"));
    display.click(button("Done, 0001"));
    counter.see(&orders[0], "ready");
}

#[test]
#[ignore = "run by cargo xtask test"]
fn a_display_works_while_the_other_two_services_are_dead() {
    let mut counter = Counter::open_unwatched();
    let orders = counter.orders(1);
    tried(&process::DISPLAY_ALONE);
    for service in [Service::Order, Service::Payment] {
        counter.cafe.signal(service, Signal::KILL);
        counter.cafe.wait_for_end_alone(service, MOMENT);
    }
    let display = counter.display(Screen::TABLET, "en");
    display.click(button("Done, 0001"));
    display.click(button("Handed over, 0001"));
    counter.see(&orders[0], "picked_up");
    assert_eq!(display.console_errors(), [""; 0]);
}

#[test]
#[ignore = "run by cargo xtask test"]
fn what_cannot_be_sent_is_told_and_can_be_touched_again() {
    let mut counter = Counter::open_unwatched();
    let orders = counter.orders(1);
    let display = counter.display(Screen::TABLET, "en");
    display.see(button("Done, 0001"));
    tried(&process::DISPLAY_CUT_OFF);
    counter.cafe.signal(Service::Barista, Signal::KILL);
    counter.cafe.wait_for_end_alone(Service::Barista, MOMENT);
    display.click(button("Done, 0001"));
    display.see("0001 could not be changed. Look at the connection, and touch again.");
    counter.cafe.open_alone(Service::Barista);
    counter.cafe.wait_until_serving(Service::Barista);
    display.see_gone(css("#alarm"));
    display.click(button("Done, 0001"));
    counter.see(&orders[0], "ready");
}
