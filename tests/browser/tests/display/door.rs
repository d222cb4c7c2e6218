//! Who is let in.

use cafe_browser_tests::{Browser, Counter, Screen, button, css, label};
use cafe_system_tests::{Service, http};

#[test]
#[ignore = "run by cargo xtask test"]
fn a_browser_shows_the_key_once_and_is_let_in_until_it_is_signed_out() {
    let counter = Counter::open();
    let tablet = Browser::open(Screen::TABLET);
    tablet.goto(&format!("{}/?lang=en", counter.origin()));
    assert!(!tablet.has(css("#tickets")));
    tablet.type_keys(label("Staff key"), "a-key-that-somebody-has-guessed");
    tablet.click(button("Use this device"));
    tablet.see("That is not the staff key.");
    assert_eq!(tablet.violations(), []);
    // As it is pasted, with the line's end.
    tablet.clear(label("Staff key"));
    tablet.type_keys(label("Staff key"), &format!(" {} ", counter.cafe.staff_key()));
    tablet.click(button("Use this device"));
    tablet.see("Nothing to make");
    tablet.reload();
    tablet.see("Nothing to make");
    assert_eq!(tablet.run("return document.cookie", &[]), "", "no script can read what lets it in");
    tablet.click(button("Sign this device out"));
    tablet.see(label("Staff key"));
    tablet.reload();
    tablet.see(label("Staff key"));
    let errors = tablet.console_errors();
    assert!(errors.len() == 1 && errors[0].contains("403"), "only the wrong key: {errors:?}");
}

#[test]
#[ignore = "run by cargo xtask test"]
fn the_barista_s_pages_open_no_other_service() {
    let counter = Counter::open();
    let tablet = counter.display(Screen::TABLET, "en");
    tablet.goto(&format!("http://127.0.0.1:{}/payments", counter.cafe.port(Service::Payment)));
    tablet.see("unauthorized");
    let without = http::get(counter.cafe.port(Service::Barista), "/tickets", None).expect("an answer");
    assert_eq!(without.status, 401);
}
