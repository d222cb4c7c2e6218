//! Customers, and what they were told: all that the cafe owes them follows from it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use cafe_delivery::TurnError;
use cafe_events::{Currency, OrderId, OrderLine, PaymentChoice, Size};
use cafe_order::menu::Menu;
use cafe_order::order::NewOrder;
use cafe_order::wish::{Item, Wish};
use cafe_order::{Answer, IdempotencyKey};

/// How long customers have to pay.
pub const PAY_WITHIN: Duration = Duration::from_mins(10);

/// A customer.
#[expect(clippy::struct_excessive_bools, reason = "each is another thing that was said or done")]
pub struct Customer {
    /// What they want.
    pub cart: u8,
    /// Their Idempotency-Key, if they send one.
    pub key: Option<String>,
    /// With the vendor's proof of payment.
    pub proof: bool,
    /// What they were told when their order was taken.
    pub told: Option<Told>,
    /// Their wish to cancel was acknowledged.
    pub cancelled: bool,
    /// They sent their order, and were told neither that it was taken nor that it was not.
    pub is_in_doubt: bool,
    /// The order service was restored from a copy since: it may not know the key any more, and take the order anew.
    pub may_be_forgotten: bool,
    /// Ids under which they were told that nothing was done.
    pub refused: Vec<OrderId>,
}

/// What a customer was told when the order was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Its id.
    pub order_id: OrderId,
    /// What is called out.
    pub number: String,
    /// What it costs, in minor units.
    pub total: i64,
}

struct Cart {
    lines: Arc<[OrderLine]>,
    total: i64,
}

/// How many carts there are.
pub const CARTS: usize = 4;

fn carts() -> &'static [Cart] {
    static PRICED: OnceLock<Vec<Cart>> = OnceLock::new();
    PRICED.get_or_init(|| {
        let menu = Menu::built_in();
        let item = |name: &str, size, quantity| Item {
            menu: name.to_owned(),
            size: Some(size),
            quantity,
            takeout: None,
            options: Vec::new(),
        };
        let wanted = [
            vec![item("americano", Size::Large, 2)],
            vec![item("latte", Size::Medium, 1), item("espresso", Size::Small, 1)],
            vec![
                item("mocha", Size::Medium, 1),
                item("latte", Size::Large, 3),
                item("black_tea", Size::Small, 1),
            ],
            vec![item("espresso", Size::Small, 1)],
        ];
        let price = |items| {
            let payment = PaymentChoice { vendor: "simulator".to_owned(), token: None };
            let wish = Wish { items, takeout: false, expected_total: None, payment, store: None };
            wish.price(&menu, &["simulator".to_owned()])
                .map(|priced| Cart { lines: priced.lines, total: priced.total })
        };
        wanted.into_iter().filter_map(|items| price(items).ok()).collect()
    })
}

impl Customer {
    /// What is ordered, or, `changed`, something else.
    pub fn order(&self, changed: bool) -> NewOrder {
        let carts = carts();
        let cart = &carts[(usize::from(self.cart) + usize::from(changed)) % carts.len()];
        NewOrder {
            store: "main".to_owned(),
            lines: Arc::clone(&cart.lines),
            takeout: false,
            total: cart.total,
            currency: Currency::KRW,
            payment: PaymentChoice {
                vendor: "simulator".to_owned(),
                token: self.proof.then(|| "tok_ok".to_owned()),
            },
            pay_within: PAY_WITHIN,
        }
    }

    /// The key, and what it is used for.
    pub fn idempotency_key(&self, order: &NewOrder) -> Option<IdempotencyKey> {
        self.key.clone().map(|key| IdempotencyKey { key, body_hash: order.body_hash() })
    }
}

impl Customer {
    /// What the order service has answered, to an order under the id that it `places` or to a cancel.
    pub fn hears(
        &mut self,
        places: Option<OrderId>,
        changed: bool,
        answer: Result<Answer, TurnError>,
        broken: &mut Vec<String>,
    ) {
        match (answer, places) {
            (Ok(Answer::Placed { order_id, .. }), Some(_))
                if changed && self.told.is_some() && !self.may_be_forgotten =>
            {
                broken.push(format!("another body under the same key was answered with order {order_id}"));
            }
            // After a restore the key may stand for the other body.
            (Ok(Answer::Placed { .. }), Some(_)) if changed => self.key = None,
            (Ok(Answer::Placed { order_id, order, repeated }), Some(_)) => {
                let Some(placed) = &order.placed else { return };
                let told = Told { order_id, number: placed.number.clone(), total: placed.total };
                match &self.told {
                    None => self.told = Some(told),
                    Some(before) if before.order_id != told.order_id && self.may_be_forgotten => {
                        (self.told, self.cancelled, self.may_be_forgotten) = (Some(told), false, false);
                    }
                    Some(before) if *before != told => {
                        let again = if repeated { "again" } else { "as new" };
                        broken.push(format!(
                            "a customer was told of {before:?}, and then, {again}, of {told:?}"
                        ));
                    }
                    Some(_) => {}
                }
                self.is_in_doubt = false;
            }
            (Ok(Answer::CancelAsked { .. }), None) => self.cancelled = true,
            (Err(TurnError::OutcomeUnknown), Some(_)) => self.is_in_doubt = true,
            // Whoever is told so under their key knows that it was never taken.
            (Ok(Answer::NotTaken), Some(order_id)) => {
                self.refused.push(order_id);
                self.is_in_doubt = false;
            }
            (Err(_), Some(order_id)) => self.refused.push(order_id),
            _ => {}
        }
    }
}

/// How many carts were priced; fewer than [`CARTS`] if the menu has changed.
pub fn priced_carts() -> usize {
    carts().len()
}
