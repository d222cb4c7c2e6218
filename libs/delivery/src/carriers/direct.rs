//! The carrier without a broker: a listener reads the speaker's outbox straight from the speaker's database. What a dead
//! speaker has announced can still be read.

use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use cafe_events::{Record, Source};
use cafe_store::{Connection, Database, Error, Server};

use super::log::{self, Seen};
use super::{Carrier, News, Parts};
use crate::place::Moved;
use crate::tables::{self, Position};
use crate::turn::Arrived;
use crate::wake::Ear;

/// Without a nudge the log is looked at this often.
const POLL: Duration = Duration::from_millis(500);

/// Reads one speaker's outbox.
pub(crate) struct Direct {
    source: Source,
    database: Database,
    ear: Ear,
    open: Option<Open>,
}

struct Open {
    db: Connection,
    /// Which file was opened; a restore puts another in its place.
    inode: Option<u64>,
}

impl Direct {
    pub(crate) fn new(source: Source, database: Database, ear: Ear) -> Self {
        Self { source, database, ear, open: None }
    }

    fn open(&mut self) -> Result<&mut Connection, Error> {
        let inode = match self.database.file() {
            Some(path) => {
                Some(std::fs::metadata(path).map_err(|error| Error::Absent(error.to_string()))?.ino())
            }
            None => None,
        };
        if self.open.as_ref().is_some_and(|open| open.inode != inode) {
            tracing::info!(source = %self.source, "its file was replaced; opening it anew");
            self.open = None;
        }
        if self.open.is_none() {
            self.open = Some(Open { db: Connection::open_peer(&self.database)?, inode });
        }
        match &mut self.open {
            Some(open) => Ok(&mut open.db),
            None => Err(Error::Absent("not open".to_owned())),
        }
    }

    /// Goes on at the place that the database was moved to, if it was: the log is the same there.
    fn follow(&mut self) -> bool {
        let moved = self.open.as_mut().and_then(|open| Moved::of(&mut open.db));
        let server = moved.and_then(|moved| Server::of_service(&moved.database, self.source.name()).ok());
        let Some(server) = server.filter(|_| self.database.file().is_some()) else { return false };
        tracing::info!(source = %self.source, "its database was moved; going on there");
        (self.database, self.open) = (Database::Server(server), None);
        true
    }

    fn see(&mut self, heard: &Position, limit: usize) -> Result<Seen<Record>, Error> {
        let db = self.open()?;
        // One short read transaction: whoever stops inside it keeps the speaker's write-ahead log from being reused.
        let read = db.begin_reading().and_then(|()| see(db, heard, limit));
        let ended = db.rollback();
        if read.is_err() || ended.is_err() {
            self.open = None;
        }
        ended?;
        read
    }
}

impl Carrier for Direct {
    fn read_after(&mut self, heard: &Parts, limit: usize) -> Result<News, String> {
        let before = heard.get(&0).cloned().unwrap_or_default();
        let mut seen = self.see(&before, limit).map_err(|error| error.to_string())?;
        if seen.records.is_empty() && self.follow() {
            seen = self.see(&before, limit).map_err(|error| error.to_string())?;
        }
        let source = self.source;
        seen.news(source, &before, limit, |record| Arrived::new(source, record))
    }

    fn wait(&mut self) {
        self.ear.wait(POLL);
    }

    fn system(&self) -> &'static str {
        "cafe"
    }
}

fn see(db: &mut Connection, heard: &Position, limit: usize) -> Result<Seen<Record>, Error> {
    let head = tables::head(db)?;
    let from = log::read_from(&head, heard);
    let records = if from < head.last { tables::read_after(db, from, limit as i64)? } else { Vec::new() };
    Ok(Seen { head, from, records })
}
