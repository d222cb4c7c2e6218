//! Where payments are kept: every SQL statement of this service.

use std::collections::BTreeMap;

use cafe_delivery::Tables;
use cafe_events::OrderId;
use cafe_store::Column::{Int, Text};
use cafe_store::{Connection, Error, Find, Migration, Param, Put, Row, Statements};
use jiff::Timestamp;

use crate::domain::{Cashier, Payments};
use crate::payment::Payment;
use crate::payment::agenda::Lane;

/// `lane` and `due_at_ms` say what is to be done next and when, `expires_at_ms` when the order expires if nothing is; they
/// follow from `state` and are there to be searched.
const MIGRATIONS: &[Migration] = &[Migration {
    name: "payment/0001_payments",
    sql: "CREATE TABLE payments (
            order_id TEXT PRIMARY KEY,
            lane INTEGER,
            due_at_ms INTEGER,
            expires_at_ms INTEGER,
            state TEXT NOT NULL
          ) STRICT;
          CREATE INDEX payments_due ON payments (lane, due_at_ms) WHERE lane IS NOT NULL;
          CREATE INDEX payments_expiring ON payments (expires_at_ms) WHERE expires_at_ms IS NOT NULL;",
}];

cafe_store::statements! {
    const ONE = "SELECT order_id, state FROM payments WHERE order_id = $1";
    const PAGE = "SELECT order_id, state FROM payments WHERE order_id > $1 ORDER BY order_id LIMIT $2";
    const DUE = "SELECT order_id FROM payments WHERE lane = $1 AND due_at_ms <= $2 ORDER BY due_at_ms LIMIT $3";
    const IN_LANE = "SELECT order_id FROM payments WHERE lane = $1 ORDER BY due_at_ms LIMIT $2";
    const OPEN_IN_LANE = "SELECT order_id FROM payments WHERE expires_at_ms IS NOT NULL AND lane = $1 \
         ORDER BY expires_at_ms LIMIT $2";
    const EXPIRING = "SELECT order_id, state FROM payments WHERE expires_at_ms IS NOT NULL AND expires_at_ms < $1 \
         ORDER BY expires_at_ms LIMIT $2";
    const FIRST_IN_LANE = "SELECT MIN(due_at_ms) FROM payments WHERE lane = $1";
    const FIRST_EXPIRING = "SELECT MIN(expires_at_ms) FROM payments WHERE expires_at_ms IS NOT NULL";
    const COUNT = "SELECT lane, COUNT(*), MIN(due_at_ms) FROM payments WHERE lane IS NOT NULL GROUP BY lane";
}

static FIND: Find = Find::new("order_id, state", "payments", &[Text("order_id")]);
static PUT: Put = Put::new(
    "payments",
    &[Text("order_id"), Int("lane"), Int("due_at_ms"), Int("expires_at_ms"), Text("state")],
    "ON CONFLICT (order_id) DO UPDATE SET lane = excluded.lane, due_at_ms = excluded.due_at_ms, \
     expires_at_ms = excluded.expires_at_ms, state = excluded.state",
);

static PUTS: [&Put; 1] = [&PUT];
static FINDS: [&Find; 1] = [&FIND];

impl Tables for Cashier {
    const MIGRATIONS: &'static [Migration] = MIGRATIONS;

    const STATEMENTS: Statements = Statements { texts: STATEMENTS, puts: &PUTS, finds: &FINDS };

    fn load(db: &mut Connection, tables: &mut Payments) -> Result<(), Error> {
        let wanted = tables.payments.wanted();
        let mut find = db.find(&FIND, read);
        let mut text = uuid::Uuid::encode_buffer();
        for order_id in &wanted {
            let id: &str = order_id.hyphenated().encode_lower(&mut text);
            find.key(&[id.into()])?;
        }
        for (order_id, found) in wanted.into_iter().zip(find.done()?) {
            tables.payments.fill(order_id, found.map(|(_, payment)| payment));
        }
        Ok(())
    }

    fn write(db: &mut Connection, tables: &Payments) -> Result<(), Error> {
        let mut put = db.put(&PUT);
        let mut text = uuid::Uuid::encode_buffer();
        for (order_id, payment) in tables.payments.changed() {
            let state = serde_json::to_string(payment).map_err(|error| Error::Refused(error.to_string()))?;
            let next = payment.next_task();
            let id: &str = order_id.hyphenated().encode_lower(&mut text);
            put.row(&[
                id.into(),
                next.map(|(_, lane, _)| lane.number()).into(),
                next.map(|(at, ..)| at.as_millisecond()).into(),
                payment.expires_at().map(Timestamp::as_millisecond).into(),
                (&state).into(),
            ])?;
        }
        put.done()
    }
}

/// The payment of one order.
pub fn payment(db: &mut Connection, order_id: OrderId) -> Result<Option<Payment>, Error> {
    let mut text = uuid::Uuid::encode_buffer();
    let id: &str = order_id.hyphenated().encode_lower(&mut text);
    Ok(db.query_one(ONE, &[id.into()], read)?.map(|(_, payment)| payment))
}

/// Payments of orders after `after` (an order's id, or nothing), at most `limit`, in order of the orders' ids.
pub fn page(db: &mut Connection, after: &str, limit: u32) -> Result<Vec<(OrderId, Payment)>, Error> {
    db.query(PAGE, &[after.into(), limit.into()], read)
}

/// What is due in a lane by `now`, oldest first.
pub(crate) fn due(
    db: &mut Connection,
    lane: Lane,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<OrderId>, Error> {
    let params = [lane.number().into(), now.as_millisecond().into(), Param::Int(limit as i64)];
    db.query(DUE, &params, |row| id(row.str(0)?))
}

/// Something for the worker to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// In this lane.
    In(Lane),
    /// An order that was not paid in time.
    Expiring,
}

/// Where anything is due by `now`.
pub(crate) fn what_is_due(db: &mut Connection, now: Timestamp) -> Result<Vec<Due>, Error> {
    let mut due = Vec::new();
    for lane in Lane::ALL {
        let first = db.query_one(FIRST_IN_LANE, &[lane.number().into()], |row| row.opt_int(0))?.flatten();
        due.extend(first.filter(|at_ms| *at_ms <= now.as_millisecond()).map(|_| Due::In(lane)));
    }
    let first = db.query_one(FIRST_EXPIRING, &[], |row| row.opt_int(0))?.flatten();
    due.extend(first.filter(|at_ms| *at_ms < now.as_millisecond()).map(|_| Due::Expiring));
    Ok(due)
}

/// What waits in a lane, due or not, at most `limit`. Of closed attempts, which are followed for a day, only those of orders that
/// are still to be paid: others are not urgent.
pub(crate) fn in_lane(db: &mut Connection, lane: Lane, limit: usize) -> Result<Vec<OrderId>, Error> {
    let sql = if lane == Lane::Follow { OPEN_IN_LANE } else { IN_LANE };
    db.query(sql, &[lane.number().into(), Param::Int(limit as i64)], |row| id(row.str(0)?))
}

/// What was to be paid before `now` and may have expired.
pub(crate) fn expiring(
    db: &mut Connection,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<(OrderId, Payment)>, Error> {
    db.query(EXPIRING, &[now.as_millisecond().into(), Param::Int(limit as i64)], read)
}

/// Per lane: how many wait there, and since when (or until when) the first does, in milliseconds since the Unix epoch.
pub(crate) fn count(db: &mut Connection) -> Result<BTreeMap<i64, (i64, i64)>, Error> {
    let counts = db.query(COUNT, &[], |row| Ok((row.int(0)?, (row.int(1)?, row.int(2)?))))?;
    Ok(counts.into_iter().collect())
}

fn read(row: &Row<'_>) -> Result<(OrderId, Payment), Error> {
    let order_id = id(row.str(0)?)?;
    let payment = serde_json::from_str(row.str(1)?)
        .map_err(|error| Error::Refused(format!("the payment of order {order_id} is damaged: {error}")))?;
    Ok((order_id, payment))
}

fn id(text: &str) -> Result<OrderId, Error> {
    OrderId::try_parse(text)
        .map_err(|error| Error::Refused(format!("{text:?} is not an order's id: {error}")))
}
