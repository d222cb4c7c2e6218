//! Every SQL statement of the barista service.

use std::sync::Arc;

use cafe_delivery::Tables;
use cafe_events::OrderId;
use cafe_store::{Connection, Error, Migration, Row};
use jiff::Timestamp;

use crate::domain::{Barista, Loaded};
use crate::queue::Queue;
use crate::ticket::Ticket;

/// A ticket and whose it is.
pub type Page = Vec<(OrderId, Arc<Ticket>)>;

/// How many open tickets there are of one status, and since when the first of them waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OpenCount {
    pub(crate) status: String,
    pub(crate) tickets: i64,
    pub(crate) oldest_queued_at: Timestamp,
}

impl Tables for Barista {
    const MIGRATIONS: &'static [Migration] =
        &[Migration { name: "barista/0001_tickets", sql: include_str!("../migrations/0001_tickets.sql") }];

    fn load(db: &mut Connection, tables: &mut Loaded) -> Result<(), Error> {
        for order_id in tables.tickets.wanted() {
            let ticket = ticket(db, order_id)?;
            tables.tickets.fill(order_id, ticket);
        }
        for store in tables.queues.wanted() {
            let last_sequence = db.query_one(
                "SELECT last_sequence FROM queues WHERE store = $1",
                &[(&store).into()],
                |row| row.int(0),
            )?;
            tables.queues.fill(store, last_sequence.map(|last_sequence| Queue { last_sequence }));
        }
        Ok(())
    }

    fn write(db: &mut Connection, tables: &Loaded) -> Result<(), Error> {
        for (order_id, ticket) in tables.tickets.changed() {
            write_ticket(db, *order_id, ticket)?;
        }
        for (store, queue) in tables.queues.changed() {
            db.execute(
                "INSERT INTO queues (store, last_sequence) VALUES ($1, $2)
                 ON CONFLICT (store) DO UPDATE SET last_sequence = excluded.last_sequence",
                &[store.into(), queue.last_sequence.into()],
            )?;
        }
        Ok(())
    }
}

fn write_ticket(db: &mut Connection, order_id: OrderId, ticket: &Ticket) -> Result<(), Error> {
    let mut text = uuid::Uuid::encode_buffer();
    let id: &str = order_id.hyphenated().encode_lower(&mut text);
    let state = serde_json::to_string(ticket).map_err(|error| Error::Refused(error.to_string()))?;
    let open_status = ticket.status.is_open().then(|| ticket.status.name());
    let ready_at_ms = ticket.ready_at.filter(|_| ticket.status.is_open()).map(Timestamp::as_millisecond);
    db.execute(
        "INSERT INTO tickets (order_id, store, sequence, queued_at_ms, open_status, ready_at_ms, state)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (order_id) DO UPDATE
         SET open_status = excluded.open_status, ready_at_ms = excluded.ready_at_ms, state = excluded.state",
        &[
            id.into(),
            (&ticket.store).into(),
            ticket.sequence.into(),
            ticket.queued_at.as_millisecond().into(),
            open_status.into(),
            ready_at_ms.into(),
            state.as_str().into(),
        ],
    )
    .map(drop)
}

/// The ticket of an order.
pub fn ticket(db: &mut Connection, order_id: OrderId) -> Result<Option<Arc<Ticket>>, Error> {
    let id = order_id.to_string();
    db.query_one("SELECT state FROM tickets WHERE order_id = $1", &[(&id).into()], |row| state(row, 0))
}

/// Tickets of every status in order of their order's id, from after `after` (all from the first if it is empty).
pub fn page(db: &mut Connection, after: &str, limit: u32) -> Result<Page, Error> {
    db.query(
        "SELECT order_id, state FROM tickets WHERE order_id > $1 ORDER BY order_id LIMIT $2",
        &[after.into(), limit.into()],
        |row| Ok((order_id(row, 0)?, state(row, 1)?)),
    )
}

/// Open tickets of a store, first in first out, from after the place `after`.
pub(crate) fn open(db: &mut Connection, store: &str, after: i64, limit: u32) -> Result<Page, Error> {
    db.query(
        "SELECT order_id, state FROM tickets
         WHERE open_status IS NOT NULL AND store = $1 AND sequence > $2 ORDER BY sequence LIMIT $3",
        &[store.into(), after.into(), limit.into()],
        |row| Ok((order_id(row, 0)?, state(row, 1)?)),
    )
}

/// Stores that ever had a ticket.
pub(crate) fn stores(db: &mut Connection) -> Result<Vec<String>, Error> {
    db.query("SELECT store FROM queues ORDER BY store", &[], |row| row.text(0))
}

/// Orders whose tickets became ready by `ready_by` and were not picked up since, longest waiting first.
pub(crate) fn ready_since(
    db: &mut Connection,
    ready_by: Timestamp,
    limit: u32,
) -> Result<Vec<OrderId>, Error> {
    db.query(
        "SELECT order_id FROM tickets WHERE ready_at_ms <= $1 ORDER BY ready_at_ms LIMIT $2",
        &[ready_by.as_millisecond().into(), limit.into()],
        |row| order_id(row, 0),
    )
}

/// How much is in all queues together, by status.
pub(crate) fn open_counts(db: &mut Connection) -> Result<Vec<OpenCount>, Error> {
    db.query(
        "SELECT open_status, COUNT(*), MIN(queued_at_ms) FROM tickets
         WHERE open_status IS NOT NULL GROUP BY open_status",
        &[],
        |row| {
            let oldest_queued_at = cafe_clock::from_ms(row.int(2)?);
            Ok(OpenCount { status: row.text(0)?, tickets: row.int(1)?, oldest_queued_at })
        },
    )
}

fn order_id(row: &Row<'_>, column: usize) -> Result<OrderId, Error> {
    OrderId::try_parse(row.str(column)?).map_err(|error| Error::Refused(format!("tickets.order_id: {error}")))
}

fn state(row: &Row<'_>, column: usize) -> Result<Arc<Ticket>, Error> {
    serde_json::from_str(row.str(column)?)
        .map(Arc::new)
        .map_err(|error| Error::Refused(format!("tickets.state: {error}")))
}
