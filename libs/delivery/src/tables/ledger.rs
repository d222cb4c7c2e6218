//! What was heard of each order, what is held, and what is set aside.

use cafe_events::{OrderId, Source};
use cafe_store::Column::{Int, Text};
use cafe_store::{Connection, Error, Find, Put, Row, Statements};

use super::record;
use crate::ledger::{HeardRow, HeldSlot, Ledger, Parked};

/// A set-aside event as `parked` reads it.
macro_rules! parked_columns {
    () => {
        concat!("id, event, source, ", record_columns!(), ", reason, parked_at_ms")
    };
}

cafe_store::statements! {
    const HELD = concat!(
        "SELECT ", record_columns!(), " FROM held WHERE order_id = $1 AND source = $2 ORDER BY version"
    );
    const DELETE_HELD = "DELETE FROM held WHERE order_id = $1 AND source = $2 AND version = $3";
    const COUNT_HELD = "SELECT COUNT(*) FROM held";
    const PARKED_PAGE =
        concat!("SELECT ", parked_columns!(), " FROM parked WHERE id > $1 ORDER BY id LIMIT $2");
    const PARKED_ONE = concat!("SELECT ", parked_columns!(), " FROM parked WHERE id = $1");
    const DELETE_PARKED = "DELETE FROM parked WHERE event = $1";
    const COUNT_PARKED = "SELECT COUNT(*) FROM parked";
    const NUMBERS = "SELECT last_parked, (SELECT MAX(id) FROM parked) FROM outbox_head WHERE id = 1";
    const NOTE_NUMBER = "UPDATE outbox_head SET last_parked = (SELECT MAX(id) FROM parked) WHERE id = 1";
    const GIVE_NUMBER = "UPDATE parked SET id = $1 WHERE id > $2";
}

static HEARD: Find = Find::new("next_version, hashes, held", "heard", &[Text("order_id"), Text("source")]);
static PUT_HEARD: Put = Put::new(
    "heard",
    &[Text("order_id"), Text("source"), Int("next_version"), Text("hashes"), Int("held")],
    "ON CONFLICT (order_id, source) DO UPDATE SET next_version = excluded.next_version, \
     hashes = excluded.hashes, held = excluded.held",
);
static PUT_HELD: Put = Put::new(
    "held",
    &[
        Text("order_id"),
        Text("source"),
        Int("version"),
        Int("position"),
        Text("kind"),
        Int("at_ms"),
        Text("body"),
        Text("traceparent"),
    ],
    "",
);
static PARKED_EVENT: Find = Find::new("event", "parked", &[Text("event")]);
static PUT_PARKED: Put = Put::new(
    "parked",
    &[
        Text("event"),
        Text("source"),
        Int("position"),
        Text("order_id"),
        Int("version"),
        Text("kind"),
        Int("at_ms"),
        Text("body"),
        Text("traceparent"),
        Text("reason"),
        Int("parked_at_ms"),
    ],
    "ON CONFLICT (event) DO UPDATE SET position = excluded.position, body = excluded.body, \
     reason = excluded.reason",
);

/// Every statement about it.
pub(super) const ALL: Statements = Statements {
    texts: STATEMENTS,
    puts: &[&PUT_HEARD, &PUT_HELD, &PUT_PARKED],
    finds: &[&HEARD, &PARKED_EVENT],
};

/// How the lists of held and set-aside events changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ListsChanged {
    /// How many more are held now.
    pub held: i64,
    /// Whether another number may be set aside now.
    pub parked: bool,
}

/// Loads the ledger's rows that are wanted, and what is held behind them.
pub(crate) fn load(db: &mut Connection, ledger: &mut Ledger) -> Result<(), Error> {
    let wanted = ledger.heard.wanted();
    let mut find = db.find(&HEARD, |row| {
        Ok(HeardRow { next_version: number(row, 0)?, hashes: row.text(1)?, held: number(row, 2)? })
    });
    let mut text = uuid::Uuid::encode_buffer();
    for (order_id, source) in &wanted {
        let id: &str = order_id.hyphenated().encode_lower(&mut text);
        find.key(&[id.into(), source.name().into()])?;
    }
    for ((order_id, source), row) in wanted.into_iter().zip(find.done()?) {
        if row.as_ref().is_some_and(|row| row.held > 0) {
            load_held(db, ledger, order_id, source)?;
        }
        ledger.heard.fill((order_id, source), row);
    }
    Ok(())
}

fn load_held(
    db: &mut Connection,
    ledger: &mut Ledger,
    order_id: OrderId,
    source: Source,
) -> Result<(), Error> {
    let id = order_id.to_string();
    for record in db.query(HELD, &[(&id).into(), source.name().into()], record)? {
        match record.read(source) {
            Ok(heard) => {
                let slot = HeldSlot { record, stored: true, keep: true, heard };
                ledger.held.insert((order_id, source, slot.heard.version), slot);
            }
            Err(unreadable) => {
                tracing::error!(event = record.id(source), %unreadable, "held, but it can no longer be read: its order waits");
            }
        }
    }
    Ok(())
}

/// Writes what the turn changed in the ledger.
pub(crate) fn write(db: &mut Connection, ledger: &Ledger) -> Result<ListsChanged, Error> {
    let mut lists = ListsChanged::default();
    let mut text = uuid::Uuid::encode_buffer();
    let mut put = db.put(&PUT_HEARD);
    for ((order_id, source), row) in ledger.heard.changed() {
        let id: &str = order_id.hyphenated().encode_lower(&mut text);
        put.row(&[
            id.into(),
            source.name().into(),
            row.next_version.into(),
            (&row.hashes).into(),
            row.held.into(),
        ])?;
    }
    put.done()?;
    for ((order_id, source, version), slot) in &ledger.held {
        if slot.stored != slot.keep {
            lists.held += if slot.keep { 1 } else { -1 };
            write_held(db, *order_id, *source, *version, slot)?;
        }
    }
    for parked in ledger.parked.values() {
        lists.parked = true;
        write_parked(db, parked)?;
    }
    lists.parked |= delete_parked(db, &ledger.unparked)?;
    Ok(lists)
}

/// True if any of them was on the list.
fn delete_parked(db: &mut Connection, settled: &[String]) -> Result<bool, Error> {
    if settled.is_empty() {
        return Ok(false);
    }
    let mut find = db.find(&PARKED_EVENT, |row| row.text(0));
    for event in settled {
        find.key(&[event.into()])?;
    }
    let listed: Vec<String> = find.done()?.into_iter().flatten().collect();
    if !listed.is_empty() && numbers(db)?.is_some_and(|(last, listed)| last < listed) {
        db.execute_later(NOTE_NUMBER, &[])?;
    }
    for event in &listed {
        db.execute_later(DELETE_PARKED, &[event.into()])?;
    }
    Ok(!listed.is_empty())
}

fn write_held(
    db: &mut Connection,
    order_id: OrderId,
    source: Source,
    version: u32,
    slot: &HeldSlot,
) -> Result<(), Error> {
    let id = order_id.to_string();
    if !slot.keep {
        return db.execute_later(DELETE_HELD, &[(&id).into(), source.name().into(), version.into()]);
    }
    let record = &slot.record;
    let mut put = db.put(&PUT_HELD);
    put.row(&[
        (&id).into(),
        source.name().into(),
        version.into(),
        record.position.into(),
        (&record.kind).into(),
        record.at_ms.into(),
        (&record.body).into(),
        record.traceparent.as_ref().into(),
    ])?;
    put.done()
}

/// The highest number that was on the list and the highest that is, 0 for none, where the database gives the next after the
/// latter: a file does. A server gives none twice.
fn numbers(db: &mut Connection) -> Result<Option<(i64, i64)>, Error> {
    if db.is_shared() {
        return Ok(None);
    }
    db.query_one(NUMBERS, &[], |row| Ok((row.opt_int(0)?.unwrap_or(0), row.opt_int(1)?.unwrap_or(0))))
}

/// No number stands for two events, one after the other: whoever settles by an old list would settle something else.
fn write_parked(db: &mut Connection, parked: &Parked) -> Result<(), Error> {
    let numbers = numbers(db)?;
    let mut put = db.put(&PUT_PARKED);
    put.row(&[
        (&parked.event).into(),
        parked.source.name().into(),
        parked.position.into(),
        parked.order_id.as_ref().into(),
        parked.version.into(),
        (&parked.kind).into(),
        parked.at_ms.into(),
        (&parked.body).into(),
        parked.traceparent.as_ref().into(),
        (&parked.reason).into(),
        parked.parked_at_ms.into(),
    ])?;
    put.done()?;
    match numbers {
        Some((last, listed)) if last > listed => {
            db.execute_later(GIVE_NUMBER, &[(last + 1).into(), listed.into()])
        }
        _ => Ok(()),
    }
}

/// How many events are held. Reads all of them: for the start only.
pub(crate) fn count_held(db: &mut Connection) -> Result<i64, Error> {
    Ok(db.query_one(COUNT_HELD, &[], |row| row.int(0))?.unwrap_or(0))
}

/// How many events are set aside.
pub(crate) fn count_parked(db: &mut Connection) -> Result<i64, Error> {
    Ok(db.query_one(COUNT_PARKED, &[], |row| row.int(0))?.unwrap_or(0))
}

/// Set-aside events with a number above `after`, at most `limit`.
pub fn parked_page(db: &mut Connection, after: i64, limit: i64) -> Result<Vec<Parked>, Error> {
    db.query(PARKED_PAGE, &[after.into(), limit.into()], parked)
}

/// One set-aside event.
pub(crate) fn parked_one(db: &mut Connection, id: i64) -> Result<Option<Parked>, Error> {
    db.query_one(PARKED_ONE, &[id.into()], parked)
}

fn parked(row: &Row<'_>) -> Result<Parked, Error> {
    Ok(Parked {
        id: row.int(0)?,
        event: row.text(1)?,
        source: row.text(2)?.parse().map_err(Error::Refused)?,
        position: row.int(3)?,
        order_id: row.opt_text(4)?,
        version: row.opt_int(5)?,
        kind: row.text(6)?,
        at_ms: row.int(7)?,
        body: row.text(8)?,
        traceparent: row.opt_text(9)?,
        reason: row.text(10)?,
        parked_at_ms: row.int(11)?,
    })
}

fn number(row: &Row<'_>, column: usize) -> Result<u32, Error> {
    u32::try_from(row.int(column)?).map_err(|error| Error::Refused(error.to_string()))
}
