//! A service's database as it lies on its disk: what is committed, and what of it a loss of power would take.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cafe_delivery::parts::{Lease, ListsChanged};
use cafe_delivery::turn::Arrived;
use cafe_delivery::{Head, HeardRow, HeldSlot, Ledger, Parked, Position};
use cafe_events::{OrderId, Record, Source};

use jiff::Timestamp;

use crate::shelf::Shelved;
use crate::table::{Table, Transactional, transactional};
use crate::twin::file::SqliteFile;

/// A disk with one service's database. Clones are the same disk.
pub struct Disk<D: Shelved>(Arc<Mutex<Platters<D>>>);

/// What is on a disk.
pub struct Platters<D: Shelved> {
    /// As every program on the machine sees it.
    pub now: Contents<D>,
    /// Without what is written but not synced; nothing where all is.
    pub synced: Option<Box<Contents<D>>>,
    /// The same in `SQLite`, on some days.
    pub file: Option<SqliteFile>,
}

/// A service's database.
pub struct Contents<D: Shelved> {
    /// The service's own rows.
    pub shelf: D::Shelf,
    /// Of which events it has taken in what.
    pub heard: Table<(OrderId, Source), HeardRow>,
    /// Events that wait for earlier ones.
    pub held: Table<(OrderId, Source, u32), Record>,
    /// Events that were set aside, by their numbers.
    pub parked: Table<i64, Parked>,
    /// Up to where logs were heard, and under which lease that was noted.
    pub positions: Table<(Source, i64), (Position, i64)>,
    /// What was said, by position.
    pub outbox: Table<i64, Arc<Arrived>>,
    /// The rows of which there is one.
    pub single: Table<(), Single>,
    /// The last turn of each replica, and when it was.
    pub turns: Table<String, (i64, Timestamp)>,
}

/// The rows of which there is one.
#[derive(Clone, Debug)]
pub struct Single {
    /// Of the outbox.
    pub head: Head,
    /// Who leads.
    pub lease: Lease,
    /// The number that is given to the next event that is set aside.
    pub next_parked: i64,
}

impl<D: Shelved> Disk<D> {
    /// A new database whose log is called `log_id`.
    pub fn new(log_id: &str) -> Self {
        let now = Contents::new(log_id);
        Self(Arc::new(Mutex::new(Platters { now, synced: None, file: None })))
    }

    /// What is on it.
    pub fn platters(&self) -> MutexGuard<'_, Platters<D>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<D: Shelved> Platters<D> {
    /// What a program sees that had the database open before: what was written last becomes visible with its sync.
    pub fn seen(&self) -> &Contents<D> {
        self.synced.as_deref().unwrap_or(&self.now)
    }

    /// Whoever opens the database syncs what it finds.
    pub fn sync(&mut self) {
        self.synced = None;
    }

    /// What was not synced is gone.
    pub fn lose_power(&mut self) {
        if let Some(synced) = self.synced.take() {
            self.now = *synced;
            if let Some(file) = &self.file {
                file.lose_power();
            }
        }
    }
}

impl<D: Shelved> Contents<D> {
    fn new(log_id: &str) -> Self {
        let head = Head { log_id: log_id.to_owned(), oldest: 1, last: 0, restored_at_ms: None };
        let lease = Lease { replica: String::new(), epoch: 0, beats: 0 };
        let mut single = Table::default();
        single.put((), Single { head, lease, next_parked: 1 });
        single.keep();
        Self {
            shelf: D::Shelf::default(),
            heard: Table::default(),
            held: Table::default(),
            parked: Table::default(),
            positions: Table::default(),
            outbox: Table::default(),
            single,
            turns: Table::default(),
        }
    }

    /// The rows of which there is one.
    pub fn single(&self) -> &Single {
        self.single.get(&()).expect("every database has them")
    }

    /// Changes them.
    pub fn change(&mut self, change: impl FnOnce(&mut Single)) {
        let mut single = self.single().clone();
        change(&mut single);
        self.single.put((), single);
    }

    /// The head of its outbox.
    pub fn head(&self) -> &Head {
        &self.single().head
    }

    /// Loads the ledger's rows that are wanted, and what is held behind them.
    pub fn load_ledger(&self, ledger: &mut Ledger) {
        for key in ledger.heard.wanted() {
            let row = self.heard.get(&key).cloned();
            if row.as_ref().is_some_and(|row| row.held > 0) {
                self.load_held(key, ledger);
            }
            ledger.heard.fill(key, row);
        }
    }

    fn load_held(&self, (order_id, source): (OrderId, Source), ledger: &mut Ledger) {
        for (key, record) in self.held.range((order_id, source, 0)..=(order_id, source, u32::MAX)) {
            if let Ok(heard) = record.read(source) {
                let slot = HeldSlot { record: record.clone(), stored: true, keep: true, heard };
                ledger.held.insert(*key, slot);
            }
        }
    }

    /// Writes what changed in the ledger.
    pub fn write_ledger(&mut self, ledger: &Ledger) -> ListsChanged {
        let mut lists = ListsChanged::default();
        for (key, row) in ledger.heard.changed() {
            self.heard.put(*key, row.clone());
        }
        for (key, slot) in ledger.held.iter().filter(|(_, slot)| slot.stored != slot.keep) {
            if slot.keep {
                lists.held += 1;
                self.held.put(*key, slot.record.clone());
            } else {
                lists.held -= 1;
                self.held.remove(key);
            }
        }
        for parked in ledger.parked.values() {
            lists.parked = true;
            self.set_aside(parked);
        }
        for event in &ledger.unparked {
            if let Some(id) = self.parked_as(event) {
                lists.parked |= self.parked.remove(&id);
            }
        }
        lists
    }

    fn parked_as(&self, event: &str) -> Option<i64> {
        self.parked.iter().find(|(_, parked)| parked.event == event).map(|(id, _)| *id)
    }

    /// The same event twice stands on the list once.
    fn set_aside(&mut self, parked: &Parked) {
        if let Some(id) = self.parked_as(&parked.event) {
            let Some(before) = self.parked.get(&id).cloned() else { return };
            let (position, body, reason) = (parked.position, parked.body.clone(), parked.reason.clone());
            self.parked.put(id, Parked { position, body, reason, ..before });
            return;
        }
        let id = self.single().next_parked;
        self.change(|single| single.next_parked += 1);
        self.parked.put(id, Parked { id, ..parked.clone() });
    }

    /// Appends records to the outbox after its `last` position; answers the last one then.
    pub fn append(&mut self, source: Source, last: i64, records: &[Record]) -> Option<i64> {
        if records.is_empty() {
            return None;
        }
        for (position, record) in (last + 1..).zip(records) {
            let record = Record { position, ..record.clone() };
            self.outbox.put(position, Arc::new(Arrived::new(source, record)));
        }
        let last = last + records.len() as i64;
        self.change(|single| single.head.last = last);
        Some(last)
    }
}

transactional!([D: Shelved] Contents<D> { shelf, heard, held, parked, positions, outbox, single, turns });

impl<D: Shelved> Clone for Disk<D> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<D: Shelved> Clone for Contents<D> {
    fn clone(&self) -> Self {
        Self {
            shelf: self.shelf.clone(),
            heard: self.heard.clone(),
            held: self.held.clone(),
            parked: self.parked.clone(),
            positions: self.positions.clone(),
            outbox: self.outbox.clone(),
            single: self.single.clone(),
            turns: self.turns.clone(),
        }
    }
}
