//! A cafe whose barista is the test.

use cafe_system_tests::{Cafe, MOMENT, Service, http, wait_until};
use serde_json::Value;

use crate::{Browser, Key, Screen, css, staff};

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
        Self { cafe: Cafe::up_beside_others(&[]) }
    }

    /// Each service by itself: one that is killed stays dead.
    #[track_caller]
    pub fn open_unwatched() -> Self {
        let mut cafe = Cafe::closed_beside_others(&[]);
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

    /// The barista's display on a screen that is signed in, once it has heard from the service.
    #[track_caller]
    pub fn display(&self, screen: Screen, language: &str) -> Browser {
        let browser = Browser::open(screen);
        browser.goto(&format!("{}/?lang={language}", self.origin()));
        browser.type_keys(css("#key"), &self.cafe.staff_key());
        browser.press(Key::Enter);
        browser.see(css("html[data-link=live] #count"));
        browser
    }

    /// Paid orders of a latte whose tickets are in the queue, in order, by their ids.
    #[track_caller]
    pub fn orders(&self, count: usize) -> Vec<String> {
        (0..count).map(|_| self.order(r#"[{"menu":"latte"}]"#)).collect()
    }

    /// A paid order of these items, a JSON array as `POST /orders` takes it, whose ticket is in the queue; its id.
    #[track_caller]
    pub fn order(&self, items: &str) -> String {
        let body = format!(r#"{{"items":{items},"payment":{{"vendor":"simulator","token":"tok_ok"}}}}"#);
        let placed = http::post(self.cafe.port(Service::Order), "/orders", None, &body).expect("an answer");
        assert_eq!(placed.status, 201, "{placed:?}");
        let id = placed.json()["id"].as_str().expect("an id").to_owned();
        wait_until(MOMENT, "the order is in the queue", || staff::ticket(&self.cafe, &id).map(drop));
        id
    }

    /// Staff do something with an order: `ready`, `recall`, …
    #[track_caller]
    pub fn staff(&self, order: &str, what: &str) -> Value {
        staff::does(&self.cafe, order, what)
    }

    /// The ticket of an order as the service has it.
    #[track_caller]
    pub fn ticket(&self, order: &str) -> Value {
        staff::ticket(&self.cafe, order).expect("there is a ticket")
    }

    /// Waits until the ticket of an order is so far.
    #[track_caller]
    pub fn see(&self, order: &str, status: &str) {
        let is_so_far = || (self.ticket(order)["status"] == status).then_some(());
        wait_until(MOMENT, &format!("the ticket is {status}"), is_so_far);
    }
}
