//! Every SQL statement of the order service.

use std::sync::Arc;

use cafe_clock::from_ms;
use cafe_delivery::{Rows, Tables};
use cafe_events::OrderId;
use cafe_store::Column::{Int, Text};
use cafe_store::{Connection, Error, Find, Migration, Param, Put, Putting, Row, Statements};
use jiff::Timestamp;

use crate::Orders;
use crate::numbers::DayNumbers;
use crate::order::Order;

/// The most Idempotency-Keys that are forgotten in one turn.
pub(crate) const KEYS_FORGOTTEN_AT_ONCE: u32 = 2_000;

const MIGRATION_ORDERS: &str = "
    CREATE TABLE orders (
        order_id TEXT PRIMARY KEY,
        waiting_since_ms INTEGER,
        state TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX orders_waiting ON orders (waiting_since_ms) WHERE waiting_since_ms IS NOT NULL;

    CREATE TABLE idempotency_keys (
        store TEXT NOT NULL,
        key TEXT NOT NULL,
        body_hash TEXT NOT NULL,
        order_id TEXT NOT NULL,
        used_at_ms INTEGER NOT NULL,
        PRIMARY KEY (store, key)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX idempotency_keys_used ON idempotency_keys (used_at_ms);

    CREATE TABLE day_numbers (
        store TEXT NOT NULL,
        day TEXT NOT NULL,
        last INTEGER NOT NULL,
        skipped_for_ms INTEGER NOT NULL,
        PRIMARY KEY (store, day)
    ) STRICT;

    CREATE TABLE secrets (
        name TEXT PRIMARY KEY,
        secret TEXT NOT NULL
    ) STRICT;
";

cafe_store::statements! {
    const ORDER = "SELECT state FROM orders WHERE order_id = $1";
    const PAGE = "SELECT state, order_id FROM orders WHERE order_id > $1 ORDER BY order_id LIMIT $2";
    const OLDEST_WAITING = "SELECT MIN(waiting_since_ms) FROM orders WHERE waiting_since_ms > $1";
    const OLDEST_KEY = "SELECT MIN(used_at_ms) FROM idempotency_keys";
    const FORGET_KEYS = "DELETE FROM idempotency_keys WHERE (store, key) IN \
         (SELECT store, key FROM idempotency_keys WHERE used_at_ms < $1 ORDER BY used_at_ms LIMIT $2)";
    const NUMBERS = "SELECT restored_at_ms, day, numbers.last, skipped_for_ms FROM outbox_head LEFT JOIN \
         (SELECT day, last, skipped_for_ms FROM day_numbers WHERE store = $1 ORDER BY day DESC LIMIT 1) AS numbers \
         ON TRUE WHERE id = 1";
    const SECRET = "SELECT secret FROM secrets WHERE name = 'customer_tokens'";
    const PUT_SECRET = "INSERT INTO secrets (name, secret) VALUES ('customer_tokens', $1)";
}

static FIND_ORDER: Find = Find::new("state", "orders", &[Text("order_id")]);
static PUT_ORDER: Put = Put::new(
    "orders",
    &[Text("order_id"), Int("waiting_since_ms"), Text("state")],
    "ON CONFLICT (order_id) DO UPDATE SET waiting_since_ms = excluded.waiting_since_ms, state = excluded.state",
);
static FIND_KEY: Find =
    Find::new("body_hash, order_id, used_at_ms", "idempotency_keys", &[Text("store"), Text("key")]);
static PUT_KEY: Put = Put::new(
    "idempotency_keys",
    &[Text("store"), Text("key"), Text("body_hash"), Text("order_id"), Int("used_at_ms")],
    "ON CONFLICT (store, key) DO UPDATE SET body_hash = excluded.body_hash, order_id = excluded.order_id, \
     used_at_ms = excluded.used_at_ms",
);
static PUT_NUMBERS: Put = Put::new(
    "day_numbers",
    &[Text("store"), Text("day"), Int("last"), Int("skipped_for_ms")],
    "ON CONFLICT (store, day) DO UPDATE SET last = excluded.last, skipped_for_ms = excluded.skipped_for_ms",
);

static PUTS: [&Put; 3] = [&PUT_ORDER, &PUT_KEY, &PUT_NUMBERS];
static FINDS: [&Find; 2] = [&FIND_ORDER, &FIND_KEY];

/// The rows that a turn of the order service has loaded.
#[derive(Clone, Default)]
pub struct OrderTables {
    /// Every order that is asked or heard about.
    pub orders: Rows<OrderId, Arc<Order>>,
    /// Idempotency-Keys, by store and key.
    pub keys: Rows<(String, String), KeyRow>,
    /// Each store's counter for its latest business day.
    pub numbers: Rows<String, DayNumbers>,
    /// What customers' tokens are made from.
    pub token_secret: Rows<(), String>,
    /// When this database was restored from a copy; loaded with the numbers.
    pub restored_at: Option<Timestamp>,
    /// Keys used before then are to be forgotten.
    pub forget_keys_before: Option<Timestamp>,
}

/// What an Idempotency-Key stood for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    /// Of the body that it was first used with.
    pub body_hash: String,
    /// The order that it stands for.
    pub order_id: OrderId,
    /// When it was first used.
    pub used_at: Timestamp,
}

/// What the service looks after between requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Chores {
    /// When the oldest order was placed that waits for payment.
    pub(crate) oldest_waiting: Option<Timestamp>,
    /// When the oldest Idempotency-Key was used.
    pub(crate) oldest_key: Option<Timestamp>,
}

impl Tables for Orders {
    const MIGRATIONS: &'static [Migration] =
        &[Migration { name: "order/0001_orders", sql: MIGRATION_ORDERS }];

    const STATEMENTS: Statements = Statements { texts: STATEMENTS, puts: &PUTS, finds: &FINDS };

    fn load(db: &mut Connection, tables: &mut OrderTables) -> Result<(), Error> {
        load_keys(db, tables)?;
        let wanted = tables.orders.wanted();
        let mut find = db.find(&FIND_ORDER, read_order);
        let mut buffer = OrderId::encode_buffer();
        for order_id in &wanted {
            find.key(&[text_of(*order_id, &mut buffer).into()])?;
        }
        for (order_id, order) in wanted.into_iter().zip(find.done()?) {
            tables.orders.fill(order_id, order.map(Arc::new));
        }
        load_numbers(db, tables)?;
        for () in tables.token_secret.wanted() {
            let secret = db.query_one(SECRET, &[], |row| row.text(0))?;
            tables.token_secret.fill((), secret);
        }
        Ok(())
    }

    fn write(db: &mut Connection, tables: &OrderTables) -> Result<(), Error> {
        let mut put = db.put(&PUT_ORDER);
        for (order_id, order) in tables.orders.changed() {
            write_order(&mut put, *order_id, order)?;
        }
        put.done()?;
        let mut put = db.put(&PUT_KEY);
        for ((store, key), row) in tables.keys.changed() {
            write_key(&mut put, store, key, row)?;
        }
        put.done()?;
        let mut put = db.put(&PUT_NUMBERS);
        for (store, numbers) in tables.numbers.changed() {
            let day = numbers.day.to_string();
            put.row(&[store.into(), (&day).into(), numbers.last.into(), numbers.skipped_for_ms.into()])?;
        }
        put.done()?;
        for ((), secret) in tables.token_secret.changed() {
            db.execute(PUT_SECRET, &[secret.into()])?;
        }
        if let Some(before) = tables.forget_keys_before {
            db.execute(FORGET_KEYS, &[before.as_millisecond().into(), KEYS_FORGOTTEN_AT_ONCE.into()])?;
        }
        Ok(())
    }
}

/// The order of this id, if there is one.
pub fn find(db: &mut Connection, order_id: OrderId) -> Result<Option<Order>, Error> {
    let mut buffer = OrderId::encode_buffer();
    db.query_one(ORDER, &[text_of(order_id, &mut buffer).into()], read_order)
}

/// Orders with an id above `after` (empty for the first), at most `limit`, in order of id. Those that a restore lost and
/// payment has not told about yet are among them, without [`Order::placed`].
pub fn page(db: &mut Connection, after: &str, limit: u32) -> Result<Vec<(OrderId, Order)>, Error> {
    db.query(PAGE, &[after.into(), limit.into()], |row| Ok((read_id(row, 1)?, read_order(row)?)))
}

/// Reads what the service looks after: only orders placed after `payment_reached` count as waiting.
pub(crate) fn chores(db: &mut Connection, payment_reached: Timestamp) -> Result<Chores, Error> {
    let mut oldest = |sql: &str, params: &[Param<'_>]| {
        let oldest_ms = db.query_one(sql, params, |row| row.opt_int(0))?;
        Ok::<_, Error>(oldest_ms.flatten().map(from_ms))
    };
    Ok(Chores {
        oldest_waiting: oldest(OLDEST_WAITING, &[payment_reached.as_millisecond().into()])?,
        oldest_key: oldest(OLDEST_KEY, &[])?,
    })
}

fn load_keys(db: &mut Connection, tables: &mut OrderTables) -> Result<(), Error> {
    let wanted = tables.keys.wanted();
    let mut find = db.find(&FIND_KEY, read_key);
    for (store, key) in &wanted {
        find.key(&[store.into(), key.into()])?;
    }
    for (key, row) in wanted.into_iter().zip(find.done()?) {
        // Whoever repeats a request is shown the order of the first one.
        if let Some(row) = &row {
            tables.orders.need(row.order_id);
        }
        tables.keys.fill(key, row);
    }
    Ok(())
}

fn load_numbers(db: &mut Connection, tables: &mut OrderTables) -> Result<(), Error> {
    let stores = tables.numbers.wanted();
    if stores.is_empty() {
        return Ok(());
    }
    let asked: Vec<[Param<'_>; 1]> = stores.iter().map(|store| [store.into()]).collect();
    let found = db.query_each(NUMBERS, &asked, |row| Ok((row.opt_int(0)?, read_numbers(row)?)))?;
    for (store, (restored_at_ms, numbers)) in stores.into_iter().zip(found.into_iter().flatten()) {
        tables.restored_at = restored_at_ms.map(from_ms);
        tables.numbers.fill(store, numbers);
    }
    Ok(())
}

fn write_order(put: &mut Putting<'_>, order_id: OrderId, order: &Order) -> Result<(), Error> {
    let state = serde_json::to_string(order).map_err(|error| Error::Refused(error.to_string()))?;
    let placed = order.placed.as_ref().filter(|_| order.waits_for_payment());
    let waiting_since_ms = placed.map(|placed| placed.at.as_millisecond());
    let mut buffer = OrderId::encode_buffer();
    put.row(&[text_of(order_id, &mut buffer).into(), waiting_since_ms.into(), (&state).into()])
}

fn write_key(put: &mut Putting<'_>, store: &str, key: &str, row: &KeyRow) -> Result<(), Error> {
    let mut buffer = OrderId::encode_buffer();
    let order_id = text_of(row.order_id, &mut buffer);
    let used_at_ms = row.used_at.as_millisecond();
    put.row(&[store.into(), key.into(), (&row.body_hash).into(), order_id.into(), used_at_ms.into()])
}

fn text_of(order_id: OrderId, buffer: &mut [u8; 45]) -> &str {
    order_id.hyphenated().encode_lower(buffer)
}

fn read_order(row: &Row<'_>) -> Result<Order, Error> {
    serde_json::from_str(row.str(0)?).map_err(|error| Error::Refused(format!("an order's state: {error}")))
}

fn read_id(row: &Row<'_>, column: usize) -> Result<OrderId, Error> {
    OrderId::try_parse(row.str(column)?).map_err(|error| Error::Refused(format!("an order's id: {error}")))
}

fn read_key(row: &Row<'_>) -> Result<KeyRow, Error> {
    Ok(KeyRow { body_hash: row.text(0)?, order_id: read_id(row, 1)?, used_at: from_ms(row.int(2)?) })
}

/// After the time of a restore, which is there also where a store has no numbers yet.
fn read_numbers(row: &Row<'_>) -> Result<Option<DayNumbers>, Error> {
    let Some(day) = row.opt_text(1)? else { return Ok(None) };
    let day = day.parse().map_err(|error| Error::Refused(format!("a business day: {error}")))?;
    Ok(Some(DayNumbers { day, last: row.int(2)?, skipped_for_ms: row.int(3)? }))
}
