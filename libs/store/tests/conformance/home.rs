//! An empty place for a database, and the tables that the tests fill.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use cafe_rig::Postgres;
use cafe_store::Column::{Int, Text};
use cafe_store::{Column, Connection, Database, Error, Find, Migration, Param, Put, Server};
use tempfile::TempDir;

/// Cups have owners; shelves are looked up by two columns.
pub(crate) const CUPS: Migration = Migration {
    name: "test/0001_cups",
    sql: "CREATE TABLE cups (
            id INTEGER PRIMARY KEY,
            owner TEXT NOT NULL,
            note TEXT,
            ml INTEGER CHECK (ml > 0)
        ) STRICT;
        CREATE TABLE shelves (
            store TEXT NOT NULL,
            place INTEGER NOT NULL,
            cups INTEGER NOT NULL,
            PRIMARY KEY (store, place)
        ) STRICT, WITHOUT ROWID;",
};

const COLUMNS: &[Column] = &[Int("id"), Text("owner"), Text("note"), Int("ml")];

pub(crate) static ADD: Put = Put::new("cups", COLUMNS, "");
pub(crate) static ADD_OR_CHANGE: Put = Put::new(
    "cups",
    COLUMNS,
    "ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, note = excluded.note, ml = excluded.ml",
);
pub(crate) static OWNER: Find = Find::new("owner, note", "cups", &[Int("id")]);
pub(crate) static SHELF: Find = Find::new("cups", "shelves", &[Text("store"), Int("place")]);

/// One server for all tests that run at a time.
static SHARED: Mutex<Weak<Postgres>> = Mutex::new(Weak::new());

/// Where a test keeps its database.
pub(crate) struct Home {
    pub(crate) database: Database,
    _folder: Option<TempDir>,
    _postgres: Option<Arc<Postgres>>,
}

impl Home {
    pub(crate) fn file() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path: &Path = &folder.path().join("cups.sqlite");
        Self { database: path.into(), _folder: Some(folder), _postgres: None }
    }

    /// A schema of its own on the shared server, in a database that would sort texts as a dictionary does.
    pub(crate) fn server() -> Self {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        let postgres = shared.upgrade().unwrap_or_else(|| Arc::new(with_a_dictionary()));
        *shared = Arc::downgrade(&postgres);
        let database = schema_at(&postgres.url().replace("/postgres", "/english"));
        Self { database, _folder: None, _postgres: Some(postgres) }
    }

    /// Its database, with the tables.
    pub(crate) fn open(&self) -> Connection {
        Connection::open(&self.database, &[CUPS]).unwrap()
    }

    pub(crate) fn peer(&self) -> Connection {
        Connection::open_peer(&self.database).unwrap()
    }

    pub(crate) fn is_file(&self) -> bool {
        self.database.file().is_some()
    }
}

fn with_a_dictionary() -> Postgres {
    let postgres = Postgres::start().unwrap();
    let made = "CREATE DATABASE english TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en'";
    postgres.psql(made).unwrap();
    postgres
}

/// A schema at this address that nobody has used.
pub(crate) fn schema_at(url: &str) -> Database {
    static USED: AtomicU32 = AtomicU32::new(0);
    let name = format!("test_{}", USED.fetch_add(1, Ordering::Relaxed));
    Database::Server(Server::of_service(url, &name).unwrap())
}

pub(crate) const INSERT: &str = "INSERT INTO cups (id, owner) VALUES ($1, $2)";

pub(crate) fn add(db: &mut Connection, id: i64, owner: &str) -> Result<(), Error> {
    db.execute(INSERT, &[id.into(), owner.into()]).map(drop)
}

/// All owners in the order of their cups.
pub(crate) fn owners(db: &mut Connection) -> Result<Vec<String>, Error> {
    db.query("SELECT owner FROM cups ORDER BY id", &[], |row| row.text(0))
}

/// A transaction, done again while the database is busy: on a machine that is, a large one may take longer than a server is
/// waited for.
pub(crate) fn committed(db: &mut Connection, mut work: impl FnMut(&mut Connection) -> Result<(), Error>) {
    let limit = Instant::now() + Duration::from_secs(20);
    loop {
        let outcome = db.begin().and_then(|()| work(db)).and_then(|()| db.commit());
        match outcome {
            Ok(()) => return,
            Err(Error::Busy(_)) if Instant::now() < limit => db.rollback().unwrap(),
            Err(error) => panic!("{error}"),
        }
    }
}

pub(crate) fn cup(id: i64, owner: &str) -> [Param<'_>; 4] {
    [id.into(), owner.into(), Param::Null, Param::Null]
}
