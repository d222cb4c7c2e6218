//! Each service's own rows in memory and in `SQLite`: loaded by the code that production loads them with, and the columns that they
//! are searched by, which follow from them and which no turn loads.

use cafe_barista::{Barista, Loaded, Status, Ticket};
use cafe_delivery::Tables;
use cafe_order::numbers::DayNumbers;
use cafe_order::order::Order;
use cafe_order::{OrderTables, Orders};
use cafe_payment::domain::{Cashier, Payments};
use cafe_payment::payment::Payment;
use cafe_store::{Connection, Error};
use jiff::Timestamp;

use super::compare::{Same, order_id, same_count, same_rows, same_table};
use crate::planted::{Plantable, Planted};
use crate::shelf::{BaristaShelf, OrderShelf, PaymentShelf, Shelved};

/// A service whose rows in `SQLite` can be held against those in memory.
pub trait Twinned: Shelved<Tables: Clone> + Tables {
    /// Every row is wanted, and none is loaded.
    fn all_of(shelf: &Self::Shelf) -> Self::Tables;

    /// What a turn has loaded is the same.
    fn same_loaded(memory: &Self::Tables, sqlite: &Self::Tables) -> Same;

    /// The columns beside the rows themselves are as they follow from them, and there are no other rows.
    fn same_columns(shelf: &Self::Shelf, db: &mut Connection) -> Same;
}

impl Twinned for Orders {
    fn all_of(shelf: &OrderShelf) -> OrderTables {
        let mut tables = OrderTables::default();
        shelf.orders.iter().for_each(|(order_id, _)| tables.orders.need(*order_id));
        shelf.keys.iter().for_each(|(key, _)| tables.keys.need(key.clone()));
        shelf.numbers.iter().for_each(|((store, _), _)| tables.numbers.need(store.clone()));
        tables.token_secret.need(());
        tables
    }

    fn same_loaded(memory: &OrderTables, sqlite: &OrderTables) -> Same {
        same_rows("orders", &memory.orders, &sqlite.orders)?;
        same_rows("idempotency_keys", &memory.keys, &sqlite.keys)?;
        same_rows("day_numbers", &memory.numbers, &sqlite.numbers)?;
        same_rows("secrets", &memory.token_secret, &sqlite.token_secret)
    }

    fn same_columns(shelf: &OrderShelf, db: &mut Connection) -> Same {
        let waiting = |order: &Order| {
            let placed = order.placed.as_ref().filter(|_| order.waits_for_payment())?;
            Some(placed.at.as_millisecond())
        };
        let since: Vec<_> =
            shelf.orders.iter().map(|(order_id, order)| (*order_id, waiting(order))).collect();
        let stored = db.query("SELECT order_id, waiting_since_ms FROM orders", &[], |row| {
            Ok((order_id(row, 0)?, row.opt_int(1)?))
        })?;
        same_table("orders.waiting_since_ms", since.iter().map(|(id, since)| (*id, since)), stored)?;
        let stored = db.query("SELECT store, day, last, skipped_for_ms FROM day_numbers", &[], |row| {
            let day = row.text(1)?.parse().map_err(|error: jiff::Error| Error::Refused(error.to_string()))?;
            Ok(((row.text(0)?, day), DayNumbers { day, last: row.int(2)?, skipped_for_ms: row.int(3)? }))
        })?;
        let numbers = shelf.numbers.iter().map(|(key, numbers)| (key.clone(), numbers));
        same_table("day_numbers", numbers, stored)?;
        same_count("idempotency_keys", shelf.keys.len(), db)?;
        same_count("secrets", shelf.secret.len(), db)
    }
}

impl Twinned for Cashier {
    fn all_of(shelf: &PaymentShelf) -> Payments {
        let mut tables = Payments::default();
        shelf.payments.iter().for_each(|(order_id, _)| tables.payments.need(*order_id));
        tables
    }

    fn same_loaded(memory: &Payments, sqlite: &Payments) -> Same {
        same_rows("payments", &memory.payments, &sqlite.payments)
    }

    fn same_columns(shelf: &PaymentShelf, db: &mut Connection) -> Same {
        let columns = |payment: &Payment| {
            let next = payment.next_task();
            [
                next.map(|(_, lane, _)| lane.number()),
                next.map(|(at, ..)| at.as_millisecond()),
                payment.expires_at().map(Timestamp::as_millisecond),
            ]
        };
        let due: Vec<_> = shelf.payments.iter().map(|(id, payment)| (*id, columns(payment))).collect();
        let stored =
            db.query("SELECT order_id, lane, due_at_ms, expires_at_ms FROM payments", &[], |row| {
                Ok((order_id(row, 0)?, [row.opt_int(1)?, row.opt_int(2)?, row.opt_int(3)?]))
            })?;
        same_table("payments.lane, due_at_ms, expires_at_ms", due.iter().map(|(id, due)| (*id, due)), stored)
    }
}

/// The columns of a ticket that it is searched by.
#[derive(Debug, PartialEq)]
struct Searched {
    store: String,
    sequence: i64,
    queued_at_ms: i64,
    open_status: Option<String>,
    ready_at_ms: Option<i64>,
}

impl Searched {
    fn of(ticket: &Ticket) -> Self {
        let open = Some(ticket.status).filter(|status| status.is_open());
        Self {
            store: ticket.store.clone(),
            sequence: ticket.sequence,
            queued_at_ms: ticket.queued_at.as_millisecond(),
            open_status: open.map(|status: Status| status.name().to_owned()),
            ready_at_ms: open.and(ticket.ready_at).map(Timestamp::as_millisecond),
        }
    }
}

impl Twinned for Barista {
    fn all_of(shelf: &BaristaShelf) -> Loaded {
        let mut tables = Loaded::default();
        shelf.tickets.iter().for_each(|(order_id, _)| tables.tickets.need(*order_id));
        shelf.queues.iter().for_each(|(store, _)| tables.queues.need(store.clone()));
        tables
    }

    fn same_loaded(memory: &Loaded, sqlite: &Loaded) -> Same {
        same_rows("tickets", &memory.tickets, &sqlite.tickets)?;
        same_rows("queues", &memory.queues, &sqlite.queues)
    }

    fn same_columns(shelf: &BaristaShelf, db: &mut Connection) -> Same {
        let sql = "SELECT order_id, store, sequence, queued_at_ms, open_status, ready_at_ms FROM tickets";
        let stored = db.query(sql, &[], |row| {
            let searched = Searched {
                store: row.text(1)?,
                sequence: row.int(2)?,
                queued_at_ms: row.int(3)?,
                open_status: row.opt_text(4)?,
                ready_at_ms: row.opt_int(5)?,
            };
            Ok((order_id(row, 0)?, searched))
        })?;
        let tickets: Vec<_> = shelf.tickets.iter().map(|(id, ticket)| (*id, Searched::of(ticket))).collect();
        same_table("tickets' columns", tickets.iter().map(|(id, columns)| (*id, columns)), stored)?;
        same_count("queues", shelf.queues.len(), db)
    }
}

impl<D: Plantable + Twinned> Twinned for Planted<D> {
    fn all_of(shelf: &D::Shelf) -> D::Tables {
        D::all_of(shelf)
    }

    fn same_loaded(memory: &D::Tables, sqlite: &D::Tables) -> Same {
        D::same_loaded(memory, sqlite)
    }

    fn same_columns(shelf: &D::Shelf, db: &mut Connection) -> Same {
        D::same_columns(shelf, db)
    }
}
