//! The simulator's record of charges and refunds: every SQL statement on `<data>/simulator.sqlite`.

use cafe_events::{Currency, OrderId};
use cafe_store::{Connection, Error, Migration, Row};
use jiff::Timestamp;

use super::RefundRequest;
use crate::payment::attempt::RefundOnRecord;

pub use super::FILE;

/// The record's schema.
pub const MIGRATIONS: &[Migration] = &[RECORD, TRACES];

const RECORD: Migration = Migration {
    name: "simulator/0001_record",
    sql: "CREATE TABLE charges (
            key TEXT PRIMARY KEY,
            charge_id TEXT NOT NULL,
            order_id TEXT NOT NULL,
            amount INTEGER NOT NULL,
            currency TEXT NOT NULL,
            declined TEXT,
            charged_at_ms INTEGER NOT NULL,
            refunds_answer INTEGER NOT NULL
          ) STRICT, WITHOUT ROWID;
          CREATE TABLE refunds (
            charge_id TEXT NOT NULL,
            key TEXT NOT NULL,
            amount INTEGER NOT NULL,
            at_ms INTEGER NOT NULL,
            PRIMARY KEY (charge_id, key)
          ) STRICT, WITHOUT ROWID;
          CREATE UNIQUE INDEX refunds_by_key ON refunds (key);",
};

/// What the first request under each key came with; nobody but a person who searches reads it.
const TRACES: Migration = Migration {
    name: "simulator/0002_traces",
    sql: "ALTER TABLE charges ADD COLUMN traceparent TEXT;
          ALTER TABLE refunds ADD COLUMN traceparent TEXT;",
};

const ADD_CHARGE: &str = "INSERT INTO charges (key, charge_id, order_id, amount, currency, declined, charged_at_ms, \
     refunds_answer, traceparent) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (key) DO NOTHING";
const CHARGE: &str = "SELECT key, charge_id, order_id, amount, currency, declined, charged_at_ms, refunds_answer \
     FROM charges WHERE key = $1";
const PAGE_CHARGES: &str = "SELECT key, charge_id, order_id, amount, currency, declined, charged_at_ms, refunds_answer \
     FROM charges WHERE key > $1 ORDER BY key LIMIT $2";
const ADD_REFUND: &str =
    "INSERT INTO refunds (key, charge_id, amount, at_ms, traceparent) VALUES ($1, $2, $3, $4, $5)";
const REFUND: &str = "SELECT key, charge_id, amount, at_ms FROM refunds WHERE key = $1";
const REFUNDS_OF: &str =
    "SELECT key, charge_id, amount, at_ms FROM refunds WHERE charge_id = $1 ORDER BY key";
const PAGE_REFUNDS: &str =
    "SELECT key, charge_id, amount, at_ms FROM refunds WHERE key > $1 ORDER BY key LIMIT $2";

/// A charge, or a refusal to charge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChargeOnRecord {
    /// What it was asked for under.
    pub key: String,
    /// Follows from the key.
    pub charge_id: String,
    /// As asked.
    pub order_id: OrderId,
    /// In minor units.
    pub amount: i64,
    /// Of `amount`.
    pub currency: Currency,
    /// Why nothing was charged, if it was refused.
    pub declined: Option<String>,
    /// When it is charged; it is not found before, and may lie ahead of now. Milliseconds since the Unix epoch.
    pub charged_at_ms: i64,
    /// False if refunds of it are made without an answer.
    pub refunds_answer: bool,
}

/// Money given back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundOfCharge {
    /// What it was asked for under.
    pub key: String,
    /// Of which charge.
    pub charge_id: String,
    /// In minor units of the charge's currency.
    pub amount: i64,
    /// Milliseconds since the Unix epoch.
    pub at_ms: i64,
}

/// Charges and refusals whose key comes after `after`, at most `limit`, in order of their keys.
pub fn page_charges(db: &mut Connection, after: &str, limit: u32) -> Result<Vec<ChargeOnRecord>, Error> {
    db.query(PAGE_CHARGES, &[after.into(), limit.into()], read_charge)
}

/// Refunds whose key comes after `after`, at most `limit`, in order of their keys.
pub fn page_refunds(db: &mut Connection, after: &str, limit: u32) -> Result<Vec<RefundOfCharge>, Error> {
    db.query(PAGE_REFUNDS, &[after.into(), limit.into()], read_refund)
}

pub(super) fn charge_id(key: &str) -> String {
    format!("sim_{key}")
}

/// False if there is something under that key already.
pub(super) fn add_charge(
    db: &mut Connection,
    charge: &ChargeOnRecord,
    traceparent: Option<&String>,
) -> Result<bool, Error> {
    let order_id = charge.order_id.to_string();
    let params = [
        (&charge.key).into(),
        (&charge.charge_id).into(),
        (&order_id).into(),
        charge.amount.into(),
        charge.currency.code().into(),
        charge.declined.as_ref().into(),
        charge.charged_at_ms.into(),
        charge.refunds_answer.into(),
        traceparent.into(),
    ];
    Ok(db.execute(ADD_CHARGE, &params)? == 1)
}

pub(super) fn charge(db: &mut Connection, key: &str) -> Result<Option<ChargeOnRecord>, Error> {
    db.query_one(CHARGE, &[key.into()], read_charge)
}

pub(super) fn charge_by_id(db: &mut Connection, charge_id: &str) -> Result<Option<ChargeOnRecord>, Error> {
    charge(db, charge_id.strip_prefix("sim_").unwrap_or_default())
}

pub(super) fn add_refund(db: &mut Connection, request: &RefundRequest, at: Timestamp) -> Result<(), Error> {
    let params = [
        (&request.key).into(),
        (&request.charge_id).into(),
        request.amount.into(),
        at.as_millisecond().into(),
        request.traceparent.as_ref().into(),
    ];
    db.execute(ADD_REFUND, &params).map(drop)
}

pub(super) fn refund(db: &mut Connection, key: &str) -> Result<Option<RefundOfCharge>, Error> {
    db.query_one(REFUND, &[key.into()], read_refund)
}

pub(super) fn refunds_of(db: &mut Connection, charge_id: &str) -> Result<Vec<RefundOfCharge>, Error> {
    db.query(REFUNDS_OF, &[charge_id.into()], read_refund)
}

impl From<RefundOfCharge> for RefundOnRecord {
    fn from(refund: RefundOfCharge) -> Self {
        Self { key: refund.key, amount: refund.amount }
    }
}

fn read_charge(row: &Row<'_>) -> Result<ChargeOnRecord, Error> {
    Ok(ChargeOnRecord {
        key: row.text(0)?,
        charge_id: row.text(1)?,
        order_id: row.str(2)?.parse().map_err(|_| Error::Refused("an order id is damaged".to_owned()))?,
        amount: row.int(3)?,
        currency: Currency::try_from(row.text(4)?).map_err(Error::Refused)?,
        declined: row.opt_text(5)?,
        charged_at_ms: row.int(6)?,
        refunds_answer: row.int(7)? != 0,
    })
}

fn read_refund(row: &Row<'_>) -> Result<RefundOfCharge, Error> {
    Ok(RefundOfCharge { key: row.text(0)?, charge_id: row.text(1)?, amount: row.int(2)?, at_ms: row.int(3)? })
}
