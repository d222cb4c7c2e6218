//! On one day in a thousand each disk has a twin: a real file of `SQLite` with the schema and the statements of production.
//!
//! [`Twin`] is the storage of a process. What succeeds in memory is done in its file too, and both must answer the same. What a
//! fault comes to is decided in memory, and the file follows: what fails is not begun there, whoever dies drops a connection with
//! its transaction, and a loss of power or a restore puts an older copy in the file's place ([`mod@file`]). After each commit
//! everything in both is held against each other ([`compare`], [`rows`]).

pub mod compare;
pub mod file;
pub mod rows;

use cafe_delivery::parts::{Before, Lease, ListsChanged, Storage};
use cafe_delivery::{Ledger, Parked, Position, Tables};
use cafe_events::{Record, Source};
use cafe_store::{Connection, Error};
use jiff::Timestamp;

use crate::disk::Disk;
use crate::judge::Broken;
use crate::memory::Memory;
use crate::world::{World, with};
use compare::{Same, same, same_contents, same_ledger};
use file::SqliteFile;
use rows::Twinned;

/// A process's connection to its disk, and to its twin where it has one.
pub struct Twin<D: Twinned> {
    memory: Memory<D>,
    sqlite: Option<Sqlite>,
}

struct Sqlite {
    db: Connection,
    file: SqliteFile,
}

/// Gives each disk of a cafe that was not opened yet its twin.
pub fn accompany(world: &World) {
    fn give<D: Twinned>(disk: &Disk<D>, world: &World) {
        let mut platters = disk.platters();
        platters.file = Some(SqliteFile::new::<D>(&platters.now.head().log_id, world.config.bug));
    }
    give(&world.order.disk, world);
    give(&world.payment.disk, world);
    give(&world.barista.disk, world);
}

/// Says where a twin was found to differ, when it was.
pub fn tell(world: &mut World) {
    if !world.config.on_sqlite {
        return;
    }
    for source in Source::ALL {
        let news =
            with!(world, source, service => service.disk.platters().file.as_ref().and_then(SqliteFile::news));
        if let Some(difference) = news {
            world.trace.tell(world.steady, source.name(), &format_args!("! {difference}"));
        }
    }
}

/// Whoever opens the files now, and at every commit before, found what memory has.
pub fn judge(world: &mut World) -> Vec<Broken> {
    fn look<D: Twinned>(disk: &Disk<D>) -> Option<Broken> {
        let platters = disk.platters();
        let file = platters.file.as_ref()?;
        if let Some(mut db) = file.open::<D>() {
            file.check("at the end", same_contents(&platters.now, &mut db));
        }
        let found = format!("{}: {}", D::SOURCE, file.difference()?);
        Some(Broken { number: 0, promise: "SQLite has what memory has".to_owned(), found })
    }
    Source::ALL
        .into_iter()
        .filter_map(|source| with!(world, source, service => look(&service.disk)))
        .collect()
}

/// What the file has heard of others is forgotten, as it was in memory.
pub fn forget_positions<D: Twinned>(disk: &Disk<D>) {
    if let Some(file) = &disk.platters().file
        && let Some(mut db) = file.open::<D>()
    {
        file.check("positions", db.batch("DELETE FROM positions").map_err(Into::into));
    }
}

impl<D: Twinned> Twin<D> {
    /// Opens the file too, if there is one.
    pub fn open(memory: Memory<D>) -> Self {
        let file = memory.disk().platters().file.clone();
        let sqlite = file.and_then(|file| Some(Sqlite { db: file.open::<D>()?, file }));
        Self { memory, sqlite }
    }

    fn check(&mut self, call: &'static str, check: impl FnOnce(&mut Connection) -> Same) {
        if let Some(Sqlite { db, file }) = &mut self.sqlite {
            file.check(call, check(db));
        }
    }
}

/// Does it in memory, then, if that went well, in the file.
macro_rules! both {
    ($twin:ident.$call:ident($($argument:expr),*)) => {{
        let answer = $twin.memory.$call($($argument),*)?;
        $twin.check(stringify!($call), |db| {
            let stored = Storage::<D>::$call(db, $($argument),*)?;
            same("answer", &(), Some(&answer), Some(&stored))
        });
        Ok(answer)
    }};
}

impl<D: Twinned> Storage<D> for Twin<D> {
    fn is_shared(&self) -> bool {
        self.memory.is_shared()
    }

    fn begin(&mut self) -> Result<(), Error> {
        both!(self.begin())
    }

    fn begin_to_look_up(&mut self) -> Result<(), Error> {
        both!(self.begin_to_look_up())
    }

    fn rollback(&mut self) -> Result<(), Error> {
        both!(self.rollback())
    }

    /// What memory keeps is committed, also where the process is not told or dies over it.
    fn commit(&mut self) -> Result<(), Error> {
        let was_synced = self.memory.disk().platters().synced.is_none();
        let answer = self.memory.commit();
        if self.memory.is_open() {
            return answer;
        }
        let disk = self.memory.disk().clone();
        let platters = disk.platters();
        if let Some(Sqlite { file, .. }) = &self.sqlite
            && was_synced
            && platters.synced.is_some()
        {
            file.keep_synced();
        }
        self.check("commit", |db| {
            Storage::<D>::commit(db)?;
            same_contents(&platters.now, db)
        });
        answer
    }

    fn lock_later(&mut self) {
        self.memory.lock_later();
        self.check("lock_later", |db| {
            Storage::<D>::lock_later(db);
            Ok(())
        });
    }

    fn locked(&mut self) -> Result<Before, Error> {
        both!(self.locked())
    }

    fn load_ledger(&mut self, ledger: &mut Ledger) -> Result<(), Error> {
        let wanted = ledger.heard.wanted();
        self.memory.load_ledger(ledger)?;
        self.check("load_ledger", |db| {
            let mut stored = Ledger::default();
            for key in &wanted {
                stored.heard.need(*key);
            }
            Storage::<D>::load_ledger(db, &mut stored)?;
            same_ledger(ledger, &stored)
        });
        Ok(())
    }

    fn load(&mut self, rows: &mut D::Tables) -> Result<(), Error> {
        let stored = self.sqlite.is_some().then(|| rows.clone());
        self.memory.load(rows)?;
        if let Some(mut stored) = stored {
            self.check("load", |db| {
                <D as Tables>::load(db, &mut stored)?;
                D::same_loaded(rows, &stored)
            });
        }
        Ok(())
    }

    fn write(&mut self, rows: &D::Tables) -> Result<(), Error> {
        both!(self.write(rows))
    }

    fn write_ledger(&mut self, ledger: &Ledger) -> Result<ListsChanged, Error> {
        both!(self.write_ledger(ledger))
    }

    fn move_positions(&mut self, epoch: i64, moved: &[(Source, &Position)]) -> Result<(), Error> {
        both!(self.move_positions(epoch, moved))
    }

    fn append(&mut self, last: i64, records: &[Record]) -> Result<Option<i64>, Error> {
        both!(self.append(last, records))
    }

    fn note_turn(&mut self, replica: &str, turn: i64, now: Timestamp) -> Result<(), Error> {
        both!(self.note_turn(replica, turn, now))
    }

    fn last_turn(&mut self, replica: &str) -> Result<i64, Error> {
        both!(self.last_turn(replica))
    }

    fn positions(&mut self, source: Source) -> Result<Vec<Position>, Error> {
        both!(self.positions(source))
    }

    fn parked_one(&mut self, id: i64) -> Result<Option<Parked>, Error> {
        both!(self.parked_one(id))
    }

    fn count_parked(&mut self) -> Result<i64, Error> {
        both!(self.count_parked())
    }

    fn lease(&mut self) -> Result<Lease, Error> {
        both!(self.lease())
    }

    fn take_lease(&mut self, replica: &str) -> Result<i64, Error> {
        both!(self.take_lease(replica))
    }

    fn beat(&mut self, epoch: i64) -> Result<bool, Error> {
        both!(self.beat(epoch))
    }

    fn leave_lease(&mut self, epoch: i64) -> Result<(), Error> {
        both!(self.leave_lease(epoch))
    }

    fn forget_replica(&mut self, replica: &str) -> Result<(), Error> {
        both!(self.forget_replica(replica))
    }

    fn forget_replicas(&mut self, before: Timestamp) -> Result<(), Error> {
        both!(self.forget_replicas(before))
    }

    fn prune(&mut self, before: Timestamp, limit: i64) -> Result<Option<i64>, Error> {
        both!(self.prune(before, limit))
    }

    fn touch(&mut self) -> Result<(), Error> {
        both!(self.touch())
    }

    fn checkpoint(&mut self) -> Result<(), Error> {
        both!(self.checkpoint())
    }

    fn shorten_log(&mut self) -> Result<(), Error> {
        both!(self.shorten_log())
    }

    fn was_moved(&mut self) -> bool {
        self.memory.was_moved()
    }
}
