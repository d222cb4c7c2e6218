//! `PostgreSQL`, and what speaks its protocol: a schema per service, statements sent without waiting for each other's answers.
//!
//! Nothing is used that only `PostgreSQL` has where something that others have too does: no advisory locks, no LOCK TABLE, no
//! sequences in statements, no triggers, no transaction ids. LISTEN and NOTIFY are hints (`notices.rs`).

pub(crate) mod bulk;
mod ddl;
pub(crate) mod notices;
mod session;
mod wire;

use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};

use crate::row::{Cells, Row};
use crate::{Error, Migration, OpenError, Param, Server};
use bulk::{Arrays, Owned};
use session::{Queued, Session, Trouble};

/// How long a transaction, or an answer outside of one, is waited for, so that whoever asked is told within a second.
const PATIENCE: Duration = Duration::from_millis(750);
/// Until when after its beginning the outcome of a transaction is looked up, if its commit was not answered: still within that
/// second…
const LOOK_UP_UNTIL: Duration = Duration::from_millis(900);
/// …or a little longer, for who was told nothing can only ask again.
const LOOK_UP_PATIENCE: Duration = Duration::from_millis(100);
/// The same while a database is being opened: others may be migrating it.
const OPENING_PATIENCE: Duration = Duration::from_secs(20);
/// For a database that cannot be reached when a service starts: it may be starting too.
const PAUSE_BETWEEN_TRIES: Duration = Duration::from_millis(200);

const LOST_WITHIN: &str = "the connection was lost within the transaction";

/// A connection to a schema on a server; made when it is needed, and anew after trouble.
pub(crate) struct Postgres {
    server: Server,
    runtime: Option<Runtime>,
    session: Option<Session>,
    /// Sent with the next statement that has an answer.
    queued: Vec<Queued>,
    /// Until when the open transaction is waited for.
    open_until: Option<Instant>,
    /// When the last transaction was begun.
    begun: Instant,
    patience: Duration,
}

impl Postgres {
    /// See [`crate::Connection::open`].
    pub(crate) fn open(server: &Server, migrations: &[Migration]) -> Result<Self, OpenError> {
        let mut db = Self::new(server, OPENING_PATIENCE)?;
        let started = Instant::now();
        let mut said = false;
        loop {
            match db.migrate(migrations) {
                Err(OpenError::Failed(Error::Busy(reason))) if started.elapsed() < OPENING_PATIENCE => {
                    if !said {
                        tracing::warn!(
                            reason,
                            "the database cannot be opened yet; trying for {OPENING_PATIENCE:?}"
                        );
                    }
                    said = true;
                    db.rollback();
                    std::thread::sleep(PAUSE_BETWEEN_TRIES);
                }
                Err(OpenError::Failed(error)) => {
                    return Err(OpenError::Unusable { path: server.to_string(), reason: error.to_string() });
                }
                Err(error) => return Err(error),
                Ok(()) => break,
            }
        }
        db.patience = PATIENCE;
        Ok(db)
    }

    /// For use without migrating.
    pub(crate) fn connect(server: &Server) -> Result<Self, Error> {
        let mut db = Self::new(server, PATIENCE)?;
        db.batch("")?;
        Ok(db)
    }

    fn new(server: &Server, patience: Duration) -> Result<Self, Error> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Error::Busy(format!("no runtime: {error}")))?;
        Ok(Self {
            server: server.clone(),
            runtime: Some(runtime),
            session: None,
            queued: Vec::new(),
            open_until: None,
            begun: Instant::now(),
            patience,
        })
    }

    /// Replicas may do this at once: whoever records a migration second waits for the first, and finds it done.
    fn migrate(&mut self, migrations: &[Migration]) -> Result<(), OpenError> {
        let schema = self.server.schema.clone();
        self.batch(&format!("CREATE SCHEMA IF NOT EXISTS {schema}"))?;
        self.batch("CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY)")?;
        loop {
            let done = self.query("SELECT name FROM migrations", &[], |row| row.text(0))?;
            let next = Migration::to_do(migrations, &done, &self.server)?.next().copied();
            let Some(migration) = next else { return Ok(()) };
            self.begin("BEGIN");
            let record = "INSERT INTO migrations (name) VALUES ($1) ON CONFLICT (name) DO NOTHING";
            if self.execute(record, &[migration.name.into()])? == 1 {
                self.batch(&ddl::translated(migration.sql))?;
            }
            self.commit()?;
        }
    }

    /// See [`crate::Connection::begin_to_look_up`].
    pub(crate) fn begin_to_look_up(&mut self) {
        let until = (self.begun + LOOK_UP_UNTIL).max(Instant::now() + LOOK_UP_PATIENCE);
        self.begin("BEGIN");
        self.open_until = Some(until);
    }

    pub(crate) fn begin(&mut self, how: &'static str) {
        self.begun = Instant::now();
        self.open_until = Some(self.begun + self.patience);
        self.queued.clear();
        self.queued.push(Queued::Begin(how));
    }

    pub(crate) fn commit(&mut self) -> Result<(), Error> {
        let nothing_sent = matches!(self.queued.first(), Some(Queued::Begin(_))) && self.queued.len() == 1;
        if nothing_sent {
            self.queued.clear();
            self.open_until = None;
            return Ok(());
        }
        if matches!(self.queued.first(), Some(Queued::Begin(_))) {
            // What is tried again on another connection must not include the commit.
            self.answered(&async |session, queued| session.send(queued).await)?;
        }
        let committed = self.run(&async |session, queued| session.commit(queued).await);
        match committed {
            Ok(()) => {
                self.open_until = None;
                Ok(())
            }
            Err(Trouble::Told(error)) => Err(error),
            // What was sent last is the commit.
            Err(Trouble::Gone(reason)) => {
                self.open_until = None;
                Err(Error::Unknown(reason))
            }
        }
    }

    /// What cannot be undone by asking is undone by leaving.
    pub(crate) fn rollback(&mut self) {
        let was_begun = !matches!(self.queued.first(), Some(Queued::Begin(_)));
        self.queued.clear();
        if let Some(session) = &self.session {
            drop(session.take_answer());
        }
        if self.open_until.take().is_some() && was_begun && self.session.is_some() {
            let undone = self.run(&async |session, _| session.batch("ROLLBACK").await);
            if undone.is_err() {
                self.session = None;
            }
        }
    }

    pub(crate) fn batch(&mut self, sql: &str) -> Result<(), Error> {
        self.answered(&async |session, queued| {
            session.send(queued).await?;
            session.batch(sql).await
        })
    }

    pub(crate) fn prepare(&mut self, sql: &str) -> Result<(), Error> {
        self.answered(&async |session, _| session.prepare(sql).await.map(drop))
    }

    pub(crate) fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<usize, Error> {
        self.answered(&async |session, queued| session.execute(queued, sql, params).await)
    }

    pub(crate) fn execute_later(&mut self, sql: &'static str, params: &[Param<'_>]) {
        self.queued.push(Queued::Run(sql, params.iter().copied().map(Owned::from).collect()));
    }

    pub(crate) fn lock_later(&mut self, sql: &str) {
        self.queued.push(Queued::Lock(format!("{sql} FOR UPDATE")));
    }

    pub(crate) fn ask_later(&mut self, sql: &'static str) {
        self.queued.push(Queued::Ask(sql));
    }

    pub(crate) fn answer<T>(
        &mut self,
        mut read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        if !self.queued.is_empty() {
            self.answered(&async |session, queued| session.send(queued).await)?;
        }
        let lost = || Error::Busy(LOST_WITHIN.to_owned());
        let rows = self.session.as_ref().ok_or_else(lost)?.take_answer();
        rows.iter().map(|row| read(&Row(Cells::Postgres(row)))).collect()
    }

    pub(crate) fn put_later(&mut self, sql: &'static str, arrays: Arrays) {
        if arrays.rows() > 0 {
            self.queued.push(Queued::Put(sql, arrays));
        }
    }

    pub(crate) fn query<T>(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let rows = self.answered(&async |session, queued| session.query(queued, sql, params).await)?;
        rows.iter().map(|row| read(&Row(Cells::Postgres(row)))).collect()
    }

    pub(crate) fn query_each<T, const N: usize>(
        &mut self,
        sql: &'static str,
        asked: &[[Param<'_>; N]],
        mut read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<Option<T>>, Error> {
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let answers = self.answered(&async |session, queued| session.query_each(queued, sql, asked).await)?;
        let mut read_first = |rows: &Vec<tokio_postgres::Row>| {
            rows.first().map(|row| read(&Row(Cells::Postgres(row)))).transpose()
        };
        answers.iter().map(&mut read_first).collect()
    }

    pub(crate) fn find(
        &mut self,
        sql: &'static str,
        keys: &Arrays,
    ) -> Result<Vec<tokio_postgres::Row>, Error> {
        if keys.rows() == 0 {
            return Ok(Vec::new());
        }
        self.answered(&async |session, queued| session.find(queued, sql, keys).await)
    }

    fn answered<T>(
        &mut self,
        work: &impl AsyncFn(&mut Session, &[Queued]) -> Result<T, Trouble>,
    ) -> Result<T, Error> {
        self.run(work).map_err(|trouble| match trouble {
            Trouble::Told(error) => error,
            Trouble::Gone(reason) => Error::Busy(reason),
        })
    }

    /// Sends what is queued and does `work`, all of it within the patience that is left. A session that is found dead by the
    /// first words of a transaction is replaced once: the server may have been restarted since it was last used.
    fn run<T>(
        &mut self,
        work: &impl AsyncFn(&mut Session, &[Queued]) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        let queued = std::mem::take(&mut self.queued);
        let begins = self.open_until.is_none() || matches!(queued.first(), Some(Queued::Begin(_)));
        let until = self.open_until.unwrap_or_else(|| Instant::now() + self.patience);
        if !begins && self.session.is_none() {
            return Err(Trouble::Told(Error::Busy(LOST_WITHIN.to_owned())));
        }
        let was_there = self.session.is_some();
        let mut outcome = self.try_run(&queued, until, work);
        if begins && was_there && matches!(outcome, Err(Trouble::Gone(_))) && Instant::now() < until {
            outcome = self.try_run(&queued, until, work);
        }
        outcome
    }

    fn try_run<T>(
        &mut self,
        queued: &[Queued],
        until: Instant,
        work: &impl AsyncFn(&mut Session, &[Queued]) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        let Some(runtime) = &self.runtime else { unreachable!("it is there until this is dropped") };
        let (server, held) = (&self.server, &mut self.session);
        let done = runtime.block_on(async {
            tokio::time::timeout_at(until.into(), async {
                let session = match held {
                    Some(session) => session,
                    none => none.insert(Session::open(server).await?),
                };
                work(session, queued).await
            })
            .await
        });
        let outcome =
            done.unwrap_or_else(|_| Err(Trouble::Gone("the database does not answer in time".to_owned())));
        if matches!(outcome, Err(Trouble::Gone(_))) {
            self.session = None;
        }
        outcome
    }
}

impl Drop for Postgres {
    /// It may be dropped by an asynchronous task, which must not wait.
    fn drop(&mut self) {
        self.session = None;
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
