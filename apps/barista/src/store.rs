//! Every SQL statement of the barista service.

use std::sync::Arc;

use cafe_delivery::Tables;
use cafe_events::OrderId;
use cafe_store::Column::{Int, Text};
use cafe_store::{Connection, Error, Find, Migration, Put, Putting, Row, Statements};
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

cafe_store::statements! {
    const TICKET = "SELECT state FROM tickets WHERE order_id = $1";
    const PAGE = "SELECT order_id, state FROM tickets WHERE order_id > $1 ORDER BY order_id LIMIT $2";
    const OPEN = "SELECT order_id, state FROM tickets
         WHERE open_status IS NOT NULL AND store = $1 AND sequence > $2 ORDER BY sequence LIMIT $3";
    const PREPARING = "SELECT order_id, state FROM tickets
         WHERE open_status IS NOT NULL AND open_status <> 'ready' AND store = $1 ORDER BY sequence LIMIT $2";
    const READY = "SELECT order_id, state FROM tickets
         WHERE open_status IS NOT NULL AND open_status = 'ready' AND store = $1
         ORDER BY ready_at_ms DESC, sequence DESC LIMIT $2";
    const OPEN_IN_STORE = "SELECT open_status, COUNT(*) FROM tickets
         WHERE open_status IS NOT NULL AND store = $1 GROUP BY open_status";
    const STORES = "SELECT store FROM queues ORDER BY store";
    const READY_SINCE =
        "SELECT order_id FROM tickets WHERE ready_at_ms <= $1 ORDER BY ready_at_ms LIMIT $2";
    const OPEN_COUNTS = "SELECT open_status, COUNT(*), MIN(queued_at_ms) FROM tickets
         WHERE open_status IS NOT NULL GROUP BY open_status";
}

static FIND_TICKET: Find = Find::new("state", "tickets", &[Text("order_id")]);
static PUT_TICKET: Put = Put::new(
    "tickets",
    &[
        Text("order_id"),
        Text("store"),
        Int("sequence"),
        Int("queued_at_ms"),
        Text("open_status"),
        Int("ready_at_ms"),
        Text("state"),
    ],
    "ON CONFLICT (order_id) DO UPDATE \
     SET open_status = excluded.open_status, ready_at_ms = excluded.ready_at_ms, state = excluded.state",
);
static FIND_QUEUE: Find = Find::new("last_sequence", "queues", &[Text("store")]);
static PUT_QUEUE: Put = Put::new(
    "queues",
    &[Text("store"), Int("last_sequence")],
    "ON CONFLICT (store) DO UPDATE SET last_sequence = excluded.last_sequence",
);

static PUTS: [&Put; 2] = [&PUT_TICKET, &PUT_QUEUE];
static FINDS: [&Find; 2] = [&FIND_TICKET, &FIND_QUEUE];

impl Tables for Barista {
    const MIGRATIONS: &'static [Migration] =
        &[Migration { name: "barista/0001_tickets", sql: include_str!("../migrations/0001_tickets.sql") }];

    const STATEMENTS: Statements = Statements { texts: STATEMENTS, puts: &PUTS, finds: &FINDS };

    fn load(db: &mut Connection, tables: &mut Loaded) -> Result<(), Error> {
        let wanted = tables.tickets.wanted();
        let mut find = db.find(&FIND_TICKET, |row| state(row, 0));
        let mut text = uuid::Uuid::encode_buffer();
        for order_id in &wanted {
            let id: &str = order_id.hyphenated().encode_lower(&mut text);
            find.key(&[id.into()])?;
        }
        for (order_id, ticket) in wanted.into_iter().zip(find.done()?) {
            tables.tickets.fill(order_id, ticket);
        }
        let wanted = tables.queues.wanted();
        let mut find = db.find(&FIND_QUEUE, |row| Ok(Queue { last_sequence: row.int(0)? }));
        for store in &wanted {
            find.key(&[store.into()])?;
        }
        for (store, queue) in wanted.into_iter().zip(find.done()?) {
            tables.queues.fill(store, queue);
        }
        Ok(())
    }

    fn write(db: &mut Connection, tables: &Loaded) -> Result<(), Error> {
        let mut put = db.put(&PUT_TICKET);
        for (order_id, ticket) in tables.tickets.changed() {
            write_ticket(&mut put, *order_id, ticket)?;
        }
        put.done()?;
        let mut put = db.put(&PUT_QUEUE);
        for (store, queue) in tables.queues.changed() {
            put.row(&[store.into(), queue.last_sequence.into()])?;
        }
        put.done()
    }
}

fn write_ticket(put: &mut Putting<'_>, order_id: OrderId, ticket: &Ticket) -> Result<(), Error> {
    let mut text = uuid::Uuid::encode_buffer();
    let id: &str = order_id.hyphenated().encode_lower(&mut text);
    let state = serde_json::to_string(ticket).map_err(|error| Error::Refused(error.to_string()))?;
    let open_status = ticket.status.is_open().then(|| ticket.status.name());
    let ready_at_ms = ticket.ready_at.filter(|_| ticket.status.is_open()).map(Timestamp::as_millisecond);
    put.row(&[
        id.into(),
        (&ticket.store).into(),
        ticket.sequence.into(),
        ticket.queued_at.as_millisecond().into(),
        open_status.into(),
        ready_at_ms.into(),
        state.as_str().into(),
    ])
}

/// The ticket of an order.
pub fn ticket(db: &mut Connection, order_id: OrderId) -> Result<Option<Arc<Ticket>>, Error> {
    let id = order_id.to_string();
    db.query_one(TICKET, &[(&id).into()], |row| state(row, 0))
}

/// Tickets of every status in order of their order's id, from after `after` (all from the first if it is empty).
pub fn page(db: &mut Connection, after: &str, limit: u32) -> Result<Page, Error> {
    db.query(PAGE, &[after.into(), limit.into()], listed)
}

/// Open tickets of a store, first in first out, from after the place `after`.
pub(crate) fn open(db: &mut Connection, store: &str, after: i64, limit: u32) -> Result<Page, Error> {
    let params = [store.into(), after.into(), limit.into()];
    db.query(OPEN, &params, listed)
}

/// What is to be made or being made in a store, first in first out.
pub(crate) fn preparing(db: &mut Connection, store: &str, limit: u32) -> Result<Page, Error> {
    db.query(PREPARING, &[store.into(), limit.into()], listed)
}

/// What waits to be picked up in a store, the newest first.
pub(crate) fn ready(db: &mut Connection, store: &str, limit: u32) -> Result<Page, Error> {
    db.query(READY, &[store.into(), limit.into()], listed)
}

/// How many open tickets a store has of each status.
pub(crate) fn open_in_store(db: &mut Connection, store: &str) -> Result<Vec<(String, i64)>, Error> {
    db.query(OPEN_IN_STORE, &[store.into()], |row| Ok((row.text(0)?, row.int(1)?)))
}

/// Stores that ever had a ticket.
pub(crate) fn stores(db: &mut Connection) -> Result<Vec<String>, Error> {
    db.query(STORES, &[], |row| row.text(0))
}

/// Orders whose tickets became ready by `ready_by` and were not picked up since, longest waiting first.
pub(crate) fn ready_since(
    db: &mut Connection,
    ready_by: Timestamp,
    limit: u32,
) -> Result<Vec<OrderId>, Error> {
    let params = [ready_by.as_millisecond().into(), limit.into()];
    db.query(READY_SINCE, &params, |row| order_id(row, 0))
}

/// How much is in all queues together, by status.
pub(crate) fn open_counts(db: &mut Connection) -> Result<Vec<OpenCount>, Error> {
    db.query(OPEN_COUNTS, &[], |row| {
        let oldest_queued_at = cafe_clock::from_ms(row.int(2)?);
        Ok(OpenCount { status: row.text(0)?, tickets: row.int(1)?, oldest_queued_at })
    })
}

fn listed(row: &Row<'_>) -> Result<(OrderId, Arc<Ticket>), Error> {
    Ok((order_id(row, 0)?, state(row, 1)?))
}

fn order_id(row: &Row<'_>, column: usize) -> Result<OrderId, Error> {
    OrderId::try_parse(row.str(column)?).map_err(|error| Error::Refused(format!("tickets.order_id: {error}")))
}

fn state(row: &Row<'_>, column: usize) -> Result<Arc<Ticket>, Error> {
    serde_json::from_str(row.str(column)?)
        .map(Arc::new)
        .map_err(|error| Error::Refused(format!("tickets.state: {error}")))
}
