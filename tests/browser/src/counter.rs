//! A cafe whose barista is the test.

use cafe_system_tests::{Cafe, MOMENT, Service, http, wait_until};
use serde_json::Value;

use crate::{Browser, Screen, css, staff};

/// A cafe in which nothing is made unless the test makes it.
#[derive(Debug)]
pub struct Counter {
    /// The cafe.
    pub cafe: Cafe,
}

impl Counter {
    /// Opens a cafe.
    #[track_caller]
    pub fn open() -> Self {
        Self { cafe: Cafe::up(&[]) }
    }

    /// Each service by itself: one that is killed stays dead.
    #[track_caller]
    pub fn open_unwatched() -> Self {
        let mut cafe = Cafe::closed(&[]);
        for service in Service::ALL {
            cafe.open_alone(service);
        }
        cafe.wait_until_ready();
        Self { cafe }
    }

    /// Where the barista's screens are, such as `http://127.0.0.1:3002`.
    pub fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.cafe.port(Service::Barista))
    }

    /// The board on a screen, once it has heard from the service.
    #[track_caller]
    pub fn board(&self, screen: Screen, query: &str) -> Browser {
        let browser = Browser::open(screen);
        browser.goto(&format!("{}/board{query}", self.origin()));
        browser.see(css("html[data-link=live]"));
        browser
    }

    /// Paid orders whose tickets are in the queue, in order, by their ids.
    #[track_caller]
    pub fn orders(&self, count: usize) -> Vec<String> {
        (0..count).map(|_| self.order()).collect()
    }

    #[track_caller]
    fn order(&self) -> String {
        let body =
            r#"{"items":[{"menu":"latte","quantity":1}],"payment":{"vendor":"simulator","token":"tok_ok"}}"#;
        let placed = http::post(self.cafe.port(Service::Order), "/orders", None, body).expect("an answer");
        assert_eq!(placed.status, 201, "{placed:?}");
        let id = placed.json()["id"].as_str().expect("an id").to_owned();
        wait_until(MOMENT, "the order is in the queue", || staff::has(&self.cafe, &id).then_some(()));
        id
    }

    /// Staff do something with an order: `ready`, `recall`, …
    #[track_caller]
    pub fn staff(&self, order: &str, what: &str) -> Value {
        staff::does(&self.cafe, order, what)
    }
}
