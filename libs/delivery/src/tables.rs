//! Every SQL statement about delivery's own tables.

use std::sync::Arc;

use cafe_events::{OrderId, Record, Source};
use cafe_store::Column::{Int, Text};
use cafe_store::{Connection, Error, Find, Put, Row, Statements};
use jiff::Timestamp;

use crate::domain::Tables;
use crate::ledger::{HeardRow, HeldSlot, Ledger, Parked};

cafe_store::statements! {
    const HEAD = "SELECT log_id, oldest, last, restored_at_ms FROM outbox_head WHERE id = 1";
    const MOVED_TO = "SELECT moved_to FROM outbox_head WHERE id = 1";
    const MOVE_TO = "UPDATE outbox_head SET moved_to = $1 WHERE id = 1";
    const LOCKED = "SELECT last FROM outbox_head WHERE id = 1";
    const BEFORE = "SELECT outbox_head.last, lease.replica, lease.epoch, lease.beats, moved_to FROM outbox_head, lease \
         WHERE outbox_head.id = 1 AND lease.id = 1";
    const NAME_LOG = "UPDATE outbox_head SET log_id = $1 WHERE id = 1 AND log_id = ''";
    const MARK_RESTORED = "UPDATE outbox_head SET log_id = $1, restored_at_ms = $2 WHERE id = 1";
    const MOVE_HEAD = "UPDATE outbox_head SET last = $1 WHERE id = 1";
    const READ_AFTER = "SELECT position, order_id, version, kind, at_ms, body, traceparent FROM outbox \
         WHERE position > $1 ORDER BY position LIMIT $2";
    const HEAD_AND_AFTER = "SELECT said.position, order_id, version, kind, at_ms, body, traceparent, \
         log_id, oldest, last, restored_at_ms FROM outbox_head LEFT JOIN (SELECT position, order_id, version, kind, at_ms, \
         body, traceparent FROM outbox WHERE position > $1 ORDER BY position LIMIT $2) AS said ON TRUE \
         WHERE id = 1 ORDER BY said.position";
    const TOUCH_HEAD = "UPDATE outbox_head SET last = last WHERE id = 1";
    const PRUNE_BEFORE = "SELECT MAX(position) FROM (SELECT position, at_ms FROM outbox ORDER BY position LIMIT $2) AS first \
         WHERE at_ms < $1";
    const PRUNE = "DELETE FROM outbox WHERE position <= $1";
    const RAISE_OLDEST = "UPDATE outbox_head SET oldest = $1 WHERE id = 1 AND oldest < $1";

    const POSITIONS = "SELECT part, log_id, position, next_offset FROM positions WHERE source = $1 ORDER BY part";

    const FORGET_PARTS = "DELETE FROM positions WHERE source = $1";

    const LEASE = "SELECT replica, epoch, beats FROM lease WHERE id = 1";
    const TAKE_LEASE = "UPDATE lease SET replica = $1, epoch = epoch + 1, beats = 0 WHERE id = 1 RETURNING epoch";
    const BEAT = "UPDATE lease SET beats = beats + 1 WHERE id = 1 AND epoch = $1";
    const LEAVE_LEASE = "UPDATE lease SET replica = '' WHERE id = 1 AND epoch = $1";

    const TURN = "SELECT turn FROM replicas WHERE replica = $1";
    const FORGET_REPLICA = "DELETE FROM replicas WHERE replica = $1";
    const FORGET_REPLICAS = "DELETE FROM replicas WHERE at_ms < $1";

    const HELD = "SELECT position, order_id, version, kind, at_ms, body, traceparent FROM held \
         WHERE order_id = $1 AND source = $2 ORDER BY version";
    const DELETE_HELD = "DELETE FROM held WHERE order_id = $1 AND source = $2 AND version = $3";
    const COUNT_HELD = "SELECT COUNT(*) FROM held";

    const PARKED_PAGE = "SELECT id, event, source, position, order_id, version, kind, at_ms, body, traceparent, \
         reason, parked_at_ms FROM parked WHERE id > $1 ORDER BY id LIMIT $2";
    const PARKED_ONE = "SELECT id, event, source, position, order_id, version, kind, at_ms, body, traceparent, \
         reason, parked_at_ms FROM parked WHERE id = $1";
    const DELETE_PARKED = "DELETE FROM parked WHERE event = $1";
    const COUNT_PARKED = "SELECT COUNT(*) FROM parked";
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
static PUT_POSITIONS: Put = Put::new(
    "positions",
    &[Text("source"), Int("part"), Text("log_id"), Int("position"), Int("epoch"), Int("next_offset")],
    "ON CONFLICT (source, part) DO UPDATE SET log_id = excluded.log_id, position = excluded.position, \
     epoch = excluded.epoch, next_offset = excluded.next_offset",
);
static PUT_TURN: Put = Put::new(
    "replicas",
    &[Text("replica"), Int("turn"), Int("at_ms")],
    "ON CONFLICT (replica) DO UPDATE SET turn = excluded.turn, at_ms = excluded.at_ms",
);
static HEARD: Find = Find::new("next_version, hashes, held", "heard", &[Text("order_id"), Text("source")]);
static PUT_HEARD: Put = Put::new(
    "heard",
    &[Text("order_id"), Text("source"), Int("next_version"), Text("hashes"), Int("held")],
    "ON CONFLICT (order_id, source) DO UPDATE SET next_version = excluded.next_version, \
     hashes = excluded.hashes, held = excluded.held",
);
static PARKED_EVENT: Find = Find::new("event", "parked", &[Text("event")]);
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

static PUTS: [&Put; 6] = [&APPEND, &PUT_POSITIONS, &PUT_TURN, &PUT_HEARD, &PUT_HELD, &PUT_PARKED];
static FINDS: [&Find; 2] = [&HEARD, &PARKED_EVENT];

/// Delivery's own.
const ALL: Statements = Statements { texts: STATEMENTS, puts: &PUTS, finds: &FINDS };

/// Checks that the database can run every statement of a service, without running any.
pub fn prepare_all<D: Tables>(db: &mut Connection) -> Result<(), Error> {
    ALL.prepare(db)?;
    D::STATEMENTS.prepare(db)
}

/// Answers if `cafe move` has made its table there.
const MOVING: &str = "SELECT COUNT(*) FROM moving";
/// It has no use any more.
const END_MOVING: &str = "DROP TABLE IF EXISTS moving";

/// Notes that a service has been brought here, and goes on here.
pub fn end_moving(db: &mut Connection) -> Result<(), Error> {
    db.batch(END_MOVING)
}

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

/// Up to where a part of a log was heard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Which part: 0 where a log has only one, else the partition of its topic.
    pub part: i64,
    /// The log that `position` belongs to; empty before anything was heard.
    pub log_id: Arc<str>,
    /// The last position taken in.
    pub position: i64,
    /// Where the part is read on, if a broker keeps it and this is known.
    pub next_offset: Option<i64>,
}

/// What a turn begins with.
#[derive(Clone, Debug)]
pub(crate) struct Before {
    /// The last position of the outbox.
    pub(crate) last: i64,
    pub(crate) lease: Lease,
}

/// Which replica of a service listens, relays and works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lease {
    /// Its name; empty if nobody does.
    pub(crate) replica: String,
    /// Raised by one whenever it is taken.
    pub(crate) epoch: i64,
    /// Raised by one again and again by whoever has it.
    pub(crate) beats: i64,
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
pub(crate) fn name_log(db: &mut Connection, log_id: &str) -> Result<(), Error> {
    db.execute(NAME_LOG, &[log_id.into()]).map(drop)
}

/// Marks a database as restored from an older copy: its listeners hear it again from the oldest event, and it looks before
/// it acts.
pub fn mark_restored(db: &mut Connection, log_id: &str, now: Timestamp) -> Result<(), Error> {
    db.execute(MARK_RESTORED, &[log_id.into(), now.as_millisecond().into()]).map(drop)
}

/// Keeps other writers of this database out until the end of the transaction; answers what the last of them has left.
pub(crate) fn lock(db: &mut Connection) -> Result<Before, Error> {
    db.lock_later(LOCKED);
    let before = db.query_one(BEFORE, &[], |row| {
        if row.opt_text(4)?.is_some() {
            return Err(Error::Busy("this database was moved; the service goes on there".to_owned()));
        }
        let lease = Lease { replica: row.text(1)?, epoch: row.int(2)?, beats: row.int(3)? };
        Ok(Before { last: row.int(0)?, lease })
    })?;
    before.ok_or_else(|| Error::Refused("the outbox has no head, or there is no lease".to_owned()))
}

/// Whether `cafe move` has begun to bring a service here, and was not seen to its end.
pub(crate) fn is_being_moved_here(db: &mut Connection) -> Result<bool, Error> {
    match db.query_one(MOVING, &[], |row| row.int(0)) {
        Ok(_) => Ok(true),
        Err(Error::Absent(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Where a database was moved to, if it was. One of an older program was not.
pub(crate) fn moved_to(db: &mut Connection) -> Option<String> {
    db.query_one(MOVED_TO, &[], |row| row.opt_text(0)).ok()??
}

/// Says where a database was moved to: from this commit on nothing is written here any more.
pub fn say_moved(db: &mut Connection, to: &str) -> Result<(), Error> {
    db.execute(MOVE_TO, &[to.into()]).map(drop)
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

/// Up to where each part of `source`'s log was heard.
pub(crate) fn positions(db: &mut Connection, source: Source) -> Result<Vec<Position>, Error> {
    db.query(POSITIONS, &[source.name().into()], |row| {
        Ok(Position {
            part: row.int(0)?,
            log_id: row.str(1)?.into(),
            position: row.int(2)?,
            next_offset: row.opt_int(3)?,
        })
    })
}

/// Without a broker a log has one part: what was heard of all parts is what was heard of the least of them.
pub(crate) fn join_parts(db: &mut Connection, source: Source, epoch: i64) -> Result<(), Error> {
    let parts = positions(db, source)?;
    let Some(least) = parts.iter().min_by_key(|part| part.position).filter(|_| parts.len() > 1) else {
        return Ok(());
    };
    let whole = Position { part: 0, next_offset: None, ..least.clone() };
    db.begin()?;
    db.execute_later(FORGET_PARTS, &[source.name().into()])?;
    move_positions(db, epoch, std::iter::once((source, &whole)))?;
    db.commit()
}

/// Moves positions on, under the lease of this epoch.
pub(crate) fn move_positions<'a>(
    db: &mut Connection,
    epoch: i64,
    moved: impl Iterator<Item = (Source, &'a Position)>,
) -> Result<(), Error> {
    let mut put = db.put(&PUT_POSITIONS);
    for (source, to) in moved {
        put.row(&[
            source.name().into(),
            to.part.into(),
            (&*to.log_id).into(),
            to.position.into(),
            epoch.into(),
            to.next_offset.into(),
        ])?;
    }
    put.done()
}

/// The lease as it stands; whoever has it may lose it at any moment, unless this follows a [`lock`].
pub(crate) fn lease(db: &mut Connection) -> Result<Lease, Error> {
    let lease = db.query_one(LEASE, &[], |row| {
        Ok(Lease { replica: row.text(0)?, epoch: row.int(1)?, beats: row.int(2)? })
    })?;
    lease.ok_or_else(|| Error::Refused("there is no lease".to_owned()))
}

/// Takes the lease, whoever has it; no turn may be under way ([`lock`]). Answers the new epoch.
pub(crate) fn take_lease(db: &mut Connection, replica: &str) -> Result<i64, Error> {
    let epoch = db.query_one(TAKE_LEASE, &[replica.into()], |row| row.int(0))?;
    epoch.ok_or_else(|| Error::Refused("there is no lease".to_owned()))
}

/// Shows that whoever has the lease is alive. False if somebody else has it.
pub(crate) fn beat(db: &mut Connection, epoch: i64) -> Result<bool, Error> {
    Ok(db.execute(BEAT, &[epoch.into()])? == 1)
}

/// Leaves the lease to whoever wants it.
pub(crate) fn leave_lease(db: &mut Connection, epoch: i64) -> Result<(), Error> {
    db.execute(LEAVE_LEASE, &[epoch.into()]).map(drop)
}

/// Notes which turn of a replica this is, so that it can be found out later whether it was committed.
pub(crate) fn note_turn(db: &mut Connection, replica: &str, turn: i64, now: Timestamp) -> Result<(), Error> {
    let mut put = db.put(&PUT_TURN);
    put.row(&[replica.into(), turn.into(), now.as_millisecond().into()])?;
    put.done()
}

/// The last turn of a replica that was committed.
pub(crate) fn last_turn(db: &mut Connection, replica: &str) -> Result<i64, Error> {
    Ok(db.query_one(TURN, &[replica.into()], |row| row.int(0))?.unwrap_or(0))
}

/// Forgets a replica that has ended.
pub(crate) fn forget_replica(db: &mut Connection, replica: &str) -> Result<(), Error> {
    db.execute(FORGET_REPLICA, &[replica.into()]).map(drop)
}

/// Forgets replicas that committed nothing since `before`.
pub(crate) fn forget_replicas(db: &mut Connection, before: Timestamp) -> Result<(), Error> {
    db.execute(FORGET_REPLICAS, &[before.as_millisecond().into()]).map(drop)
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

fn write_parked(db: &mut Connection, parked: &Parked) -> Result<(), Error> {
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
    put.done()
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
