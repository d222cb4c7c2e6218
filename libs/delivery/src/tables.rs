//! Every SQL statement about delivery's own tables.

use cafe_events::{OrderId, Record, Source};
use cafe_store::{Connection, Error, Param, Row};
use jiff::Timestamp;

use crate::ledger::{HeardRow, HeldSlot, Ledger, Parked};

const HEAD: &str = "SELECT log_id, oldest, last, restored_at_ms FROM outbox_head WHERE id = 1";
const NAME_LOG: &str = "UPDATE outbox_head SET log_id = $1 WHERE id = 1 AND log_id = ''";
const MARK_RESTORED: &str = "UPDATE outbox_head SET log_id = $1, restored_at_ms = $2 WHERE id = 1";
const ADVANCE_HEAD: &str = "UPDATE outbox_head SET last = last + $1 WHERE id = 1 RETURNING last";
const APPEND: &str = "INSERT INTO outbox (position, order_id, version, kind, at_ms, body, traceparent) \
     VALUES ($1, $2, $3, $4, $5, $6, $7)";
const READ_AFTER: &str = "SELECT position, order_id, version, kind, at_ms, body, traceparent FROM outbox \
     WHERE position > $1 ORDER BY position LIMIT $2";
const TOUCH_HEAD: &str = "UPDATE outbox_head SET last = last WHERE id = 1";
const PRUNE_BEFORE: &str = "SELECT MAX(position) FROM (SELECT position, at_ms FROM outbox ORDER BY position LIMIT $2) AS first \
     WHERE at_ms < $1";
const PRUNE: &str = "DELETE FROM outbox WHERE position <= $1";
const RAISE_OLDEST: &str = "UPDATE outbox_head SET oldest = $1 WHERE id = 1 AND oldest < $1";

const TAKE_OVER: &str = "INSERT INTO positions (source, part, log_id, position, epoch) VALUES ($1, 0, '', 0, 1) \
     ON CONFLICT (source, part) DO UPDATE SET epoch = positions.epoch + 1 RETURNING log_id, position, epoch";
const ADVANCE: &str =
    "UPDATE positions SET log_id = $2, position = $3 WHERE source = $1 AND part = 0 AND epoch = $4";
const EPOCH_HELD: &str = "SELECT 1 FROM positions WHERE source = $1 AND part = 0 AND epoch = $2";

const HEARD: &str = "SELECT next_version, hashes, held FROM heard WHERE order_id = $1 AND source = $2";
const PUT_HEARD: &str = "INSERT INTO heard (order_id, source, next_version, hashes, held) VALUES ($1, $2, $3, $4, $5) \
     ON CONFLICT (order_id, source) DO UPDATE SET next_version = $3, hashes = $4, held = $5";
const HELD: &str = "SELECT position, order_id, version, kind, at_ms, body, traceparent FROM held \
     WHERE order_id = $1 AND source = $2 ORDER BY version";
const PUT_HELD: &str = "INSERT INTO held (order_id, source, version, position, kind, at_ms, body, traceparent) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const DELETE_HELD: &str = "DELETE FROM held WHERE order_id = $1 AND source = $2 AND version = $3";
const COUNT_HELD: &str = "SELECT COUNT(*) FROM held";

const PARKED_PAGE: &str = "SELECT id, event, source, position, order_id, version, kind, at_ms, body, traceparent, \
     reason, parked_at_ms FROM parked WHERE id > $1 ORDER BY id LIMIT $2";
const PARKED_ONE: &str = "SELECT id, event, source, position, order_id, version, kind, at_ms, body, traceparent, \
     reason, parked_at_ms FROM parked WHERE id = $1";
const PUT_PARKED: &str = "INSERT INTO parked (event, source, position, order_id, version, kind, at_ms, body, \
     traceparent, reason, parked_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
     ON CONFLICT (event) DO UPDATE SET position = $3, body = $8, reason = $10";
const DELETE_PARKED: &str = "DELETE FROM parked WHERE event = $1";
const COUNT_PARKED: &str = "SELECT COUNT(*) FROM parked";

/// The head of an outbox, which is a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// New at creation and after a restore.
    pub log_id: String,
    /// The first position that is still kept.
    pub oldest: i64,
    /// The last position given; 0 while nothing was said.
    pub last: i64,
    /// When the log was restored from an older copy, milliseconds since the Unix epoch.
    pub restored_at_ms: Option<i64>,
}

/// Up to where a listener has heard a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The log that `position` belongs to; empty before anything was heard.
    pub log_id: String,
    /// The last position taken in.
    pub position: i64,
    /// Who may move it: each process that takes over raises it by one.
    pub epoch: i64,
}

/// The head of this database's outbox.
pub fn head(db: &mut Connection) -> Result<Head, Error> {
    let head = db.query_one(HEAD, &[], |row| {
        Ok(Head {
            log_id: row.text(0)?,
            oldest: row.int(1)?,
            last: row.int(2)?,
            restored_at_ms: row.opt_int(3)?,
        })
    })?;
    head.ok_or_else(|| Error::Refused("the outbox has no head".to_owned()))
}

/// Gives a new outbox its name.
pub(crate) fn name_log(db: &mut Connection, log_id: &str) -> Result<(), Error> {
    db.execute(NAME_LOG, &[log_id.into()]).map(drop)
}

/// Marks a database as restored from an older copy: its listeners hear it again from the oldest event, and it looks before
/// it acts.
pub fn mark_restored(db: &mut Connection, log_id: &str, now: Timestamp) -> Result<(), Error> {
    db.execute(MARK_RESTORED, &[log_id.into(), now.as_millisecond().into()]).map(drop)
}

/// Appends records to the outbox, in order; the last statements of a turn. Answers the last position.
pub(crate) fn append(db: &mut Connection, records: &[Record]) -> Result<Option<i64>, Error> {
    if records.is_empty() {
        return Ok(None);
    }
    let count = records.len() as i64;
    let last = db.query_one(ADVANCE_HEAD, &[count.into()], |row| row.int(0))?;
    let last = last.ok_or_else(|| Error::Refused("the outbox has no head".to_owned()))?;
    for (position, record) in (last - count + 1..).zip(records) {
        db.execute(
            APPEND,
            &[
                position.into(),
                (&record.order_id).into(),
                record.version.into(),
                (&record.kind).into(),
                record.at_ms.into(),
                (&record.body).into(),
                record.traceparent.as_ref().into(),
            ],
        )?;
    }
    Ok(Some(last))
}

/// At most `limit` records of this database's outbox after `position`.
pub fn read_after(db: &mut Connection, position: i64, limit: i64) -> Result<Vec<Record>, Error> {
    db.query(READ_AFTER, &[position.into(), limit.into()], record)
}

/// Writes, but changes nothing: whether it commits tells whether anything would.
pub(crate) fn touch(db: &mut Connection) -> Result<(), Error> {
    db.execute(TOUCH_HEAD, &[]).map(drop)
}

/// Drops records said before `before`, at most `limit` of them; answers how far the log was pruned.
pub(crate) fn prune(db: &mut Connection, before: Timestamp, limit: i64) -> Result<Option<i64>, Error> {
    let through =
        db.query_one(PRUNE_BEFORE, &[before.as_millisecond().into(), limit.into()], |row| row.opt_int(0))?;
    let Some(Some(through)) = through else { return Ok(None) };
    db.execute(PRUNE, &[through.into()])?;
    db.execute(RAISE_OLDEST, &[(through + 1).into()])?;
    Ok(Some(through))
}

/// Takes over the hearing of `source`: whoever did it before can write no more.
pub(crate) fn take_over(db: &mut Connection, source: Source) -> Result<Position, Error> {
    let position = db.query_one(TAKE_OVER, &[source.name().into()], |row| {
        Ok(Position { log_id: row.text(0)?, position: row.int(1)?, epoch: row.int(2)? })
    })?;
    position.ok_or_else(|| Error::Refused("no position was given".to_owned()))
}

/// Moves a position on. False if somebody else has taken over.
pub(crate) fn advance(db: &mut Connection, source: Source, to: &Position) -> Result<bool, Error> {
    let params = [source.name().into(), (&to.log_id).into(), to.position.into(), to.epoch.into()];
    Ok(db.execute(ADVANCE, &params)? == 1)
}

/// Whether the hearing of `source` is still ours.
pub(crate) fn epoch_held(db: &mut Connection, source: Source, epoch: i64) -> Result<bool, Error> {
    Ok(db.query_one(EPOCH_HELD, &[source.name().into(), epoch.into()], |row| row.int(0))?.is_some())
}

/// Loads the ledger's rows that are wanted, and what is held behind them.
pub(crate) fn load(db: &mut Connection, ledger: &mut Ledger) -> Result<(), Error> {
    for (order_id, source) in ledger.heard.wanted() {
        let mut text = uuid::Uuid::encode_buffer();
        let id: &str = order_id.hyphenated().encode_lower(&mut text);
        let row = db.query_one(HEARD, &[id.into(), source.name().into()], |row| {
            Ok(HeardRow { next_version: number(row, 0)?, hashes: row.text(1)?, held: number(row, 2)? })
        })?;
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

/// How the lists of held and set-aside events changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ListsChanged {
    /// How many more are held now.
    pub(crate) held: i64,
    /// Whether another number may be set aside now.
    pub(crate) parked: bool,
}

/// Writes what the turn changed in the ledger.
pub(crate) fn write(db: &mut Connection, ledger: &Ledger) -> Result<ListsChanged, Error> {
    let mut lists = ListsChanged::default();
    for ((order_id, source), row) in ledger.heard.changed() {
        let mut text = uuid::Uuid::encode_buffer();
        let id: &str = order_id.hyphenated().encode_lower(&mut text);
        db.execute(
            PUT_HEARD,
            &[
                id.into(),
                source.name().into(),
                row.next_version.into(),
                (&row.hashes).into(),
                row.held.into(),
            ],
        )?;
    }
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
    for event in &ledger.unparked {
        lists.parked |= db.execute(DELETE_PARKED, &[event.into()])? > 0;
    }
    Ok(lists)
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
        return db.execute(DELETE_HELD, &[(&id).into(), source.name().into(), version.into()]).map(drop);
    }
    let record = &slot.record;
    let params = [
        (&id).into(),
        source.name().into(),
        version.into(),
        record.position.into(),
        (&record.kind).into(),
        record.at_ms.into(),
        (&record.body).into(),
        record.traceparent.as_ref().into(),
    ];
    db.execute(PUT_HELD, &params).map(drop)
}

fn write_parked(db: &mut Connection, parked: &Parked) -> Result<(), Error> {
    let params: [Param<'_>; 11] = [
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
    ];
    db.execute(PUT_PARKED, &params).map(drop)
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

fn record(row: &Row<'_>) -> Result<Record, Error> {
    Ok(Record {
        position: row.int(0)?,
        order_id: row.text(1)?,
        version: row.int(2)?,
        kind: row.text(3)?,
        at_ms: row.int(4)?,
        body: row.text(5)?,
        traceparent: row.opt_text(6)?,
    })
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
