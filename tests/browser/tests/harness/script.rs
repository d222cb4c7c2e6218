//! Doing and looking.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use cafe_browser_tests::{Browser, Key, Screen, button, css, heading, hook, label};

use crate::pages::Pages;

const SHOP: &str = r#"<h1>주문</h1>
<label>이름 <input></label>
<button onclick="setTimeout(() => out.textContent = document.querySelector('input').value + ' 주문됨', 300)">주문하기</button>
<p id="out"></p>
<button hidden>주문하기</button>
<ul><li data-test="latte">라떼 <button onclick="out.textContent = '라떼 담음'">담기</button></li>
<li data-test="mocha">모카 <button onclick="out.textContent = '모카 담음'">담기</button></li></ul>"#;

#[test]
#[ignore = "run by cargo xtask test"]
fn a_test_does_what_a_person_does_and_waits_for_what_a_person_sees() {
    let browser = Browser::open(Screen::PHONE);
    browser.goto(&Pages::serving(SHOP).origin);
    browser.see(heading("주문"));
    browser.type_keys(label("이름"), "민수");
    browser.press(Key::Tab);
    assert_eq!(browser.focused(), "button 주문하기");
    browser.press(Key::Enter);
    browser.see("민수 주문됨");
    assert_eq!(browser.value(label("이름")), "민수");
    browser.click(button("담기").within(hook("mocha")));
    assert_eq!(browser.text(css("#out")), "모카 담음");
    browser.click(button("담기").nth(0));
    assert_eq!(browser.text(css("#out")), "라떼 담음");
    browser.reload();
    browser.see_gone("라떼 담음");
    assert_eq!(browser.texts(css("li")).len(), 2);
}

#[test]
#[ignore = "run by cargo xtask test"]
fn a_page_sees_the_screen_and_the_language_that_the_test_chose() {
    const SEEN: &str = "return [innerWidth, innerHeight, devicePixelRatio, navigator.language,
        matchMedia('(pointer: coarse)').matches].join(' ')";
    let pages = Pages::serving("");
    for (screen, language, seen) in [
        (Screen::PHONE, "ko", "390 844 3 ko true"),
        (Screen::KIOSK, "en", "1080 1920 1 en true"),
        (Screen::TABLET, "ko", "1280 800 2 ko true"),
        (Screen::TV, "ko", "1920 1080 1 ko false"),
    ] {
        let browser = Browser::open(screen);
        browser.language(language);
        browser.goto(&pages.origin);
        assert_eq!(browser.run(SEEN, &[]), seen);
    }
}

#[test]
#[ignore = "run by cargo xtask test"]
fn what_a_failed_test_says_is_what_was_on_the_page() {
    let browser = Browser::open(Screen::PHONE);
    browser.goto(&Pages::serving(SHOP).origin);
    browser.set_limit(Duration::from_millis(200));
    let failed = catch_unwind(AssertUnwindSafe(|| browser.click(button("담기"))));
    let said = failed.expect_err("two buttons have this name");
    let said = said.downcast_ref::<String>().expect("a message");
    assert!(said.contains(r#"there are 2 of button "담기": say which by `nth` or `within`"#), "{said}");
    assert!(said.contains("(카페) shows:\n주문"), "{said}");
}
