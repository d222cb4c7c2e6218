//! The rows of each service, in memory instead of in SQL: what a turn loads and writes.

use std::sync::Arc;

use cafe_barista::{Barista, Loaded, Queue, Ticket};
use cafe_clock::from_ms;
use cafe_delivery::{Domain, Head};
use cafe_events::OrderId;
use cafe_order::numbers::DayNumbers;
use cafe_order::order::Order;
use cafe_order::{KeyRow, OrderTables, Orders};
use cafe_payment::domain::{Cashier, Payments};
use cafe_payment::payment::Payment;
use jiff::civil::Date;

use crate::table::{Table, Transactional, transactional};

/// A service whose own rows can be kept in memory.
pub trait Shelved: Domain {
    /// Its rows.
    type Shelf: Transactional + Clone + Default + Send;

    /// Loads every row that is wanted.
    fn load(shelf: &Self::Shelf, head: &Head, rows: &mut Self::Tables);

    /// Writes every row that changed.
    fn write(shelf: &mut Self::Shelf, rows: &Self::Tables);
}

/// The order service's rows.
#[derive(Clone, Default)]
pub struct OrderShelf {
    /// By id.
    pub orders: Table<OrderId, Arc<Order>>,
    /// By store and key.
    pub keys: Table<(String, String), KeyRow>,
    /// By store and day.
    pub numbers: Table<(String, Date), DayNumbers>,
    /// What customers' tokens are made from.
    pub secret: Table<(), String>,
}

/// The payment service's rows.
#[derive(Clone, Default)]
pub struct PaymentShelf {
    /// By order.
    pub payments: Table<OrderId, Payment>,
}

/// The barista service's rows.
#[derive(Clone, Default)]
pub struct BaristaShelf {
    /// By order.
    pub tickets: Table<OrderId, Arc<Ticket>>,
    /// By store.
    pub queues: Table<String, Queue>,
}

impl Shelved for Orders {
    type Shelf = OrderShelf;

    fn load(shelf: &OrderShelf, head: &Head, rows: &mut OrderTables) {
        for key in rows.keys.wanted() {
            let row = shelf.keys.get(&key).cloned();
            if let Some(row) = &row {
                rows.orders.need(row.order_id);
            }
            rows.keys.fill(key, row);
        }
        for order_id in rows.orders.wanted() {
            rows.orders.fill(order_id, shelf.orders.get(&order_id).cloned());
        }
        for store in rows.numbers.wanted() {
            rows.restored_at = head.restored_at_ms.map(from_ms);
            let days = (store.clone(), Date::MIN)..=(store.clone(), Date::MAX);
            let latest = shelf.numbers.range(days).next_back().map(|(_, numbers)| numbers.clone());
            rows.numbers.fill(store, latest);
        }
        for () in rows.token_secret.wanted() {
            rows.token_secret.fill((), shelf.secret.get(&()).cloned());
        }
    }

    fn write(shelf: &mut OrderShelf, rows: &OrderTables) {
        for (order_id, order) in rows.orders.changed() {
            shelf.orders.put(*order_id, Arc::clone(order));
        }
        for (key, row) in rows.keys.changed() {
            shelf.keys.put(key.clone(), row.clone());
        }
        for (store, numbers) in rows.numbers.changed() {
            shelf.numbers.put((store.clone(), numbers.day), numbers.clone());
        }
        for ((), secret) in rows.token_secret.changed() {
            shelf.secret.put((), secret.clone());
        }
        if let Some(before) = rows.forget_keys_before {
            let old = shelf.keys.iter().filter(|(_, row)| row.used_at < before);
            let old: Vec<_> = old.map(|(key, _)| key.clone()).collect();
            for key in &old {
                shelf.keys.remove(key);
            }
        }
    }
}

impl Shelved for Cashier {
    type Shelf = PaymentShelf;

    fn load(shelf: &PaymentShelf, _head: &Head, rows: &mut Payments) {
        for order_id in rows.payments.wanted() {
            rows.payments.fill(order_id, shelf.payments.get(&order_id).cloned());
        }
    }

    fn write(shelf: &mut PaymentShelf, rows: &Payments) {
        for (order_id, payment) in rows.payments.changed() {
            shelf.payments.put(*order_id, payment.clone());
        }
    }
}

impl Shelved for Barista {
    type Shelf = BaristaShelf;

    fn load(shelf: &BaristaShelf, _head: &Head, rows: &mut Loaded) {
        for order_id in rows.tickets.wanted() {
            rows.tickets.fill(order_id, shelf.tickets.get(&order_id).cloned());
        }
        for store in rows.queues.wanted() {
            let queue = shelf.queues.get(&store).copied();
            rows.queues.fill(store, queue);
        }
    }

    fn write(shelf: &mut BaristaShelf, rows: &Loaded) {
        for (order_id, ticket) in rows.tickets.changed() {
            shelf.tickets.put(*order_id, Arc::clone(ticket));
        }
        for (store, queue) in rows.queues.changed() {
            shelf.queues.put(store.clone(), *queue);
        }
    }
}

transactional!([] OrderShelf { orders, keys, numbers, secret });
transactional!([] PaymentShelf { payments });
transactional!([] BaristaShelf { tickets, queues });
