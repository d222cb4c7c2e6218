//! A cafe whose barista is the test.

use std::cell::Cell;

use cafe_browser_tests::{Browser, Screen, css};
use cafe_system_tests::{Cafe, MOMENT, Service, http, wait_until};
use serde_json::Value;

pub(crate) struct Counter {
    pub(crate) cafe: Cafe,
    key: Cell<Option<&'static str>>,
}

/// An order, by its id.
pub(crate) type Order = String;

impl Counter {
    pub(crate) fn open() -> Self {
        Self { cafe: Cafe::up(&[]), key: Cell::default() }
    }

    /// Each service by itself: one that is killed stays dead.
    pub(crate) fn open_unwatched() -> Self {
        let mut cafe = Cafe::closed(&[]);
        for service in Service::ALL {
            cafe.open_alone(service);
        }
        cafe.wait_until_ready();
        Self { cafe, key: Cell::default() }
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.cafe.port(Service::Barista))
    }

    /// The board on a screen, once it has heard from the service.
    pub(crate) fn board(&self, screen: Screen, query: &str) -> Browser {
        let browser = Browser::open(screen);
        browser.goto(&format!("{}/board{query}", self.origin()));
        browser.see(css("html[data-link=live]"));
        browser
    }

    /// Paid orders whose tickets are in the queue, in order.
    pub(crate) fn orders(&self, count: usize) -> Vec<Order> {
        (0..count).map(|_| self.order()).collect()
    }

    fn order(&self) -> Order {
        let body =
            r#"{"items":[{"menu":"latte","quantity":1}],"payment":{"vendor":"simulator","token":"tok_ok"}}"#;
        let placed = http::post(self.cafe.port(Service::Order), "/orders", None, body).expect("an answer");
        assert_eq!(placed.status, 201, "{placed:?}");
        let id = placed.json()["id"].as_str().expect("an id").to_owned();
        wait_until(MOMENT, "the order is in the queue", || self.ticket(&id).then_some(()));
        id
    }

    fn ticket(&self, order: &str) -> bool {
        let path = format!("/tickets/{order}");
        let answer = http::get(self.cafe.port(Service::Barista), &path, Some(self.key()));
        answer.is_ok_and(|answer| answer.status == 200)
    }

    /// Staff do something with an order: `ready`, `recall`, …
    pub(crate) fn staff(&self, order: &str, what: &str) -> Value {
        let path = format!("/tickets/{order}/{what}");
        let answer = http::post(self.cafe.port(Service::Barista), &path, Some(self.key()), "{}");
        let answer = answer.expect("an answer");
        assert_eq!(answer.status, 200, "{what}: {answer:?}");
        answer.json()
    }

    fn key(&self) -> &'static str {
        let key = self.key.get().unwrap_or_else(|| self.cafe.staff_key().leak());
        self.key.set(Some(key));
        key
    }
}
