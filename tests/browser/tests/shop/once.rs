//! One checkout is one order, whatever happens on the way.

use cafe_browser_tests::{Customer, Screen, css, text};
use cafe_failures::{customer, tried};
use cafe_system_tests::Service;
use rustix::process::Signal;

#[test]
#[ignore = "run by cargo xtask test"]
fn a_page_that_is_loaded_again_while_its_order_is_on_its_way_sends_the_same_order() {
    tried(&customer::PAYS_WHILE_AWAY);
    let customer = Customer::enters(&[], Screen::PHONE, "en");
    let phone = &customer.phone;
    customer.adds("latte");
    customer.opens_the_cart();
    // The order arrives, and its answer is lost.
    phone.run(
        "const send = fetch; window.fetch = (...order) => { send(...order); return new Promise(() => {}); };",
        &[],
    );
    phone.run("document.getElementById('pay').click(); document.getElementById('pay').click();", &[]);
    phone.see(text("Sending your order…"));
    phone.wait_for("the order is taken", |_| !customer.orders().is_empty());
    phone.reload();
    customer.sees("paid");
    assert_eq!(customer.orders().len(), 1, "two touches, two loads, one order");
    charged_once(&customer);
}

#[test]
#[ignore = "run by cargo xtask test"]
fn an_order_that_the_service_did_not_answer_before_it_was_killed_is_sent_until_it_is() {
    tried(&customer::PAYS_WHILE_AWAY);
    let customer = Customer::enters(&[], Screen::PHONE, "ko");
    let phone = &customer.phone;
    customer.adds("latte");
    customer.opens_the_cart();
    customer.cafe.signal(Service::Order, Signal::STOP);
    customer.pays_with("tok_ok");
    phone.see(text("주문을 보내고 있습니다…"));
    customer.cafe.signal(Service::Order, Signal::KILL);
    phone.see(text("다시 주문하지 마세요"));
    customer.sees("paid");
    assert_eq!(customer.orders().len(), 1);
    charged_once(&customer);
}

/// Payment has heard of one order, and has asked for its money once.
fn charged_once(customer: &Customer) {
    let payments = customer.cafe.all(Service::Payment, "payments");
    let [payment] = &payments[..] else { panic!("{payments:?}") };
    assert_eq!(payment["attempts"].as_array().map(Vec::len), Some(1), "{payment}");
    assert_eq!(customer.cafe.all(Service::Barista, "tickets").len(), 1);
}

#[test]
#[ignore = "run by cargo xtask test"]
fn an_orders_page_says_when_the_cafe_is_away_and_misses_nothing() {
    tried(&customer::FOLLOWS_WHILE_AWAY);
    let mut customer = Customer::enters(&[], Screen::PHONE, "en");
    let phone = &customer.phone;
    customer.adds("latte");
    customer.opens_the_cart();
    customer.pays_with("tok_ok");
    customer.sees("paid");
    assert!(!phone.has(css(".when-lost")));
    // The other two are dead, and the page is as it was.
    for other in [Service::Payment, Service::Barista] {
        customer.cafe.signal(other, Signal::STOP);
    }
    phone.reload();
    customer.sees("paid");
    for other in [Service::Payment, Service::Barista] {
        customer.cafe.signal(other, Signal::CONT);
    }
    customer.cafe.kill_supervisor();
    for service in Service::ALL {
        customer.cafe.signal(service, Signal::KILL);
    }
    customer.phone.see(css(".when-lost"));
    customer.cafe.open();
    customer.phone.see_gone(css(".when-lost"));
    customer.phone.click(css("#cancel"));
    customer.sees("cancelled");
}
