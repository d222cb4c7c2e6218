//! The carrier of one machine: a listener reads its peer's outbox straight from the peer's file. No broker, and what a dead
//! peer has announced can still be read.

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::Duration;

use cafe_events::{Record, Source};
use cafe_store::{Connection, Error};

use crate::listener::{Carrier, News};
use crate::tables::{self, Head};
use crate::wake::Ear;

/// Without a nudge the log is looked at this often.
const POLL: Duration = Duration::from_millis(500);

/// Reads one peer's outbox.
pub(crate) struct Direct {
    source: Source,
    path: PathBuf,
    ear: Ear,
    open: Option<Open>,
}

struct Open {
    db: Connection,
    /// Which file was opened; a restore puts another in its place.
    inode: u64,
}

impl Direct {
    pub(crate) fn new(source: Source, path: PathBuf, ear: Ear) -> Self {
        Self { source, path, ear, open: None }
    }

    fn open(&mut self) -> Result<&mut Connection, Error> {
        let inode = std::fs::metadata(&self.path).map_err(|error| Error::Absent(error.to_string()))?.ino();
        if self.open.as_ref().is_some_and(|open| open.inode != inode) {
            tracing::info!(source = %self.source, "its file was replaced; opening it anew");
            self.open = None;
        }
        if self.open.is_none() {
            self.open = Some(Open { db: Connection::open_peer(&self.path)?, inode });
        }
        match &mut self.open {
            Some(open) => Ok(&mut open.db),
            None => Err(Error::Absent("not open".to_owned())),
        }
    }
}

impl Carrier for Direct {
    fn read_after(&mut self, log_id: &str, position: i64, limit: i64) -> Result<News, Error> {
        let db = self.open()?;
        // One short read transaction: whoever stops inside it keeps the peer's write-ahead log from being reused.
        db.batch("BEGIN")?;
        let read = read(db, log_id, position, limit);
        let ended = db.batch("COMMIT");
        if read.is_err() || ended.is_err() {
            self.open = None;
        }
        ended?;
        read
    }

    fn wait(&mut self) {
        self.ear.wait(POLL);
    }
}

fn read(db: &mut Connection, log_id: &str, position: i64, limit: i64) -> Result<News, Error> {
    let head: Head = tables::head(db)?;
    let from = if head.log_id == log_id && position <= head.last { position } else { head.oldest - 1 };
    let records: Vec<Record> =
        if from < head.last { tables::read_after(db, from, limit)? } else { Vec::new() };
    Ok(News { head, from, records })
}
