//! The body of `POST /orders`.
//!
//! Whatever comes, it is either an order or a problem that says what is wrong. An order has 1 to 50 lines of 1 to 99 drinks at
//! the menu's prices and a total that is their sum; the same wish in another spelling is the same order to an
//! `Idempotency-Key`, and another wish is not; and what is announced of it can be read by those who listen.

use std::sync::LazyLock;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use cafe_clock::from_ms;
use cafe_events::{Currency, Event, OrderId, OrderLine, Record, Said, Source};
use cafe_order::menu::Menu;
use cafe_order::order::{NewOrder, Order};
use cafe_order::wish::{Fault, LINES_MAX, QUANTITY_MAX, Wish};
use cafe_web::{JsonBody, Problem};
use serde_json::Value;

use crate::problem::must_be_plain;
use crate::wait;

static MENU: LazyLock<Menu> = LazyLock::new(Menu::built_in);

/// Reads, prices and announces an order.
pub fn check(body: &[u8]) {
    match read(body.to_vec()) {
        Ok(wish) => {
            assert_eq!(
                read(respelled(body)).as_ref().ok(),
                Some(&wish),
                "in another spelling it is another wish"
            );
            priced(wish);
        }
        Err(problem) => must_be_plain(problem.into_response(), &[400, 413, 422]),
    }
}

/// As the service's address does.
fn read(body: Vec<u8>) -> Result<Wish, Problem> {
    let request = Request::post("/orders").header(CONTENT_TYPE, "application/json").body(Body::from(body));
    let request = request.expect("the head is always the same");
    wait(JsonBody::<Wish>::from_request(request, &())).map(|JsonBody(wish)| wish)
}

/// The same JSON: its fields in another order, other white space, other escapes.
fn respelled(body: &[u8]) -> Vec<u8> {
    let json: Value = serde_json::from_slice(body).expect("what is read as a wish is JSON");
    assert!(json.is_object(), "only an object is an order");
    serde_json::to_vec_pretty(&json).expect("JSON can be written")
}

fn priced(wish: Wish) {
    let vendors = ["simulator".to_owned()];
    match wish.price(&MENU, &vendors) {
        Ok(priced) => {
            assert!((1..=LINES_MAX).contains(&priced.lines.len()));
            assert_eq!(priced.lines.len(), wish.items.len());
            priced.lines.iter().for_each(costs_what_the_menu_says);
            assert_eq!(priced.total, priced.lines.iter().map(|line| line.price).sum::<i64>());
            let store = wish.store.clone().unwrap_or_else(|| "main".to_owned());
            let hash = wish.body_hash(&MENU, &store);
            let order = NewOrder {
                store,
                lines: priced.lines,
                takeout: wish.takeout,
                total: priced.total,
                currency: Currency::KRW,
                payment: wish.payment,
                pay_within: Duration::from_mins(10),
            };
            assert_eq!(order.body_hash(), hash, "what is repeated is known by the wish as by the order");
            is_told_from_another(&order);
            is_announced(&order);
        }
        Err(faults) => assert!(!faults.is_empty() && faults.iter().all(names_its_field), "{faults:?}"),
    }
}

fn costs_what_the_menu_says(line: &OrderLine) {
    let drink = MENU.find(&line.menu).expect("what is ordered is on the menu");
    assert!((1..=QUANTITY_MAX).contains(&line.quantity));
    assert_eq!(line.unit_price, drink.sizes[&line.size]);
    assert_eq!(line.price, line.unit_price * i64::from(line.quantity));
}

fn names_its_field(fault: &Fault) -> bool {
    let place = fault.field.split(['[', '.']).next();
    !fault.right.is_empty() && place.is_some_and(|place| ["items", "payment", "store"].contains(&place))
}

fn is_told_from_another(order: &NewOrder) {
    let mut lines = order.lines.to_vec();
    lines[0].quantity = lines[0].quantity % QUANTITY_MAX + 1;
    let another = NewOrder { lines: lines.into(), ..order.clone() };
    assert_ne!(another.body_hash(), order.body_hash());
    // For a repeated request the menu may have other prices than it had.
    let dearer = NewOrder { total: order.total + 1, ..order.clone() };
    assert_eq!(dearer.body_hash(), order.body_hash());
}

fn is_announced(new: &NewOrder) {
    let (order_id, at) = (OrderId::from_u128(1), from_ms(1_764_000_000_000));
    let (order, event) = Order::place(new, "0001".to_owned(), "2026-11-28".to_owned(), at);
    let event = Event::Order(event);
    let record = Record::write(&event, order_id, &order.store, 1, at, None);
    let heard = record.read(Source::Order).expect("what is announced can be read");
    assert_eq!((heard.said, heard.store), (Said::Known(event), order.store));
}
