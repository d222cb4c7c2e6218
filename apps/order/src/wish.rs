//! What a customer asks for, and what it comes to. Pure: prices come from the menu, never from the customer.

use std::sync::Arc;

use cafe_events::{OrderLine, PaymentChoice, Size};
use serde::{Deserialize, Deserializer, de};

use crate::menu::{Drink, Menu};
use crate::order::{WishedLine, body_hash};

/// The most lines in an order.
pub const LINES_MAX: usize = 50;
/// The most of one drink in a line.
pub const QUANTITY_MAX: u32 = 99;

/// The body of `POST /orders`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    /// What to make, 1 to 50 lines.
    #[schema(min_items = 1, max_items = 50)]
    pub items: Vec<Item>,
    /// To go, rather than here.
    #[serde(default)]
    pub takeout: bool,
    /// What the customer was told that it comes to, in minor units: at other prices it is not taken.
    #[serde(default)]
    pub expected_total: Option<i64>,
    /// How it is paid.
    #[serde(with = "Payment")]
    #[schema(value_type = Payment)]
    pub payment: PaymentChoice,
    /// Which store makes it; the cafe's own when absent.
    #[serde(default)]
    #[schema(pattern = "^[A-Za-z0-9_.-]{1,64}$")]
    pub store: Option<String>,
}

/// A line of [`Wish`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// The drink's key in the menu.
    #[schema(example = "americano")]
    pub menu: String,
    /// Medium when absent, where the drink has it.
    #[serde(default)]
    pub size: Option<Size>,
    /// How many; 1 when absent.
    #[serde(default = "one", deserialize_with = "quantity")]
    #[schema(minimum = 1, maximum = 99)]
    pub quantity: u32,
    /// As the order when absent.
    #[serde(default)]
    pub takeout: Option<bool>,
    /// Always empty: the menu has no options yet.
    #[serde(default)]
    #[schema(max_items = 0)]
    pub options: Vec<String>,
}

// From a customer a field that is not known is a mistake; in an event it is one that a newer program added, and passed over.
/// How a customer pays.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(remote = "PaymentChoice", deny_unknown_fields)]
#[schema(as = PaymentChoice)]
struct Payment {
    /// The vendor that is asked, such as `simulator`.
    #[schema(example = "simulator", max_length = 64)]
    vendor: String,
    /// The vendor's one-time proof from the customer's side, such as the simulator's `tok_ok`.
    #[serde(default)]
    #[schema(example = "tok_ok", max_length = 256)]
    token: Option<String>,
}

/// What is wrong with one field of a wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Its path, such as `items[0].quantity`.
    pub field: String,
    /// What would be right.
    pub right: String,
}

/// A wish that is right, at the menu's prices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Priced {
    /// At least one.
    pub lines: Arc<[OrderLine]>,
    /// Sum of the lines' prices, in minor units.
    pub total: i64,
}

impl Wish {
    /// A complete example, for whoever sends nothing.
    pub fn example() -> serde_json::Value {
        serde_json::json!({
            "items": [
                { "menu": "americano", "size": "large", "quantity": 2 },
                { "menu": "latte", "quantity": 1 },
            ],
            "takeout": true,
            "payment": { "vendor": "simulator", "token": "tok_ok" },
        })
    }

    /// Prices the wish from the menu, or names everything that is wrong with it.
    pub fn price(&self, menu: &Menu, vendors: &[String]) -> Result<Priced, Vec<Fault>> {
        let mut faults = self.faults(vendors);
        let mut lines = Vec::with_capacity(self.items.len().min(LINES_MAX));
        for (place, item) in self.items.iter().enumerate().take(LINES_MAX) {
            match self.line(place, item, menu) {
                Ok(line) => lines.push(line),
                Err(fault) => faults.push(fault),
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let total = lines.iter().map(|line| line.price).sum();
        Ok(Priced { lines: lines.into(), total })
    }

    /// What [`NewOrder::body_hash`](crate::order::NewOrder::body_hash) was, if this was taken before: also where the menu has changed
    /// so that it would not be taken now.
    pub fn body_hash(&self, menu: &Menu, store: &str) -> String {
        let wished = self.items.iter().map(|item| {
            let usual = || menu.find(&item.menu).map_or(Size::Medium, Drink::usual_size);
            let size = item.size.unwrap_or_else(usual);
            let takeout = item.takeout.unwrap_or(self.takeout);
            WishedLine(&item.menu, size, item.quantity, &item.options, takeout)
        });
        body_hash(store, wished, self.takeout, &self.payment)
    }

    fn faults(&self, vendors: &[String]) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut fault = |field: &str, right: String| faults.push(Fault { field: field.to_owned(), right });
        if !(1..=LINES_MAX).contains(&self.items.len()) {
            fault("items", format!("has {} lines; must be 1 to {LINES_MAX}", self.items.len()));
        }
        if !vendors.contains(&self.payment.vendor) {
            fault("payment.vendor", format!("must be one of: {}", vendors.join(", ")));
        }
        if self.payment.token.as_deref().is_some_and(|token| !is_printable(token, 256)) {
            fault("payment.token", "must be 1 to 256 printable ASCII characters".to_owned());
        }
        if self.store.as_deref().is_some_and(|store| !is_store_name(store)) {
            fault("store", STORE_RIGHT.to_owned());
        }
        faults
    }

    fn line(&self, place: usize, item: &Item, menu: &Menu) -> Result<OrderLine, Fault> {
        let fault = |field: &str, right: String| Fault { field: format!("items[{place}].{field}"), right };
        let Some(drink) = menu.find(&item.menu) else {
            return Err(fault("menu", format!("is not on the menu; must be one of: {}", keys(menu))));
        };
        let size = item.size.unwrap_or_else(|| drink.usual_size());
        let Some(unit_price) = drink.sizes.get(&size).copied() else {
            return Err(fault("size", format!("{} comes in: {}", drink.menu, sizes(drink))));
        };
        if !(1..=QUANTITY_MAX).contains(&item.quantity) {
            return Err(fault("quantity", format!("must be a whole number from 1 to {QUANTITY_MAX}")));
        }
        if !item.options.is_empty() {
            return Err(fault("options", "must be empty: the menu has no options yet".to_owned()));
        }
        Ok(OrderLine {
            line_id: place as u16 + 1,
            menu: drink.menu.clone(),
            name: drink.name.clone(),
            size,
            quantity: item.quantity,
            options: Vec::new(),
            takeout: item.takeout.unwrap_or(self.takeout),
            unit_price,
            price: unit_price * i64::from(item.quantity),
            making_ms: drink.making_ms,
        })
    }
}

/// What a store's name must look like.
pub const STORE_RIGHT: &str = "must be 1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-'";

/// Whether `store` can be a store's name.
pub fn is_store_name(store: &str) -> bool {
    let plain = |letter: u8| letter.is_ascii_alphanumeric() || b"._-".contains(&letter);
    (1..=64).contains(&store.len()) && store.bytes().all(plain)
}

/// Whether `text` is 1 to `max` printable ASCII characters.
pub fn is_printable(text: &str, max: usize) -> bool {
    (1..=max).contains(&text.len()) && text.bytes().all(|letter| (b' '..=b'~').contains(&letter))
}

fn keys(menu: &Menu) -> String {
    let keys: Vec<_> = menu.drinks().iter().map(|drink| drink.menu.as_str()).collect();
    keys.join(", ")
}

fn sizes(drink: &Drink) -> String {
    let sizes: Vec<_> = drink.sizes.keys().map(|size| format!("{size:?}").to_lowercase()).collect();
    sizes.join(", ")
}

fn one() -> u32 {
    1
}

/// Whatever is not a whole number in range is refused with the range, be it -1, 1.5, 1e9 or "2".
fn quantity<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    struct Quantity;

    impl de::Visitor<'_> for Quantity {
        type Value = u32;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "a whole number from 1 to {QUANTITY_MAX}")
        }

        fn visit_u64<E: de::Error>(self, number: u64) -> Result<u32, E> {
            match u32::try_from(number) {
                Ok(quantity) if (1..=QUANTITY_MAX).contains(&quantity) => Ok(quantity),
                _ => Err(E::invalid_value(de::Unexpected::Unsigned(number), &self)),
            }
        }
    }

    deserializer.deserialize_u64(Quantity)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(change: impl FnOnce(&mut serde_json::Value)) -> Result<Priced, Vec<Fault>> {
        let mut body = Wish::example();
        change(&mut body);
        serde_json::from_value::<Wish>(body).unwrap().price(&Menu::built_in(), &["simulator".to_owned()])
    }

    fn fault(change: impl FnOnce(&mut serde_json::Value)) -> (String, String) {
        let fault = wish(change).unwrap_err().remove(0);
        (fault.field, fault.right)
    }

    #[test]
    fn the_example_costs_what_the_menu_says() {
        let priced = wish(|_| {}).unwrap();
        assert_eq!(priced.total, 2 * 3500 + 4000);
        assert_eq!(priced.lines[0].price, 7000);
        assert_eq!((priced.lines[1].line_id, priced.lines[1].size), (2, Size::Medium));
        assert!(priced.lines.iter().all(|line| line.takeout));
    }

    #[test]
    fn a_line_may_be_for_here_in_an_order_to_go() {
        let priced = wish(|body| body["items"][1]["takeout"] = false.into()).unwrap();
        assert_eq!([priced.lines[0].takeout, priced.lines[1].takeout], [true, false]);
    }

    #[test]
    fn every_fault_names_its_field_and_what_is_right() {
        let (field, right) = fault(|body| body["items"] = serde_json::json!([]));
        assert_eq!((field.as_str(), right.as_str()), ("items", "has 0 lines; must be 1 to 50"));
        let line = Wish::example()["items"][0].clone();
        assert_eq!(fault(|body| body["items"] = vec![line; 51].into()).0, "items");
        let (field, right) = fault(|body| body["items"][1]["menu"] = "gin".into());
        assert_eq!(field, "items[1].menu");
        assert!(right.contains("espresso, americano"), "{right}");
        assert_eq!(fault(|body| body["items"][1]["options"] = vec!["oat"].into()).0, "items[1].options");
        assert_eq!(fault(|body| body["payment"]["vendor"] = "bank".into()).1, "must be one of: simulator");
        assert_eq!(fault(|body| body["payment"]["token"] = "".into()).0, "payment.token");
        assert_eq!(fault(|body| body["store"] = "a b".into()).0, "store");
    }

    #[test]
    fn a_size_that_a_drink_does_not_have_is_answered_with_those_that_it_has() {
        let menu = "[[drink]]\nmenu='latte'\nname={en='Latte',ko='라떼'}\nprice=1\nmaking_ms=1\nsizes=['small','medium']";
        let mut body = Wish::example();
        body["items"] = serde_json::json!([{"menu":"latte","size":"large"}]);
        let wish: Wish = serde_json::from_value(body).unwrap();
        let faults = wish.price(&Menu::parse(menu).unwrap(), &["simulator".to_owned()]).unwrap_err();
        assert_eq!(faults[0].right, "latte comes in: small, medium");
    }

    #[test]
    fn everything_that_is_wrong_is_named_at_once() {
        let faults = wish(|body| {
            body["items"][0]["menu"] = "gin".into();
            body["items"][1]["menu"] = "rum".into();
        });
        assert_eq!(faults.unwrap_err().len(), 2);
    }

    #[test]
    fn a_quantity_is_a_whole_number_in_range() {
        for quantity in
            ["0", "-1", "100", "1e9", "1000000000", "1.5", "\"2\"", "null", "18446744073709551616"]
        {
            let item = format!(r#"{{"menu":"latte","quantity":{quantity}}}"#);
            let error = serde_json::from_str::<Item>(&item).unwrap_err().to_string();
            assert!(error.contains("a whole number from 1 to 99"), "{quantity}: {error}");
        }
        assert_eq!(serde_json::from_str::<Item>(r#"{"menu":"latte"}"#).unwrap().quantity, 1);
    }

    #[test]
    fn the_largest_order_fits() {
        let menu = "[[drink]]\nmenu='gold'\nname={en='Gold',ko='금'}\nprice=1000000000\nmaking_ms=1";
        let mut body = Wish::example();
        body["items"] = vec![serde_json::json!({"menu":"gold","quantity":99}); 50].into();
        let wish: Wish = serde_json::from_value(body).unwrap();
        let priced = wish.price(&Menu::parse(menu).unwrap(), &["simulator".to_owned()]).unwrap();
        assert_eq!(priced.total, 50 * 99 * 1_000_000_000);
    }
}
