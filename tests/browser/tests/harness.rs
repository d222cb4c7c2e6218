//! The harness itself, on small pages.

use cafe_browser_tests::{Browser, Key, Screen, button, css, heading, label};

#[test]
#[ignore = "run by cargo xtask test"]
fn a_script_reads_as_what_a_person_does() {
    let browser = Browser::open(Screen::PHONE);
    let page = "data:text/html,<meta charset=utf-8><meta name=viewport content='width=device-width'><h1>주문</h1>\
        <label>이름 <input></label><button onclick=\"setTimeout(()=>out.textContent=document.querySelector('input').value+' 주문됨',300)\">\
        주문하기</button><p id=out></p><button hidden>주문하기</button>";
    browser.goto(page);
    browser.see(heading("주문"));
    browser.type_keys(label("이름"), "라떼");
    browser.press(Key::Tab);
    assert_eq!(browser.focused(), "button 주문하기");
    browser.click(button("주문"));
    browser.see("라떼 주문됨");
    assert_eq!(browser.text(css("#out")), "라떼 주문됨");
    assert_eq!(browser.value(label("이름")), "라떼");
    assert_eq!(browser.run("return [innerWidth, innerHeight, devicePixelRatio, navigator.language, matchMedia('(pointer: coarse)').matches]", &[]).to_string(), r#"[390,844,3,"ko",true]"#);
    assert_eq!(browser.console_errors(), [""; 0]);
}
