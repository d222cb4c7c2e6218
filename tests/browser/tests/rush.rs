//! The rush, on the barista's display.

use cafe_browser_tests::{Counter, Screen, css};
use cafe_system_tests::{Service, http};
use serde_json::{Value, json};

const TICKETS: usize = 300;

#[test]
#[ignore = "run by cargo xtask test"]
fn three_hundred_tickets_hold_up_nobody() {
    let counter = Counter::open();
    for _ in 0..TICKETS / 20 {
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| counter.orders(5));
            }
        });
    }
    let display = counter.display(Screen::TABLET, "en");
    display.wait_for("all are drawn", |page| {
        page.run("return document.querySelectorAll('#tickets > li').length", &[]) == TICKETS
    });
    let numbers = "return [...document.querySelectorAll('#tickets h2')].map((it) => it.textContent)";
    let queue = queue(&counter);
    let in_line: Vec<_> = queue.iter().map(|ticket| &ticket["number"]).collect();
    assert_eq!(display.run(numbers, &[]), json!(in_line), "first in, first out");
    // The first twenty are bumped, as fast as it goes.
    for left in (TICKETS - 20..TICKETS).rev() {
        display.run("document.querySelector('#tickets .done').click()", &[]);
        display.wait_for("it is gone", |page| page.text(css("#count")) == left.to_string());
    }
    assert_eq!(display.long_tasks(), []);
    let first: Vec<_> =
        self::queue(&counter).iter().take(20).map(|ticket| ticket["status"].clone()).collect();
    assert_eq!(first, ["ready"; 20]);
}

/// The open tickets, as the service has them.
fn queue(counter: &Counter) -> Vec<Value> {
    let answer = http::get(counter.cafe.port(Service::Barista), "/queue", None).expect("an answer").json();
    answer["tickets"].as_array().expect("tickets").clone()
}
