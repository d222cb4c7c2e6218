//! What a customer does, again and again.

use cafe_browser_tests::{Browser, Screen, button, css};
use cafe_system_tests::{Cafe, Service, http};
use serde_json::Value;

/// A customer with a phone in front of a cafe.
pub(crate) struct Customer {
    pub(crate) cafe: Cafe,
    pub(crate) phone: Browser,
    pub(crate) origin: String,
}

impl Customer {
    pub(crate) fn enters(flags: &[&str], screen: Screen, language: &str) -> Self {
        Self::enters_by("127.0.0.1", flags, screen, language)
    }

    /// As one who calls the cafe's machine by `host`.
    pub(crate) fn enters_by(host: &str, flags: &[&str], screen: Screen, language: &str) -> Self {
        let cafe = Cafe::up(flags);
        let origin = format!("http://{host}:{}", cafe.port(Service::Order));
        let phone = Browser::open(screen);
        phone.language(language);
        phone.goto(&format!("{origin}/"));
        Self { cafe, phone, origin }
    }

    /// One of a drink, as it usually is.
    pub(crate) fn adds(&self, drink: &str) {
        self.phone.click(css(&format!(".card[data-drink={drink}]")));
        self.phone.click(css("#drink .primary"));
        self.phone.see_gone(css("#drink[open]"));
    }

    pub(crate) fn opens_the_cart(&self) {
        self.phone.click(css("#open-cart"));
        self.phone.see(css("#cart[open]"));
    }

    /// Chooses a card that behaves as the simulator's token says, and pays.
    pub(crate) fn pays_with(&self, token: &str) {
        self.phone.run("document.getElementById('card').value = arguments[0]", &[token.into()]);
        self.phone.click(css("#pay"));
    }

    /// Waits until the order's page shows this status.
    pub(crate) fn sees(&self, status: &str) {
        self.phone.see(css(&format!("main[data-status={status}]")));
    }

    /// Every order there is.
    pub(crate) fn orders(&self) -> Vec<Value> {
        let answer =
            http::get(self.cafe.port(Service::Order), "/orders", Some(&self.cafe.staff_key())).unwrap();
        answer.json()["orders"].as_array().unwrap().clone()
    }

    /// Nothing went wrong on the way, and nobody else was asked.
    pub(crate) fn had_no_trouble(&self) {
        assert_eq!(self.phone.console_errors(), [""; 0]);
        assert_eq!(self.phone.foreign_requests(&[&self.origin]), [""; 0]);
    }

    pub(crate) fn clicks(&self, name: &str) {
        self.phone.click(button(name));
    }
}
