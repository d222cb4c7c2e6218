//! What a service's rows are kept in, as its turns see it: an open database, or memory where the whole cafe is simulated.

use cafe_events::{Record, Source};
use cafe_store::{Connection, Error};
use jiff::Timestamp;

use crate::domain::{Domain, Tables};
use crate::ledger::{Ledger, Parked};
use crate::tables::{self, Before, Lease, ListsChanged, Position};

/// What a service's rows are kept in. One transaction is open at a time, from [`begin`](Self::begin) to
/// [`commit`](Self::commit) or [`rollback`](Self::rollback).
pub trait Storage<D: Domain> {
    /// Whether other processes may write here too.
    fn is_shared(&self) -> bool;

    /// Begins a transaction.
    fn begin(&mut self) -> Result<(), Error>;
    /// Begins one in which it is looked up what became of another, whatever state the connection is in.
    fn begin_to_look_up(&mut self) -> Result<(), Error>;
    /// Undoes it; without one there is nothing to undo.
    fn rollback(&mut self) -> Result<(), Error>;
    /// Puts it on disk.
    fn commit(&mut self) -> Result<(), Error>;

    /// Keeps other writers out, from the next answer to the end of the transaction.
    fn lock_later(&mut self);
    /// What the last writer has left, after [`lock_later`](Self::lock_later).
    fn locked(&mut self) -> Result<Before, Error>;
    /// The same at once.
    fn lock(&mut self) -> Result<Before, Error> {
        self.lock_later();
        self.locked()
    }

    /// Loads the ledger's rows that are wanted, and what is held behind them.
    fn load_ledger(&mut self, ledger: &mut Ledger) -> Result<(), Error>;
    /// Loads every row of the service's own that is wanted.
    fn load(&mut self, rows: &mut D::Tables) -> Result<(), Error>;
    /// Writes every row of the service's own that changed.
    fn write(&mut self, rows: &D::Tables) -> Result<(), Error>;
    /// Writes what changed in the ledger.
    fn write_ledger(&mut self, ledger: &Ledger) -> Result<ListsChanged, Error>;
    /// Moves positions on, under the lease of this epoch.
    fn move_positions(&mut self, epoch: i64, moved: &[(Source, &Position)]) -> Result<(), Error>;
    /// Appends records to the outbox after its `last` position; answers the last one then.
    fn append(&mut self, last: i64, records: &[Record]) -> Result<Option<i64>, Error>;
    /// Notes which turn of a replica this is.
    fn note_turn(&mut self, replica: &str, turn: i64, now: Timestamp) -> Result<(), Error>;
    /// The last turn of a replica that was committed.
    fn last_turn(&mut self, replica: &str) -> Result<i64, Error>;

    /// Up to where each part of `source`'s log was heard.
    fn positions(&mut self, source: Source) -> Result<Vec<Position>, Error>;
    /// One set-aside event.
    fn parked_one(&mut self, id: i64) -> Result<Option<Parked>, Error>;
    /// How many events are set aside.
    fn count_parked(&mut self) -> Result<i64, Error>;

    /// The lease as it stands.
    fn lease(&mut self) -> Result<Lease, Error>;
    /// Takes the lease, whoever has it; answers the new epoch.
    fn take_lease(&mut self, replica: &str) -> Result<i64, Error>;
    /// Shows that whoever has the lease is alive; false if somebody else has it.
    fn beat(&mut self, epoch: i64) -> Result<bool, Error>;
    /// Leaves the lease to whoever wants it.
    fn leave_lease(&mut self, epoch: i64) -> Result<(), Error>;
    /// Forgets a replica that has ended.
    fn forget_replica(&mut self, replica: &str) -> Result<(), Error>;
    /// Forgets replicas that committed nothing since `before`.
    fn forget_replicas(&mut self, before: Timestamp) -> Result<(), Error>;

    /// Drops records said before `before`, at most `limit`; answers how far the log was pruned.
    fn prune(&mut self, before: Timestamp, limit: i64) -> Result<Option<i64>, Error>;
    /// Writes, but changes nothing: whether it commits tells whether anything would.
    fn touch(&mut self) -> Result<(), Error>;
    /// Brings everything to where it stays, before an orderly end.
    fn checkpoint(&mut self) -> Result<(), Error>;
    /// Cuts the database's own log when it has grown.
    fn shorten_log(&mut self) -> Result<(), Error>;
    /// Whether it was moved to another place, and goes on there.
    fn was_moved(&mut self) -> bool;
}

impl<D: Tables> Storage<D> for Connection {
    fn is_shared(&self) -> bool {
        Self::is_shared(self)
    }

    fn begin(&mut self) -> Result<(), Error> {
        Self::begin(self)
    }

    fn begin_to_look_up(&mut self) -> Result<(), Error> {
        Self::begin_to_look_up(self)
    }

    fn rollback(&mut self) -> Result<(), Error> {
        Self::rollback(self)
    }

    fn commit(&mut self) -> Result<(), Error> {
        Self::commit(self)
    }

    fn lock_later(&mut self) {
        tables::lock_later(self);
    }

    fn locked(&mut self) -> Result<Before, Error> {
        tables::locked(self)
    }

    fn load_ledger(&mut self, ledger: &mut Ledger) -> Result<(), Error> {
        tables::load(self, ledger)
    }

    fn load(&mut self, rows: &mut D::Tables) -> Result<(), Error> {
        D::load(self, rows)
    }

    fn write(&mut self, rows: &D::Tables) -> Result<(), Error> {
        D::write(self, rows)
    }

    fn write_ledger(&mut self, ledger: &Ledger) -> Result<ListsChanged, Error> {
        tables::write(self, ledger)
    }

    fn move_positions(&mut self, epoch: i64, moved: &[(Source, &Position)]) -> Result<(), Error> {
        tables::move_positions(self, epoch, moved.iter().copied())
    }

    fn append(&mut self, last: i64, records: &[Record]) -> Result<Option<i64>, Error> {
        tables::append(self, last, records)
    }

    fn note_turn(&mut self, replica: &str, turn: i64, now: Timestamp) -> Result<(), Error> {
        tables::note_turn(self, replica, turn, now)
    }

    fn last_turn(&mut self, replica: &str) -> Result<i64, Error> {
        tables::last_turn(self, replica)
    }

    fn positions(&mut self, source: Source) -> Result<Vec<Position>, Error> {
        tables::positions(self, source)
    }

    fn parked_one(&mut self, id: i64) -> Result<Option<Parked>, Error> {
        tables::parked_one(self, id)
    }

    fn count_parked(&mut self) -> Result<i64, Error> {
        tables::count_parked(self)
    }

    fn lease(&mut self) -> Result<Lease, Error> {
        tables::lease(self)
    }

    fn take_lease(&mut self, replica: &str) -> Result<i64, Error> {
        tables::take_lease(self, replica)
    }

    fn beat(&mut self, epoch: i64) -> Result<bool, Error> {
        tables::beat(self, epoch)
    }

    fn leave_lease(&mut self, epoch: i64) -> Result<(), Error> {
        tables::leave_lease(self, epoch)
    }

    fn forget_replica(&mut self, replica: &str) -> Result<(), Error> {
        tables::forget_replica(self, replica)
    }

    fn forget_replicas(&mut self, before: Timestamp) -> Result<(), Error> {
        tables::forget_replicas(self, before)
    }

    fn prune(&mut self, before: Timestamp, limit: i64) -> Result<Option<i64>, Error> {
        tables::prune(self, before, limit)
    }

    fn touch(&mut self) -> Result<(), Error> {
        tables::touch(self)
    }

    fn checkpoint(&mut self) -> Result<(), Error> {
        Self::checkpoint(self)
    }

    fn shorten_log(&mut self) -> Result<(), Error> {
        Self::shorten_log(self)
    }

    fn was_moved(&mut self) -> bool {
        tables::moved_to(self).is_some()
    }
}
