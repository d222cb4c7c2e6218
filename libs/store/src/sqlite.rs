//! `SQLite`: one file per service, WAL, every commit on disk before it is answered.

mod told;

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::backup::StepResult;
use rusqlite::config::DbConfig;
use rusqlite::{MAIN_DB, OpenFlags};

use crate::row::Cells;
use crate::{Error, Migration, OpenError, Param, Row};
use told::is_left_unfinished;
pub(crate) use told::told;

/// How long a reader of its own file waits for a lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);
/// Between two tries to raise a lock, so that another can let go of its own.
const LET_GO: Duration = Duration::from_millis(5);
/// How long a service waits for somebody else who writes to its file: whoever asked is told within a second.
const WRITER_BUSY_TIMEOUT: Duration = Duration::from_millis(500);
/// The same for a reader of another's file, which comes back later anyway.
const PEER_BUSY_TIMEOUT: Duration = Duration::from_millis(50);
/// Pages (of 4 KiB) in the write-ahead log before it is copied back. Few, because whoever commits meanwhile waits: at
/// 30,000 orders a second, 1,000 pages gave a p99 of 5 ms where 4,000 gave 12 ms, at the same rate.
const CHECKPOINT_PAGES: i64 = 1_000;
/// Size in bytes to which a log that had grown (somebody pinned it) is cut once it has been copied back.
const LOG_KEPT_BYTES: i64 = 64 * 1024 * 1024;
/// How long a writer waits for readers to let go of a log that has grown.
const LOG_PATIENCE: Duration = Duration::from_millis(50);
/// Every page in one step (`sqlite3_backup_step`).
const ALL_PAGES: i32 = -1;
/// Prepared statements kept per connection.
const STATEMENTS_KEPT: usize = 128;

/// An open file.
pub(crate) struct Sqlite {
    sqlite: rusqlite::Connection,
    /// What is asked when its answer is read.
    asked: Option<&'static str>,
}

impl Sqlite {
    /// Opens a service's own file for writing, creating and migrating it as needed.
    ///
    /// A new file is made complete under another name, so that nobody ever sees half a schema. Before this
    /// returns, everything in the file is on disk: a predecessor may have been killed between its write and its sync.
    pub(crate) fn open(path: &Path, migrations: &[Migration]) -> Result<Self, OpenError> {
        if !path.exists() {
            create(path, migrations)?;
        }
        let mut db = Self::open_with(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
            .map_err(|error| unusable(path, &error))?;
        db.prepare_for_writing().map_err(|error| unusable(path, &error))?;
        db.migrate(path, migrations)?;
        db.checkpoint().map_err(|error| unusable(path, &error))?;
        db.sqlite.busy_timeout(WRITER_BUSY_TIMEOUT).map_err(told)?;
        Ok(db)
    }

    /// Opens a service's own file for reading beside its writer.
    ///
    /// What a first start had begun to write when the power was cut is undone before, which takes somebody who may write.
    pub(crate) fn open_reader(path: &Path) -> Result<Self, Error> {
        let db = Self::open_with(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        if matches!(db.look(), Err(error) if is_left_unfinished(&error)) {
            Self::open_with(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?.look().map_err(told)?;
        }
        Ok(db)
    }

    /// Opens another service's file for reading. Nothing there yet is [`Error::Absent`] or [`Error::Busy`].
    ///
    /// What its writer has written but not yet synced (it may have been killed in between) is synced before this returns:
    /// nothing is acted on that a power cut could take back.
    pub(crate) fn open_peer(path: &Path) -> Result<Self, Error> {
        let db = Self::open_with(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        db.sqlite.busy_timeout(PEER_BUSY_TIMEOUT).map_err(told)?;
        // The first to read after a crash takes in all that the log holds. From then on, a commit is seen once it is synced.
        db.look().map_err(told)?;
        // Only the log: closing the file itself here would end every lock that this process has on it (`fcntl(2)`).
        match File::open(log_of(Path::new(db.sqlite.path().unwrap_or_default()))) {
            Ok(log) => log.sync_all().map_err(|error| Error::Lost(error.to_string()))?,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(Error::Busy(error.to_string())),
        }
        Ok(db)
    }

    fn open_with(path: &Path, mode: OpenFlags) -> Result<Self, Error> {
        let sqlite = rusqlite::Connection::open_with_flags(path, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)
            .map_err(told)?;
        sqlite.busy_timeout(BUSY_TIMEOUT).map_err(told)?;
        sqlite.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
        // A foreign or damaged file must not run code of its own.
        sqlite.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true).map_err(told)?;
        sqlite.pragma_update(None, "trusted_schema", false).map_err(told)?;
        Ok(Self { sqlite, asked: None })
    }

    /// Reads something: only then does `SQLite` look at what it has opened.
    fn look(&self) -> rusqlite::Result<()> {
        self.sqlite.query_row("SELECT COUNT(*) FROM sqlite_schema", [], |_| Ok(()))
    }

    fn prepare_for_writing(&mut self) -> Result<(), Error> {
        if self.write_ahead()? != "wal" {
            return Err(Error::Refused("its file system cannot share memory between processes".to_owned()));
        }
        self.sqlite.pragma_update(None, "synchronous", "full").map_err(told)?;
        // `SQLite`'s own copying back keeps a sync that failed to itself (`sqlite3WalDefaultHook`), and goes on.
        self.sqlite.pragma_update(None, "wal_autocheckpoint", 0).map_err(told)?;
        self.sqlite.pragma_update(None, "journal_size_limit", LOG_KEPT_BYTES).map_err(told)?;
        // The log stays when the last reader leaves: a reader that opens the file read-only could not make it again.
        self.sqlite.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(told)?;
        Ok(())
    }

    /// Asks for a write-ahead log; answers the file's journal mode.
    ///
    /// Of several who change the mode of a new file at once, `SQLite` turns all but one away without letting them wait:
    /// they hold a read lock that they want to raise.
    fn write_ahead(&mut self) -> Result<String, Error> {
        let given_up = Instant::now() + BUSY_TIMEOUT;
        loop {
            let mode = self.sqlite.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0));
            match mode.map_err(told) {
                Err(Error::Busy(_)) if Instant::now() < given_up => thread::sleep(LET_GO),
                answer => return answer,
            }
        }
    }

    fn migrate(&mut self, path: &Path, migrations: &[Migration]) -> Result<(), OpenError> {
        self.batch("CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY) STRICT")?;
        let done = self.query("SELECT name FROM migrations", &[], |row| row.text(0))?;
        for migration in Migration::to_do(migrations, &done, &path.display())? {
            self.begin()?;
            let record = "INSERT INTO migrations (name) VALUES ($1) ON CONFLICT (name) DO NOTHING";
            // Another process may have done it meanwhile.
            if self.execute(record, &[migration.name.into()])? == 1 {
                self.batch(migration.sql)?;
            }
            self.commit()?;
        }
        Ok(())
    }

    /// Opens a file as it is for writing, however old its schema; for tools that mend it while nobody works with it.
    pub(crate) fn open_as_it_is(path: &Path) -> Result<Self, Error> {
        Self::open_with(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
    }

    /// Copies what this connection sees (within a transaction: what that sees) to the new file `to`, on disk when this
    /// returns.
    ///
    /// It is one step: a copy in several would begin again at each commit meanwhile, and never end in a busy cafe.
    pub(crate) fn copy_to(&mut self, to: &Path) -> Result<(), Error> {
        let mut target =
            Self::open_with(to, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
        let copied = rusqlite::backup::Backup::new(&self.sqlite, &mut target.sqlite)
            .and_then(|backup| backup.step(ALL_PAGES))
            .map_err(told)?;
        if copied != StepResult::Done {
            return Err(Error::Busy(format!("{} is in use", to.display())));
        }
        // A copy stands alone: no log beside it that could be forgotten.
        target.sqlite.pragma_update(None, "journal_mode", "delete").map_err(told)?;
        drop(target);
        File::open(to).and_then(|file| file.sync_all()).map_err(|error| Error::Lost(error.to_string()))
    }

    /// Copies the write-ahead log back into the file and syncs both.
    pub(crate) fn checkpoint(&mut self) -> Result<(), Error> {
        self.sqlite.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())).map_err(told)
    }

    /// Empties a log that has grown because reads overlap without a pause: holds up the writer, for a moment at most, until
    /// no read needs the log. A reader that does not move on keeps it.
    pub(crate) fn shorten_log(&mut self) -> Result<(), Error> {
        let log = log_of(Path::new(self.sqlite.path().unwrap_or_default()));
        if std::fs::metadata(log).is_ok_and(|log| log.len() > LOG_KEPT_BYTES as u64) {
            self.sqlite.busy_timeout(LOG_PATIENCE).map_err(told)?;
            let emptied = self.sqlite.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
            self.sqlite.busy_timeout(WRITER_BUSY_TIMEOUT).map_err(told)?;
            emptied.map_err(told)?;
        }
        Ok(())
    }

    /// Starts a transaction that will write.
    pub(crate) fn begin(&mut self) -> Result<(), Error> {
        self.execute("BEGIN IMMEDIATE", &[]).map(drop)
    }

    /// Commits; when this returns, the transaction is on disk. After an error it is not, and must be rolled back; after
    /// [`Error::Lost`] it may be, as the log that holds it could not be copied back.
    pub(crate) fn commit(&mut self) -> Result<(), Error> {
        self.execute("COMMIT", &[])?;
        let reads_only = self.sqlite.is_readonly(MAIN_DB).map_err(told)?;
        if reads_only { Ok(()) } else { self.copy_back() }
    }

    /// Copies a log that has grown back. What passes (a reader that needs the log, a full disk) is left to the next commit; what is
    /// committed is on disk without it.
    fn copy_back(&mut self) -> Result<(), Error> {
        let pages = |row: &rusqlite::Row<'_>| row.get::<_, i64>(1);
        let grown = self.sqlite.prepare_cached("PRAGMA wal_checkpoint(NOOP)");
        let grown = grown.and_then(|mut statement| statement.query_row([], pages)).map_err(told);
        let copied = match grown {
            Ok(pages) if pages < CHECKPOINT_PAGES => return Ok(()),
            Ok(_) => self.checkpoint(),
            Err(error) => Err(error),
        };
        match copied {
            Err(error @ Error::Lost(_)) => Err(error),
            _ => Ok(()),
        }
    }

    /// Undoes the open transaction, if there is one.
    pub(crate) fn rollback(&mut self) -> Result<(), Error> {
        self.asked = None;
        if self.sqlite.is_autocommit() { Ok(()) } else { self.execute("ROLLBACK", &[]).map(drop) }
    }

    /// Runs statements that take no values and answer nothing.
    pub(crate) fn batch(&mut self, sql: &str) -> Result<(), Error> {
        self.sqlite.execute_batch(sql).map_err(told)
    }

    /// Runs a statement; answers how many rows it changed.
    pub(crate) fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<usize, Error> {
        let mut statement = self.sqlite.prepare_cached(sql).map_err(told)?;
        bind(&mut statement, params)?;
        statement.raw_execute().map_err(told)
    }

    /// Runs a query and reads each of its rows.
    pub(crate) fn query<T>(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let mut statement = self.sqlite.prepare_cached(sql).map_err(told)?;
        bind(&mut statement, params)?;
        let mut rows = statement.raw_query();
        let mut answer = Vec::new();
        while let Some(row) = rows.next().map_err(told)? {
            answer.push(read(&Row(Cells::Sqlite(row)))?);
        }
        Ok(answer)
    }

    pub(crate) fn ask_later(&mut self, sql: &'static str) {
        self.asked = Some(sql);
    }

    pub(crate) fn answer<T>(
        &mut self,
        read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        self.asked.take().map_or_else(|| Ok(Vec::new()), |sql| self.query(sql, &[], read))
    }

    /// Checks that a statement can be run.
    pub(crate) fn prepare(&mut self, sql: &str) -> Result<(), Error> {
        self.sqlite.prepare(sql).map(drop).map_err(told)
    }
}

/// Binds by name: rusqlite numbers `$n` by first appearance in the statement, not by its digits.
fn bind(statement: &mut rusqlite::CachedStatement<'_>, params: &[Param<'_>]) -> Result<(), Error> {
    const NAMES: [&str; 16] = [
        "$1", "$2", "$3", "$4", "$5", "$6", "$7", "$8", "$9", "$10", "$11", "$12", "$13", "$14", "$15", "$16",
    ];
    for (name, param) in NAMES.iter().zip(params) {
        let Some(index) = statement.parameter_index(name).map_err(told)? else {
            return Err(Error::Refused(format!("the statement has no {name}")));
        };
        match param {
            Param::Null => statement.raw_bind_parameter(index, rusqlite::types::Null),
            Param::Int(value) => statement.raw_bind_parameter(index, value),
            Param::Text(value) => statement.raw_bind_parameter(index, value),
        }
        .map_err(told)?;
    }
    Ok(())
}

/// Files made by this process, to tell them apart.
static MADE: AtomicU32 = AtomicU32::new(0);

fn create(path: &Path, migrations: &[Migration]) -> Result<(), OpenError> {
    let unusable_folder = |error: std::io::Error| OpenError::Unusable {
        path: path.display().to_string(),
        reason: format!("{error}; name a folder that this user can write"),
    };
    let log = log_of(path);
    // Another process may have made both meanwhile: the file first.
    if log.exists() && !path.exists() {
        return Err(OpenError::Unusable {
            path: path.display().to_string(),
            reason: format!(
                "it is gone, but {} is there; put both back, or move that away too",
                log.display()
            ),
        });
    }
    let mut unfinished = path.as_os_str().to_owned();
    let nth = MADE.fetch_add(1, Ordering::Relaxed);
    unfinished.push(format!(".new-{}-{nth}", std::process::id()));
    let unfinished = Path::new(&unfinished);
    let mut db =
        Sqlite::open_with(unfinished, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)
            .map_err(|error| unusable(path, &error))?;
    db.sqlite.pragma_update(None, "journal_mode", "delete").map_err(told)?;
    db.migrate(unfinished, migrations)?;
    drop(db);
    File::open(unfinished).and_then(|file| file.sync_all()).map_err(unusable_folder)?;
    publish(unfinished, path).map_err(unusable_folder)?;
    if let Some(folder) = path.parent() {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(unusable_folder)?;
    }
    Ok(())
}

/// Gives a new file its name if nothing has it. Were another's file replaced, two processes would write to one log for two
/// files, and both would be damaged.
fn publish(unfinished: &Path, path: &Path) -> std::io::Result<()> {
    let linked = std::fs::hard_link(unfinished, path);
    std::fs::remove_file(unfinished)?;
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Copies the database at `from`, which may be in use, to the new file `to`, in one consistent state that is on disk when
/// this returns.
pub fn copy_while_in_use(from: &Path, to: &Path) -> Result<(), Error> {
    Sqlite::open_peer(from)?.copy_to(to)
}

/// The write-ahead log that `SQLite` keeps beside a file.
fn log_of(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

fn unusable(path: &Path, error: &Error) -> OpenError {
    OpenError::Unusable {
        path: path.display().to_string(),
        reason: format!("{error}; it must be a cafe's own file in a folder that this user can write"),
    }
}
