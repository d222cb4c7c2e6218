//! An outbox without a service behind it: a stand-in for a peer, and the way to say something by hand.

use cafe_clock::{Clock, Ids};
use cafe_events::{Record, Source};
use cafe_store::{Connection, Error, Param};

use crate::tables;
use crate::wake::Bell;
use crate::{MIGRATIONS, Place, StartError};

/// The outbox of a service that does not run.
pub struct Outbox {
    db: Connection,
    bell: Bell,
}

impl Outbox {
    /// Opens the outbox in the service's own file, making it if there is none.
    pub fn open(place: &Place, source: Source, clock: &Clock, ids: &Ids) -> Result<Self, StartError> {
        place.prepare()?;
        let mut db = Connection::open(place.database(source), MIGRATIONS)?;
        tables::name_log(&mut db, &ids.uuid(clock.now()).to_string())?;
        Ok(Self { db, bell: Bell::new(place, source) })
    }

    /// Appends records in order, wakes whoever listens, and answers the last position.
    pub fn say(&mut self, records: &[Record]) -> Result<i64, Error> {
        self.db.begin()?;
        let last = tables::lock(&mut self.db)?.last;
        let last = tables::append(&mut self.db, last, records)?;
        self.db.commit()?;
        self.bell.ring();
        Ok(last.unwrap_or(0))
    }

    /// How far `listener` has heard this outbox, by the position in its own file.
    pub fn heard_by(place: &Place, listener: Source, speaker: Source) -> Result<i64, Error> {
        let mut db = Connection::open_peer(place.database(listener))?;
        let sql = "SELECT position FROM positions WHERE source = $1 AND part = 0";
        Ok(db.query_one(sql, &[Param::from(speaker.name())], |row| row.int(0))?.unwrap_or(0))
    }
}
