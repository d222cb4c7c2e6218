//! The outbox, which is this service's log, and its head.

use cafe_events::Record;
use cafe_store::Column::{Int, Text};
use cafe_store::{Connection, Error, Put, Row, Statements};
use jiff::Timestamp;

use super::record;

cafe_store::statements! {
    const HEAD = "SELECT log_id, oldest, last, restored_at_ms FROM outbox_head WHERE id = 1";
    const MOVED_TO = "SELECT moved_to FROM outbox_head WHERE id = 1";
    const MOVE_TO = "UPDATE outbox_head SET moved_to = $1 WHERE id = 1";
    const NAME_LOG = "UPDATE outbox_head SET log_id = $1 WHERE id = 1 AND log_id = ''";
    const MARK_RESTORED = "UPDATE outbox_head SET log_id = $1, restored_at_ms = $2 WHERE id = 1";
    const MOVE_HEAD = "UPDATE outbox_head SET last = $1 WHERE id = 1";
    const READ_AFTER =
        concat!("SELECT ", record_columns!(), " FROM outbox WHERE position > $1 ORDER BY position LIMIT $2");
    const HEAD_AND_AFTER = "SELECT said.position, order_id, version, kind, at_ms, body, traceparent, \
         log_id, oldest, last, restored_at_ms FROM outbox_head LEFT JOIN (SELECT position, order_id, version, kind, at_ms, \
         body, traceparent FROM outbox WHERE position > $1 ORDER BY position LIMIT $2) AS said ON TRUE \
         WHERE id = 1 ORDER BY said.position";
    const TOUCH_HEAD = "UPDATE outbox_head SET last = last WHERE id = 1";
    const PRUNE_BEFORE = "SELECT MAX(position) FROM (SELECT position, at_ms FROM outbox ORDER BY position LIMIT $2) AS first \
         WHERE at_ms < $1";
    const PRUNE = "DELETE FROM outbox WHERE position <= $1";
    const RAISE_OLDEST = "UPDATE outbox_head SET oldest = $1 WHERE id = 1 AND oldest < $1";
}

static APPEND: Put = Put::new(
    "outbox",
    &[
        Int("position"),
        Text("order_id"),
        Int("version"),
        Text("kind"),
        Int("at_ms"),
        Text("body"),
        Text("traceparent"),
    ],
    "",
);

/// Every statement about it.
pub(super) const ALL: Statements = Statements { texts: STATEMENTS, puts: &[&APPEND], finds: &[] };

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

/// The head of this database's outbox.
pub fn head(db: &mut Connection) -> Result<Head, Error> {
    let head = db.query_one(HEAD, &[], |row| read_head(row, 0))?;
    head.ok_or_else(|| Error::Refused("the outbox has no head".to_owned()))
}

/// A head from this column on.
fn read_head(row: &Row<'_>, first: usize) -> Result<Head, Error> {
    Ok(Head {
        log_id: row.text(first)?,
        oldest: row.int(first + 1)?,
        last: row.int(first + 2)?,
        restored_at_ms: row.opt_int(first + 3)?,
    })
}

/// Gives a new outbox its name.
pub fn name_log(db: &mut Connection, log_id: &str) -> Result<(), Error> {
    db.execute(NAME_LOG, &[log_id.into()]).map(drop)
}

/// Marks a database as restored from an older copy: its listeners hear it again from the oldest event, and it looks before
/// it acts.
pub fn mark_restored(db: &mut Connection, log_id: &str, now: Timestamp) -> Result<(), Error> {
    db.execute(MARK_RESTORED, &[log_id.into(), now.as_millisecond().into()]).map(drop)
}

/// Appends records to the outbox, in order, after its `last` position; the last statements of a turn. Answers the last
/// position then.
pub(crate) fn append(db: &mut Connection, last: i64, records: &[Record]) -> Result<Option<i64>, Error> {
    if records.is_empty() {
        return Ok(None);
    }
    let mut append = db.put(&APPEND);
    for (position, record) in (last + 1..).zip(records) {
        append.row(&[
            position.into(),
            (&record.order_id).into(),
            record.version.into(),
            (&record.kind).into(),
            record.at_ms.into(),
            (&record.body).into(),
            record.traceparent.as_ref().into(),
        ])?;
    }
    append.done()?;
    let last = last + records.len() as i64;
    db.execute_later(MOVE_HEAD, &[last.into()])?;
    Ok(Some(last))
}

/// At most `limit` records of this database's outbox after `position`.
pub fn read_after(db: &mut Connection, position: i64, limit: i64) -> Result<Vec<Record>, Error> {
    db.query(READ_AFTER, &[position.into(), limit.into()], record)
}

/// The head, and at most `limit` records after `position`, as they were at one moment.
pub(crate) fn head_and_after(
    db: &mut Connection,
    position: i64,
    limit: i64,
) -> Result<(Head, Vec<Record>), Error> {
    let mut head = None;
    let records = db.query(HEAD_AND_AFTER, &[position.into(), limit.into()], |row| {
        if head.is_none() {
            head = Some(read_head(row, 7)?);
        }
        // Without a record there is one row, with the head alone.
        row.opt_int(0)?.map(|_| record(row)).transpose()
    })?;
    let head = head.ok_or_else(|| Error::Refused("the outbox has no head".to_owned()))?;
    Ok((head, records.into_iter().flatten().collect()))
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

/// Where a database was moved to, if it was. One of an older program was not.
pub(crate) fn moved_to(db: &mut Connection) -> Option<String> {
    db.query_one(MOVED_TO, &[], |row| row.opt_text(0)).ok()??
}

/// Says where a database was moved to: from this commit on nothing is written here any more.
pub fn say_moved(db: &mut Connection, to: &str) -> Result<(), Error> {
    db.execute(MOVE_TO, &[to.into()]).map(drop)
}
