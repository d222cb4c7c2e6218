//! The program itself, as a browser sees it.

use cafe_browser_tests::{Browser, Screen};
use cafe_system_tests::{Cafe, Service};

#[test]
#[ignore = "run by cargo xtask test"]
fn the_first_page_is_whole_and_asks_nobody_else_on_a_phone_and_on_a_kiosk() {
    let cafe = Cafe::up(&[]);
    let origin = format!("http://127.0.0.1:{}", cafe.port(Service::Order));
    for screen in [Screen::PHONE, Screen::KIOSK] {
        let browser = Browser::open(screen);
        browser.goto(&format!("{origin}/"));
        browser.wait_for("there is something to read", |page| {
            page.run("return document.body.innerText", &[]).as_str().is_some_and(|words| !words.is_empty())
        });
        assert_eq!(browser.missing_glyphs(), []);
        assert_eq!(browser.console_errors(), [""; 0]);
        assert_eq!(browser.foreign_requests(&[&origin]), [""; 0]);
    }
}
