//! Every SQL statement about delivery's own tables.

/// An event as `record` reads it.
macro_rules! record_columns {
    () => {
        "position, order_id, version, kind, at_ms, body, traceparent"
    };
}

mod ledger;
mod log;
mod positions;
mod replicas;

use cafe_events::Record;
use cafe_store::{Connection, Error, Row, Statements};

pub use self::ledger::{ListsChanged, parked_page};
pub(crate) use self::ledger::{count_held, count_parked, load, parked_one, write};
pub use self::log::{Head, head, mark_restored, name_log, read_after, say_moved};
pub(crate) use self::log::{append, head_and_after, moved_to, prune, touch};
pub use self::positions::Position;
pub(crate) use self::positions::{join_parts, move_positions, positions};
pub use self::replicas::{Before, Lease};
pub(crate) use self::replicas::{
    beat, forget_replica, forget_replicas, last_turn, lease, leave_lease, lock, lock_later, locked,
    note_turn, take_lease,
};
use crate::domain::Tables;

/// Delivery's own.
const ALL: [Statements; 4] = [log::ALL, positions::ALL, replicas::ALL, ledger::ALL];

/// Checks that the database can run every statement of a service, without running any.
pub fn prepare_all<D: Tables>(db: &mut Connection) -> Result<(), Error> {
    ALL.iter().try_for_each(|statements| statements.prepare(db))?;
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

/// Whether `cafe move` has begun to bring a service here, and was not seen to its end.
pub(crate) fn is_being_moved_here(db: &mut Connection) -> Result<bool, Error> {
    match db.query_one(MOVING, &[], |row| row.int(0)) {
        Ok(_) => Ok(true),
        Err(Error::Absent(_)) => Ok(false),
        Err(error) => Err(error),
    }
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
