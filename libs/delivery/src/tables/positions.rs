//! Up to where other services' logs were heard, and this one's was relayed.

use std::sync::Arc;

use cafe_events::Source;
use cafe_store::Column::{Int, Text};
use cafe_store::{Connection, Error, Put, Statements};

cafe_store::statements! {
    const POSITIONS = "SELECT part, log_id, position, next_offset FROM positions WHERE source = $1 ORDER BY part";
    const FORGET_PARTS = "DELETE FROM positions WHERE source = $1";
}

static PUT_POSITIONS: Put = Put::new(
    "positions",
    &[Text("source"), Int("part"), Text("log_id"), Int("position"), Int("epoch"), Int("next_offset")],
    "ON CONFLICT (source, part) DO UPDATE SET log_id = excluded.log_id, position = excluded.position, \
     epoch = excluded.epoch, next_offset = excluded.next_offset",
);

/// Every statement about it.
pub(super) const ALL: Statements = Statements { texts: STATEMENTS, puts: &[&PUT_POSITIONS], finds: &[] };

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
