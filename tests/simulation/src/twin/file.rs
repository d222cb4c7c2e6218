//! A service's database as a file of `SQLite` in a folder of its own, and what befalls its disk.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cafe_clock::from_ms;
use cafe_delivery::mark_restored;
use cafe_delivery::parts::name_log;
use cafe_events::Source;
use cafe_store::{Connection, Migration, copy_while_in_use};
use tempfile::TempDir;

use super::compare::{Difference, Same};
use super::rows::Twinned;
use crate::bugs::Bug;

/// A folder in memory, where there is one: nothing here outlives the program, and power fails in the simulation only.
const IN_MEMORY: &str = "/dev/shm";

/// The file that counts; as it was before what is not synced; as it was kept.
const NOW: &str = "now.sqlite";
const SYNCED: &str = "synced.sqlite";
const COPY: &str = "copy.sqlite";
/// What `SQLite` keeps beside a file.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

/// A service's database in `SQLite`. Clones are the same.
#[derive(Clone)]
pub struct SqliteFile(Arc<Inner>);

struct Inner {
    folder: TempDir,
    found: Mutex<Found>,
}

#[derive(Default)]
struct Found {
    /// The first difference from memory; what follows from it is of no interest.
    difference: Option<String>,
    is_told: bool,
}

impl SqliteFile {
    /// A new database whose log is called `log_id`; with a planted bug of the SQL.
    pub fn new<D: Twinned>(log_id: &str, bug: Option<Bug>) -> Self {
        let parent = Some(Path::new(IN_MEMORY)).filter(|folder| folder.is_dir());
        let parent = parent.map_or_else(std::env::temp_dir, Path::to_owned);
        let folder = TempDir::with_prefix_in("cafe-simulation-", parent).expect("a folder can be made");
        let file = Self(Arc::new(Inner { folder, found: Mutex::default() }));
        if let Some(mut db) = file.open::<D>() {
            file.check("a new database", name_log(&mut db, log_id).map_err(Difference::from));
            let planted = bug.and_then(|bug| planted(bug, D::SOURCE));
            file.check("a planted bug", db.batch(planted.unwrap_or_default()).map_err(Difference::from));
        }
        file
    }

    /// Opens it as a starting service does.
    pub fn open<D: Twinned>(&self) -> Option<Connection> {
        let migrations: Vec<Migration> =
            cafe_delivery::MIGRATIONS.iter().chain(D::MIGRATIONS).copied().collect();
        let opened = Connection::open(&self.path(NOW), &migrations);
        opened.map_err(|error| self.check("opening", Err(Difference(error.to_string())))).ok()
    }

    /// Keeps what is committed by now: it is all that a loss of power leaves, until a sync.
    pub fn keep_synced(&self) {
        self.copy(SYNCED);
    }

    /// What was written since then is gone. No process has the file open.
    pub fn lose_power(&self) {
        self.put_in_place(SYNCED);
    }

    /// Keeps a copy.
    pub fn back_up(&self) {
        self.copy(COPY);
    }

    /// Puts the copy in place, as `cafe restore` does it. No process has the file open.
    pub fn restore(&self, log_id: &str, now_ms: i64) {
        let marked = Connection::open_as_it_is(&self.path(COPY))
            .and_then(|mut db| mark_restored(&mut db, log_id, from_ms(now_ms)));
        self.check("a restore", marked.map_err(Difference::from));
        self.put_in_place(COPY);
    }

    /// Notes what was found at `call`, if nothing was before.
    pub fn check(&self, call: &str, checked: Same) {
        if let Err(Difference(what)) = checked {
            self.found().difference.get_or_insert_with(|| format!("{call}: {what}"));
        }
    }

    /// The first difference from memory.
    pub fn difference(&self) -> Option<String> {
        self.found().difference.clone()
    }

    /// The same, once.
    pub fn news(&self) -> Option<String> {
        let mut found = self.found();
        let is_news = found.difference.is_some() && !std::mem::replace(&mut found.is_told, true);
        found.difference.clone().filter(|_| is_news)
    }

    fn found(&self) -> MutexGuard<'_, Found> {
        self.0.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.folder.path().join(name)
    }

    fn copy(&self, to: &str) {
        let to = self.path(to);
        let _ = std::fs::remove_file(&to);
        let copied = copy_while_in_use(&self.path(NOW), &to);
        self.check("a copy", copied.map_err(Difference::from));
    }

    fn put_in_place(&self, name: &str) {
        for beside in BESIDE {
            let _ = std::fs::remove_file(self.path(&format!("{NOW}{beside}")));
        }
        let put = std::fs::rename(self.path(name), self.path(NOW));
        self.check("a copy is put in place", put.map_err(|error| Difference(error.to_string())));
    }
}

/// A bug of the SQL, as the file itself can have it.
fn planted(bug: Bug, source: Source) -> Option<&'static str> {
    match (bug, source) {
        (Bug::RowNotUpdated, _) => {
            Some("CREATE TRIGGER planted BEFORE UPDATE ON heard BEGIN SELECT RAISE(IGNORE); END")
        }
        (Bug::RowNotDeleted, _) => {
            Some("CREATE TRIGGER planted BEFORE DELETE ON held BEGIN SELECT RAISE(IGNORE); END")
        }
        (Bug::ColumnNotUpdated, Source::Payment) => Some(
            "CREATE TRIGGER planted AFTER UPDATE OF state ON payments BEGIN \
             UPDATE payments SET expires_at_ms = old.expires_at_ms WHERE order_id = new.order_id; END",
        ),
        _ => None,
    }
}
