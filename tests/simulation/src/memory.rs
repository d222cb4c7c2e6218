//! The storage of a process in the simulation: a disk, and the faults that strike between any two of its steps.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cafe_delivery::parts::{Before, Lease, ListsChanged, Storage};
use cafe_delivery::{Ledger, Parked, Position};
use cafe_events::{Record, Source};
use cafe_store::Error;
use jiff::Timestamp;

use crate::bugs::Bug;
use crate::disk::{Disk, Platters};
use crate::shelf::Shelved;
use crate::table::Transactional;

/// What strikes a process in the middle of what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strike {
    /// It dies.
    Crash,
    /// It dies when it has written and not yet synced.
    CrashUnsynced,
    /// There is no room on its disk.
    Full,
    /// Somebody else holds a lock, or the database's server does not answer.
    Busy,
    /// A sync fails.
    SyncFails,
    /// The connection to the database's server is lost; whether the commit that was under way has arrived is drawn.
    Unknown {
        /// It has.
        committed: bool,
    },
}

/// Where a strike hits; and everything that a process does to its disk, for the count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The transaction begins.
    Begin,
    /// Other writers are kept out.
    Lock,
    /// The ledger's rows are loaded.
    LoadLedger,
    /// The service's own rows are.
    Load,
    /// They are written.
    Write,
    /// The ledger is.
    WriteLedger,
    /// Positions are moved on.
    Positions,
    /// Events are appended to the outbox.
    Append,
    /// Everything is handed to the disk.
    Commit,
    /// It is written, and not yet synced.
    Sync,
    /// It is synced, and nobody was told yet.
    Tell,
    /// Something else.
    Other,
}

/// The fate of one process, shared between it and the world.
#[derive(Clone, Default)]
pub struct Fate(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// After so many more steps something strikes.
    planned: Option<(u32, Strike)>,
    hit: Option<(Step, Strike)>,
    is_dead: bool,
    steps: u64,
}

/// A process's connection to its disk.
pub struct Memory<D: Shelved> {
    disk: Disk<D>,
    fate: Fate,
    is_shared: bool,
    is_open: bool,
    bug: Option<Bug>,
}

impl Fate {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has `strike` hit after so many more steps.
    pub fn plan(&self, after: u32, strike: Strike) {
        self.state().planned = Some((after, strike));
    }

    /// Nothing strikes any more.
    pub fn spare(&self) {
        self.state().planned = None;
    }

    /// Whether the process has died.
    pub fn is_dead(&self) -> bool {
        self.state().is_dead
    }

    /// It dies now.
    pub fn die(&self) {
        self.state().is_dead = true;
    }

    /// What has struck since this was last asked, and where.
    pub fn take_hit(&self) -> Option<(Step, Strike)> {
        self.state().hit.take()
    }

    /// How many steps were taken since this was last asked.
    pub fn take_steps(&self) -> u64 {
        std::mem::take(&mut self.state().steps)
    }

    /// One step; whatever strikes at it.
    fn step(&self, step: Step) -> Option<Strike> {
        let mut state = self.state();
        state.steps += 1;
        let (after, strike) = state.planned?;
        if after > 0 || !strike.hits(step) {
            state.planned = Some((after.saturating_sub(1), strike));
            return None;
        }
        state.planned = None;
        state.hit = Some((step, strike));
        state.is_dead |= strike.is_death();
        Some(strike)
    }
}

impl Strike {
    fn is_death(self) -> bool {
        matches!(self, Self::Crash | Self::CrashUnsynced)
    }

    fn hits(self, step: Step) -> bool {
        match self {
            Self::Crash => true,
            Self::Busy => !matches!(step, Step::Sync | Step::Tell),
            Self::Full => matches!(step, Step::Write | Step::WriteLedger | Step::Append | Step::Commit),
            Self::SyncFails | Self::CrashUnsynced => step == Step::Sync,
            Self::Unknown { .. } => step == Step::Commit,
        }
    }

    fn error(self) -> Error {
        match self {
            Self::Crash | Self::CrashUnsynced => Error::Lost("the process died".to_owned()),
            Self::Full => Error::Full("no room".to_owned()),
            Self::Busy => Error::Busy("somebody holds a lock".to_owned()),
            Self::SyncFails => Error::Lost("a sync failed".to_owned()),
            Self::Unknown { .. } => Error::Unknown("the connection was lost".to_owned()),
        }
    }
}

impl<D: Shelved> Memory<D> {
    /// Opens a disk, and syncs what is on it.
    pub fn open(disk: &Disk<D>, fate: &Fate, is_shared: bool, bug: Option<Bug>) -> Self {
        disk.platters().sync();
        Self { disk: disk.clone(), fate: fate.clone(), is_shared, is_open: false, bug }
    }

    /// Whether a transaction is under way: not any more once it is kept, whatever its process is told.
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// The disk that it is a connection to.
    pub fn disk(&self) -> &Disk<D> {
        &self.disk
    }

    fn step(&self, step: Step) -> Result<(), Error> {
        if self.fate.is_dead() {
            return Err(Strike::Crash.error());
        }
        match self.fate.step(step) {
            Some(strike) => {
                if strike.is_death() {
                    self.disk.platters().now.undo();
                }
                Err(strike.error())
            }
            None => Ok(()),
        }
    }

    /// The contents, for one more step.
    fn at<T>(&mut self, step: Step, work: impl FnOnce(&mut Platters<D>) -> T) -> Result<T, Error> {
        self.step(step)?;
        Ok(work(&mut self.disk.platters()))
    }

    /// What was written is on the disk, or is not, if power is lost before the next program opens it.
    fn torn(&self) {
        let mut platters = self.disk.platters();
        let mut before = platters.now.clone();
        before.undo();
        platters.now.keep();
        platters.synced.get_or_insert_with(|| Box::new(before));
    }

    fn has(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }
}

impl<D: Shelved> Storage<D> for Memory<D> {
    fn is_shared(&self) -> bool {
        self.is_shared
    }

    fn begin(&mut self) -> Result<(), Error> {
        self.step(Step::Begin)?;
        self.is_open = true;
        Ok(())
    }

    fn begin_to_look_up(&mut self) -> Result<(), Error> {
        self.begin()
    }

    fn rollback(&mut self) -> Result<(), Error> {
        if std::mem::take(&mut self.is_open) && !self.fate.is_dead() {
            let mut platters = self.disk.platters();
            if self.has(Bug::HalfRolledBack) {
                platters.now.shelf.keep();
            }
            platters.now.undo();
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<(), Error> {
        if self.has(Bug::HeardOutsideTransaction) {
            let mut platters = self.disk.platters();
            platters.now.heard.keep();
            platters.now.positions.keep();
        }
        if let Err(error) = self.step(Step::Commit) {
            let hit = self.fate.state().hit;
            if let Some((_, Strike::Unknown { committed })) = hit {
                if committed {
                    self.disk.platters().now.keep();
                    self.is_open = false;
                } else if self.has(Bug::UnknownCommitDone) {
                    self.disk.platters().now.undo();
                    self.is_open = false;
                    return Ok(());
                }
            }
            return Err(error);
        }
        if self.has(Bug::UnsyncedAnswer) {
            self.torn();
            self.is_open = false;
            return self.step(Step::Tell);
        }
        // A process that dies here leaves what it has written to whoever opens the file next, if the power stays on. A server
        // syncs by itself.
        if !self.is_shared
            && !self.fate.is_dead()
            && let Some(strike) = self.fate.step(Step::Sync)
        {
            self.torn();
            self.is_open = false;
            return Err(strike.error());
        }
        let mut platters = self.disk.platters();
        platters.now.keep();
        // With it, whatever was written before.
        platters.sync();
        drop(platters);
        self.is_open = false;
        // A process that dies here has told nobody.
        let _ = self.fate.step(Step::Tell);
        Ok(())
    }

    fn lock_later(&mut self) {}

    fn locked(&mut self) -> Result<Before, Error> {
        self.at(Step::Lock, |disk| {
            let single = disk.now.single();
            Before { last: single.head.last, lease: single.lease.clone() }
        })
    }

    fn load_ledger(&mut self, ledger: &mut Ledger) -> Result<(), Error> {
        let bug = self.bug;
        self.at(Step::LoadLedger, |disk| {
            if bug == Some(Bug::DedupeByPositionOnly) {
                forget(disk, ledger);
            }
            disk.now.load_ledger(ledger);
        })
    }

    fn load(&mut self, rows: &mut D::Tables) -> Result<(), Error> {
        self.at(Step::Load, |disk| D::load(&disk.now.shelf, disk.now.head(), rows))
    }

    fn write(&mut self, rows: &D::Tables) -> Result<(), Error> {
        self.at(Step::Write, |disk| D::write(&mut disk.now.shelf, rows))
    }

    fn write_ledger(&mut self, ledger: &Ledger) -> Result<ListsChanged, Error> {
        let bug = self.bug;
        self.at(Step::WriteLedger, |disk| {
            let lists = disk.now.write_ledger(ledger);
            match bug {
                Some(Bug::PositionWithoutParked) => disk.now.parked.undo(),
                Some(Bug::HeldDropped) => disk.now.held.undo(),
                _ => {}
            }
            lists
        })
    }

    fn move_positions(&mut self, epoch: i64, moved: &[(Source, &Position)]) -> Result<(), Error> {
        self.at(Step::Positions, |disk| {
            for (source, position) in moved {
                disk.now.positions.put((*source, position.part), ((*position).clone(), epoch));
            }
        })
    }

    fn append(&mut self, last: i64, records: &[Record]) -> Result<Option<i64>, Error> {
        if records.is_empty() {
            return Ok(None);
        }
        let bug = self.bug;
        self.at(Step::Append, |disk| {
            let appended = disk.now.append(D::SOURCE, last, records);
            if bug == Some(Bug::EventBeforeCommit) {
                disk.now.outbox.keep();
            }
            if matches!(bug, Some(Bug::EventBeforeCommit | Bug::GapInOutbox)) {
                disk.now.single.keep();
            }
            appended
        })
    }

    fn note_turn(&mut self, replica: &str, turn: i64, now: Timestamp) -> Result<(), Error> {
        self.at(Step::Other, |disk| disk.now.turns.put(replica.to_owned(), (turn, now)))
    }

    fn last_turn(&mut self, replica: &str) -> Result<i64, Error> {
        let never = self.has(Bug::UnknownCommitFailed);
        self.at(Step::Other, |disk| {
            let last = disk.now.turns.get(&replica.to_owned()).map_or(0, |(turn, _)| *turn);
            if never { -1 } else { last }
        })
    }

    fn positions(&mut self, source: Source) -> Result<Vec<Position>, Error> {
        self.at(Step::Other, |disk| {
            let parts = disk.now.positions.range((source, i64::MIN)..=(source, i64::MAX));
            parts.map(|(_, (position, _))| position.clone()).collect()
        })
    }

    fn parked_one(&mut self, id: i64) -> Result<Option<Parked>, Error> {
        self.at(Step::Other, |disk| disk.now.parked.get(&id).cloned())
    }

    fn count_parked(&mut self) -> Result<i64, Error> {
        self.at(Step::Other, |disk| disk.now.parked.len() as i64)
    }

    fn lease(&mut self) -> Result<Lease, Error> {
        self.at(Step::Other, |disk| disk.now.single().lease.clone())
    }

    fn take_lease(&mut self, replica: &str) -> Result<i64, Error> {
        self.at(Step::Other, |disk| {
            disk.now.change(|single| {
                single.lease = Lease { replica: replica.to_owned(), epoch: single.lease.epoch + 1, beats: 0 };
            });
            disk.now.single().lease.epoch
        })
    }

    fn beat(&mut self, epoch: i64) -> Result<bool, Error> {
        self.at(Step::Other, |disk| {
            let leads = disk.now.single().lease.epoch == epoch;
            if leads {
                disk.now.change(|single| single.lease.beats += 1);
                disk.now.keep();
            }
            leads
        })
    }

    fn leave_lease(&mut self, epoch: i64) -> Result<(), Error> {
        self.at(Step::Other, |disk| {
            if disk.now.single().lease.epoch == epoch {
                disk.now.change(|single| single.lease.replica.clear());
                disk.now.keep();
            }
        })
    }

    fn forget_replica(&mut self, replica: &str) -> Result<(), Error> {
        self.at(Step::Other, |disk| {
            disk.now.turns.remove(&replica.to_owned());
            disk.now.keep();
        })
    }

    fn forget_replicas(&mut self, before: Timestamp) -> Result<(), Error> {
        self.at(Step::Other, |disk| {
            let gone = disk.now.turns.iter().filter(|(_, (_, at))| *at < before);
            let gone: Vec<String> = gone.map(|(replica, _)| replica.clone()).collect();
            for replica in &gone {
                disk.now.turns.remove(replica);
            }
        })
    }

    fn prune(&mut self, before: Timestamp, limit: i64) -> Result<Option<i64>, Error> {
        self.at(Step::Other, |disk| {
            let said = disk.now.outbox.iter().take(limit as usize);
            let is_old = |said: &&cafe_delivery::turn::Arrived| said.record.at_ms < before.as_millisecond();
            let through = said
                .map(|(_, arrived)| &**arrived)
                .filter(is_old)
                .map(|arrived| arrived.record.position)
                .max()?;
            let gone: Vec<i64> = disk.now.outbox.range(..=through).map(|(position, _)| *position).collect();
            for position in gone {
                disk.now.outbox.remove(&position);
            }
            disk.now.change(|single| single.head.oldest = single.head.oldest.max(through + 1));
            Some(through)
        })
    }

    fn touch(&mut self) -> Result<(), Error> {
        self.at(Step::Write, |_| ())
    }

    fn checkpoint(&mut self) -> Result<(), Error> {
        Ok(())
    }

    fn shorten_log(&mut self) -> Result<(), Error> {
        Ok(())
    }

    fn was_moved(&mut self) -> bool {
        false
    }
}

/// The versions that were heard of an order are not looked at: whatever comes, comes next.
fn forget<D: Shelved>(disk: &mut Platters<D>, ledger: &Ledger) {
    for key in ledger.heard.wanted() {
        if let Some(row) = disk.now.heard.get(&key).cloned() {
            let before =
                cafe_delivery::HeardRow { next_version: row.next_version.saturating_sub(1).max(1), ..row };
            disk.now.heard.put(key, before);
        }
    }
}
