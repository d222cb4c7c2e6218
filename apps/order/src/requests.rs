//! What the order service is asked, and what it answers: one function per request. Pure.

use std::sync::Arc;

use cafe_delivery::{Announcement, Turn};
use cafe_events::{Event, OrderId, Party};
use jiff::Timestamp;

use crate::numbers::{DayNumbers, business_day};
use crate::order::{NewOrder, Order, Refusal, Transition};
use crate::store::{KeyRow, OrderTables};
use crate::{Change, Orders};

/// What is asked of the order service.
#[derive(Clone, Debug)]
pub enum Request {
    /// Take an order.
    Place(PlaceOrder),
    /// Answer what was taken under this key before; nothing new is taken.
    Repeat {
        /// The store that it was asked of.
        store: String,
        /// What the customer sent.
        key: IdempotencyKey,
    },
    /// Undo an order.
    Cancel {
        /// Which.
        order_id: OrderId,
        /// Who asks.
        by: Party,
        /// In their words.
        reason: Option<String>,
    },
    /// Tell the secret that customers' tokens are made from; this one becomes it if there is none yet.
    TokenSecret(String),
    /// Forget Idempotency-Keys that were used before then, a bounded number of them.
    ForgetKeys {
        /// Keys used from then on stay.
        before: Timestamp,
    },
}

/// An order to take, priced and under a new id.
#[derive(Clone, Debug)]
pub struct PlaceOrder {
    /// Never used before.
    pub order_id: OrderId,
    /// What is ordered.
    pub order: NewOrder,
    /// The customer's Idempotency-Key, if one was sent.
    pub key: Option<IdempotencyKey>,
}

/// What tells a repeated request from a new one, within a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// As the customer sent it.
    pub key: String,
    /// Of the canonical body, so that the same key with another body is noticed.
    pub body_hash: String,
}

/// What the order service answers, once it is on disk.
#[derive(Clone, Debug)]
pub enum Answer {
    /// The order, taken now or, under the same Idempotency-Key, before.
    Placed {
        /// Its id.
        order_id: OrderId,
        /// As it is now.
        order: Arc<Order>,
        /// Taken before.
        repeated: bool,
    },
    /// The Idempotency-Key was used with another body.
    KeyUsed,
    /// Nothing was taken under this Idempotency-Key.
    NotTaken,
    /// The order after a cancel was asked for now ([`Transition::Changed`]) or before.
    CancelAsked {
        /// As it is now.
        order: Arc<Order>,
        /// Asked for before.
        already: bool,
    },
    /// It cannot be cancelled.
    Refused(Refusal),
    /// There is no such order.
    NoSuchOrder,
    /// The secret of customers' tokens.
    TokenSecret(String),
    /// Some keys were forgotten.
    Forgotten,
}

/// Names the rows that a request looks at.
pub(crate) fn needs(request: &Request, tables: &mut OrderTables) {
    match request {
        Request::Place(place) => {
            // A new id cannot have a row: looking for it would cost a query per order.
            tables.orders.fill(place.order_id, None);
            tables.numbers.need(place.order.store.clone());
            if let Some(key) = &place.key {
                tables.keys.need((place.order.store.clone(), key.key.clone()));
            }
        }
        Request::Repeat { store, key } => tables.keys.need((store.clone(), key.key.clone())),
        Request::Cancel { order_id, .. } => tables.orders.need(*order_id),
        Request::TokenSecret(_) => tables.token_secret.need(()),
        Request::ForgetKeys { .. } => {}
    }
}

pub(crate) fn decide(
    domain: &Orders,
    tables: &mut OrderTables,
    request: &Request,
    now: Timestamp,
    turn: &mut Turn<Change>,
) -> Answer {
    match request {
        Request::Place(place) => decide_place(domain, tables, place, now, turn),
        Request::Repeat { store, key } => repeated(tables, store, key).unwrap_or(Answer::NotTaken),
        Request::Cancel { order_id, by, reason } => {
            decide_cancel(tables, *order_id, *by, reason.clone(), now, turn)
        }
        Request::TokenSecret(candidate) => decide_token_secret(tables, candidate),
        Request::ForgetKeys { before } => {
            tables.forget_keys_before = Some(*before);
            Answer::Forgotten
        }
    }
}

fn decide_place(
    domain: &Orders,
    tables: &mut OrderTables,
    place: &PlaceOrder,
    now: Timestamp,
    turn: &mut Turn<Change>,
) -> Answer {
    let store = &place.order.store;
    if let Some(answer) = place.key.as_ref().and_then(|key| repeated(tables, store, key)) {
        return answer;
    }
    let restored = tables.restored_at.map(|at| (at.as_millisecond(), business_day(at, &domain.zone)));
    let numbers = DayNumbers::next(tables.numbers.get(store), business_day(now, &domain.zone), restored);
    let (order, event) = Order::place(&place.order, numbers.called(), numbers.day.to_string(), now);
    tables.numbers.put(store.clone(), numbers);
    if let Some(IdempotencyKey { key, body_hash }) = &place.key {
        let row = KeyRow { body_hash: body_hash.clone(), order_id: place.order_id, used_at: now };
        tables.keys.put((store.clone(), key.clone()), row);
    }
    announce(turn, place.order_id, &order, now, Event::Order(event));
    let order = keep(tables, turn, place.order_id, order, None);
    Answer::Placed { order_id: place.order_id, order, repeated: false }
}

fn repeated(tables: &OrderTables, store: &str, key: &IdempotencyKey) -> Option<Answer> {
    let row = tables.keys.get(&(store.to_owned(), key.key.clone()))?;
    if row.body_hash != key.body_hash {
        return Some(Answer::KeyUsed);
    }
    let order = tables.orders.get(&row.order_id)?;
    Some(Answer::Placed { order_id: row.order_id, order: Arc::clone(order), repeated: true })
}

fn decide_cancel(
    tables: &mut OrderTables,
    order_id: OrderId,
    by: Party,
    reason: Option<String>,
    now: Timestamp,
    turn: &mut Turn<Change>,
) -> Answer {
    let Some(stored) = tables.orders.get(&order_id).filter(|order| order.placed.is_some()) else {
        return Answer::NoSuchOrder;
    };
    let before = Arc::clone(stored);
    let mut order = Order::clone(&before);
    match order.cancel(by, reason, now) {
        Ok(Transition::Changed(event)) => {
            announce(turn, order_id, &order, now, Event::Order(event));
            let order = keep(tables, turn, order_id, order, Some(&before));
            Answer::CancelAsked { order, already: false }
        }
        Ok(Transition::AlreadyDone) => Answer::CancelAsked { order: before, already: true },
        Err(refusal) => Answer::Refused(refusal),
    }
}

fn decide_token_secret(tables: &mut OrderTables, candidate: &str) -> Answer {
    if let Some(secret) = tables.token_secret.get(&()) {
        return Answer::TokenSecret(secret.clone());
    }
    tables.token_secret.put((), candidate.to_owned());
    Answer::TokenSecret(candidate.to_owned())
}

fn announce(turn: &mut Turn<Change>, order_id: OrderId, order: &Order, at: Timestamp, event: Event) {
    turn.announce(Announcement { order_id, store: order.store.clone(), version: order.version, at, event });
}

/// Keeps the order as it is now, and has whoever watches it told.
pub(crate) fn keep(
    tables: &mut OrderTables,
    turn: &mut Turn<Change>,
    order_id: OrderId,
    order: Order,
    before: Option<&Order>,
) -> Arc<Order> {
    turn.after_commit(Change {
        order_id,
        placed_at: order.placed.as_ref().map(|placed| placed.at),
        before: before.map(Order::status),
        after: order.status(),
    });
    let order = Arc::new(order);
    tables.orders.put(order_id, Arc::clone(&order));
    order
}
