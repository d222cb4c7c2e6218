//! Each judge finds what is wrong, and nothing on a page with which nothing is.

use cafe_browser_tests::{Browser, Screen};

use crate::pages::Pages;

/// As our own pages are served.
const POLICY: &str = "default-src 'self'; img-src 'self' data:";

fn shown(body: &str) -> Browser {
    let browser = Browser::open(Screen::PHONE);
    browser.goto(&Pages::serving(body).origin);
    browser
}

#[test]
#[ignore = "run by cargo xtask test"]
fn nothing_is_wrong_with_a_clean_page_under_a_strict_policy() {
    let pages =
        Pages::under(POLICY, "<h1>카페 라떼</h1><p>커피 한 잔 4,500원</p><p><button>담기</button></p>");
    let browser = Browser::open(Screen::PHONE);
    browser.goto(&pages.origin);
    assert_eq!(browser.violations(), []);
    assert_eq!(browser.console_errors(), [""; 0]);
    assert_eq!(browser.foreign_requests(&[&pages.origin]), [""; 0]);
    assert_eq!(browser.sizes_below("button", 10.0), []);
    assert_eq!(browser.missing_glyphs(), []);
    assert_eq!(browser.long_tasks(), []);
    let weight = browser.weight();
    assert!((300..2_000).contains(&weight), "{weight} bytes");
}

#[test]
#[ignore = "run by cargo xtask test"]
fn grey_on_white_and_buttons_too_small_and_close_break_rules() {
    let browser = shown(
        r#"<p id="pale" style="color:#bbb;background:#fff">라떼</p>
        <button style="width:12px;height:12px;padding:0" aria-label="더">+</button><button
        style="width:12px;height:12px;padding:0" aria-label="덜">-</button>"#,
    );
    let found = browser.violations();
    let rules: Vec<_> = found.iter().map(|it| it.rule.as_str()).collect();
    assert_eq!(rules, ["color-contrast", "target-size"], "{found:#?}");
    assert_eq!(found[0].targets, ["#pale"]);
    assert_eq!(found[0].impact, "serious");
    assert!(found[0].why.contains("4.5:1"), "{}", found[0].why);
    let small = browser.sizes_below("button", 24.0);
    assert_eq!(small.len(), 2);
    assert_eq!((small[0].width, small[0].height), (12.0, 12.0));
    assert!(small[0].element.contains("더"), "{small:?}");
}

#[test]
#[ignore = "run by cargo xtask test"]
fn errors_of_scripts_and_of_what_is_not_there_are_told() {
    let browser =
        shown("<script>console.error('no milk')</script><script>throw new Error('no beans')</script>");
    let errors = browser.console_errors();
    assert!(errors.iter().any(|it| it.contains("no milk")), "{errors:#?}");
    assert!(errors.iter().any(|it| it.contains("no beans")), "{errors:#?}");
    let refused = Browser::open(Screen::PHONE);
    refused.goto(&Pages::under(POLICY, "<script>1</script>").origin);
    assert_eq!(refused.console_errors().len(), 1, "{:#?}", refused.console_errors());
}

#[test]
#[ignore = "run by cargo xtask test"]
fn what_is_asked_of_others_is_told_whether_it_comes_or_not() {
    let other = Pages::serving("");
    let (image, far) = (format!("{}/cup.png", other.origin), "http://fonts.example/latte.css");
    let pages = Pages::serving(&format!(r#"<img src="{image}" alt=""><link rel="stylesheet" href="{far}">"#));
    let browser = Browser::open(Screen::PHONE);
    browser.goto(&pages.origin);
    let mut asked = browser.foreign_requests(&[&pages.origin]);
    asked.sort();
    assert_eq!(asked, [image.as_str(), far]);
    assert_eq!(browser.foreign_requests(&[&pages.origin, &other.origin]), [far]);
}

#[test]
#[ignore = "run by cargo xtask test"]
fn a_page_weighs_what_came_for_it() {
    let pages = Pages::serving(&format!("<!-- {} -->", "x".repeat(100_000)));
    let browser = Browser::open(Screen::PHONE);
    for url in [pages.origin.clone(), format!("{}/again", pages.origin)] {
        browser.goto(&url);
        let weight = browser.weight();
        assert!((100_000..102_000).contains(&weight), "{weight} bytes");
    }
}

#[test]
#[ignore = "run by cargo xtask test"]
fn a_character_that_no_font_has_is_told_and_hangul_is_not() {
    let browser = shown(
        r#"<p>라떼 Latte ☕</p><p style="font: italic bold 12px monospace">똠방각하 &#xE123;</p>
        <p hidden>&#xE124;</p><input aria-label="이름" placeholder="이름&#xE125;">"#,
    );
    let missing = browser.missing_glyphs();
    let characters: Vec<_> = missing.iter().map(|it| it.character.as_str()).collect();
    assert_eq!(characters, ["U+E123", "U+E125"], "{missing:#?}");
    assert!(missing[0].element.contains("똠방각하"), "{missing:?}");
}

#[test]
#[ignore = "run by cargo xtask test"]
fn what_holds_up_a_page_is_told() {
    let browser =
        shown("<script>const end = performance.now() + 300; while (performance.now() < end);</script>");
    browser.wait_for("the task is noted", |page| !page.long_tasks().is_empty());
    assert!(browser.long_tasks()[0].length_ms >= 300.0, "{:?}", browser.long_tasks());
}
