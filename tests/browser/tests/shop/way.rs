//! A customer's whole way.

use cafe_browser_tests::{Customer, Key, Screen, css, heading, link, text};

#[test]
#[ignore = "run by cargo xtask test"]
fn a_customer_orders_on_a_phone_and_follows_the_order_to_its_end() {
    let customer = Customer::enters(&[], Screen::PHONE, "ko");
    let phone = &customer.phone;
    customer.looks_at("latte");
    phone.see(heading("라떼"));
    phone.click(css("#drink label:has([value=large])"));
    customer.clicks("하나 더");
    customer.takes_it();
    customer.adds("americano");
    assert_eq!(phone.text(css("#count")), "3");
    customer.opens_the_cart();
    assert_eq!(phone.text(css(".total .sum")), "₩11,500");
    customer.clicks("라떼: 하나 빼기");
    assert_eq!(phone.text(css(".total .sum")), "₩7,500");
    customer.pays_with("tok_slow");

    customer.sees("placed");
    assert!(!phone.has(css(".giant")), "no number before it is paid");
    phone.see(heading("결제를 확인하고 있습니다"));
    customer.sees("paid");
    assert_eq!(phone.text(css(".giant")), "0001");
    assert_eq!(phone.text(css("#steps [aria-current]")).lines().next(), Some("결제 완료"));

    let order_id = customer.orders()[0]["id"].as_str().unwrap().to_owned();
    let does = |what: &str| _ = customer.staff(&order_id, what);
    does("start");
    customer.sees("making");
    assert!(!phone.has(css("#cancel")), "too late to cancel");
    does("lines/1/ready");
    phone.see(text("2가지 중 1가지가 나왔습니다"));
    does("ready");
    customer.sees("ready");
    phone.wait_for("the title tells", |page| page.title() == "0001 · 나왔습니다. 가져가세요");
    does("pick-up");
    customer.sees("picked_up");

    phone.click(link("메뉴로 돌아가기"));
    phone.click(link("내 주문 보기"));
    customer.sees("picked_up");
    customer.had_no_trouble();
}

#[test]
#[ignore = "run by cargo xtask test"]
fn a_phone_on_the_network_orders_without_https() {
    let customer =
        Customer::enters_by("cafe.test", &["--robot", "--robot-speed", "1000"], Screen::PHONE, "ko");
    let secure = customer.phone.run("return isSecureContext", &[]);
    assert_eq!(secure, false, "as a browser takes what comes from another device");
    customer.adds("latte");
    customer.opens_the_cart();
    customer.pays_with("tok_ok");
    customer.sees("picked_up");
    assert_eq!(customer.orders().len(), 1);
    customer.had_no_trouble();
}

#[test]
#[ignore = "run by cargo xtask test"]
fn a_whole_order_is_made_with_the_keyboard_alone() {
    let customer = Customer::enters(&[], Screen::TABLET, "en");
    let phone = &customer.phone;
    let tab_to = |name: &str| {
        for _ in 0..40 {
            if phone.focused().contains(name) {
                return;
            }
            phone.press(Key::Tab);
        }
        panic!("{name} is not reached by Tab; the focus is on {}", phone.focused());
    };
    tab_to("button Espresso");
    phone.press(Key::Enter);
    phone.see(css("#drink[open]"));
    tab_to("button Add");
    phone.press(Key::Enter);
    phone.see_gone(css("#drink[open]"));
    assert!(phone.focused().contains("Espresso"), "back where it was: {}", phone.focused());
    tab_to("button Your order");
    phone.press(Key::Enter);
    phone.see(css("#cart[open]"));
    tab_to("button Pay");
    phone.press(Key::Enter);
    customer.sees("paid");
    tab_to("button Cancel the order");
    phone.press(Key::Enter);
    customer.sees("cancelled");
    phone.see(text("What you paid is given back."));
    customer.had_no_trouble();
}

#[test]
#[ignore = "run by cargo xtask test"]
fn a_declined_card_is_told_so_and_costs_nothing() {
    let customer = Customer::enters(&[], Screen::PHONE, "en");
    customer.adds("mocha");
    customer.opens_the_cart();
    customer.pays_with("tok_declined");
    customer.sees("declined");
    let phone = &customer.phone;
    phone.see(text("Nothing was charged."));
    assert!(!phone.has(css(".giant")) && !phone.has(css("#cancel")));
    customer.had_no_trouble();
}

#[test]
#[ignore = "run by cargo xtask test"]
fn what_is_in_the_cart_survives_a_reload_and_what_is_removed_does_not() {
    let customer = Customer::enters(&[], Screen::PHONE, "en");
    let phone = &customer.phone;
    customer.adds("latte");
    customer.adds("black_tea");
    phone.reload();
    assert_eq!(phone.text(css("#count")), "2");
    customer.opens_the_cart();
    customer.clicks("Latte: Remove");
    assert_eq!(phone.texts(css("#lines h3")), ["Black tea"]);
    phone.press(Key::Escape);
    phone.reload();
    assert_eq!(phone.text(css("#count")), "1");
    phone.click(link("한국어"));
    customer.opens_the_cart();
    assert_eq!(phone.texts(css("#lines h3")), ["홍차"], "in the other language too");
}
