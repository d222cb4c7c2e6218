//! Which replica's turn it is, and which of them leads.

use cafe_store::Column::{Int, Text};
use cafe_store::{Connection, Error, Put, Statements};
use jiff::Timestamp;

cafe_store::statements! {
    const LOCKED = "SELECT last FROM outbox_head WHERE id = 1";
    const BEFORE = "SELECT outbox_head.last, lease.replica, lease.epoch, lease.beats, moved_to FROM outbox_head, lease \
         WHERE outbox_head.id = 1 AND lease.id = 1";
    const LEASE = "SELECT replica, epoch, beats FROM lease WHERE id = 1";
    const TAKE_LEASE = "UPDATE lease SET replica = $1, epoch = epoch + 1, beats = 0 WHERE id = 1 RETURNING epoch";
    const BEAT = "UPDATE lease SET beats = beats + 1 WHERE id = 1 AND epoch = $1";
    const LEAVE_LEASE = "UPDATE lease SET replica = '' WHERE id = 1 AND epoch = $1";
    const TURN = "SELECT turn FROM replicas WHERE replica = $1";
    const FORGET_REPLICA = "DELETE FROM replicas WHERE replica = $1";
    const FORGET_REPLICAS = "DELETE FROM replicas WHERE at_ms < $1";
}

static PUT_TURN: Put = Put::new(
    "replicas",
    &[Text("replica"), Int("turn"), Int("at_ms")],
    "ON CONFLICT (replica) DO UPDATE SET turn = excluded.turn, at_ms = excluded.at_ms",
);

/// Every statement about it.
pub(super) const ALL: Statements = Statements { texts: STATEMENTS, puts: &[&PUT_TURN], finds: &[] };

/// What a turn begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Before {
    /// The last position of the outbox.
    pub last: i64,
    /// Who leads.
    pub lease: Lease,
}

/// Which replica of a service listens, relays and works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Its name; empty if nobody does.
    pub replica: String,
    /// Raised by one whenever it is taken.
    pub epoch: i64,
    /// Raised by one again and again by whoever has it.
    pub beats: i64,
}

/// Keeps other writers of this database out, from the next answer to the end of the transaction. [`locked`] tells what the last of
/// them has left.
pub(crate) fn lock_later(db: &mut Connection) {
    db.lock_later(LOCKED);
    db.ask_later(BEFORE);
}

/// The same at once.
pub(crate) fn lock(db: &mut Connection) -> Result<Before, Error> {
    lock_later(db);
    locked(db)
}

/// What the last writer has left, after [`lock_later`].
pub(crate) fn locked(db: &mut Connection) -> Result<Before, Error> {
    let mut before = db.answer(|row| {
        if row.opt_text(4)?.is_some() {
            return Err(Error::Busy("this database was moved; the service goes on there".to_owned()));
        }
        let lease = Lease { replica: row.text(1)?, epoch: row.int(2)?, beats: row.int(3)? };
        Ok(Before { last: row.int(0)?, lease })
    })?;
    before.pop().ok_or_else(|| Error::Refused("the outbox has no head, or there is no lease".to_owned()))
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
