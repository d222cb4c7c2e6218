//! What a customer does, again and again.

use cafe_system_tests::{Cafe, Service};
use serde_json::Value;

use crate::{Browser, Screen, button, css, staff};

/// A customer with a phone in front of a cafe.
#[derive(Debug)]
pub struct Customer {
    /// The cafe.
    pub cafe: Cafe,
    /// What shows the customer's page.
    pub phone: Browser,
    /// Where the shop is, such as `http://127.0.0.1:3000`.
    pub origin: String,
}

impl Customer {
    /// Opens a cafe with these flags, and its shop on a screen, for somebody who reads `language`.
    #[track_caller]
    pub fn enters(flags: &[&str], screen: Screen, language: &str) -> Self {
        Self::enters_by("127.0.0.1", flags, screen, language)
    }

    /// As [`Self::enters`], for somebody who calls the cafe's machine by `host`.
    #[track_caller]
    pub fn enters_by(host: &str, flags: &[&str], screen: Screen, language: &str) -> Self {
        let cafe = Cafe::up_beside_others(flags);
        let origin = format!("http://{host}:{}", cafe.port(Service::Order));
        let phone = Browser::open(screen);
        phone.language(language);
        phone.goto(&format!("{origin}/"));
        Self { cafe, phone, origin }
    }

    /// Opens what there is to choose of a drink.
    #[track_caller]
    pub fn looks_at(&self, drink: &str) {
        self.phone.click(css(&format!(".card[data-drink={drink}]")));
        self.phone.see(css("#drink[open]"));
    }

    /// Puts into the cart what is looked at.
    #[track_caller]
    pub fn takes_it(&self) {
        self.phone.click(css("#drink .primary"));
        self.phone.see_gone(css("#drink[open]"));
    }

    /// One of a drink, as it usually is.
    #[track_caller]
    pub fn adds(&self, drink: &str) {
        self.looks_at(drink);
        self.takes_it();
    }

    /// Looks at what was chosen.
    #[track_caller]
    pub fn opens_the_cart(&self) {
        self.phone.click(css("#open-cart"));
        self.phone.see(css("#cart[open]"));
    }

    /// Chooses a card that behaves as the simulator's token says, and pays.
    #[track_caller]
    pub fn pays_with(&self, token: &str) {
        self.phone.run("document.getElementById('card').value = arguments[0]", &[token.into()]);
        self.phone.click(css("#pay"));
    }

    /// Clicks the button of this name.
    #[track_caller]
    pub fn clicks(&self, name: &str) {
        self.phone.click(button(name));
    }

    /// Waits until the order's page shows this status.
    #[track_caller]
    pub fn sees(&self, status: &str) {
        self.phone.see(css(&format!("main[data-status={status}]")));
    }

    /// Every order there is.
    #[track_caller]
    pub fn orders(&self) -> Vec<Value> {
        self.cafe.all(Service::Order, "orders")
    }

    /// Staff do something with an order: `start`, `lines/1/ready`, …
    #[track_caller]
    pub fn staff(&self, order: &str, what: &str) -> Value {
        staff::does(&self.cafe, order, what)
    }

    /// Nothing went wrong on the way, and nobody else was asked.
    #[track_caller]
    pub fn had_no_trouble(&self) {
        assert_eq!(self.phone.console_errors(), [""; 0]);
        assert_eq!(self.phone.foreign_requests(&[&self.origin]), [""; 0]);
    }
}
