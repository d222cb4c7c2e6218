//! An open database, the same to whoever uses it wherever it is kept.

use std::path::Path;

use crate::postgres::Postgres;
use crate::postgres::bulk::Arrays;
use crate::row::{Cells, Row};
use crate::sqlite::Sqlite;
use crate::{Database, Error, Find, Migration, OpenError, Param, Put};

/// An open database.
pub struct Connection(Kind);

enum Kind {
    Sqlite(Sqlite),
    Postgres(Box<Postgres>),
}

/// Rows that are being written; they are once [`Putting::done`] was called and the transaction is committed.
#[must_use = "rows are written by `done`"]
pub struct Putting<'a> {
    put: &'static Put,
    db: &'a mut Connection,
    arrays: Arrays,
}

/// Rows that are being looked for; they are there once [`Finding::done`] was called.
#[must_use = "rows are read by `done`"]
pub struct Finding<'a, T, F> {
    find: &'static Find,
    db: &'a mut Connection,
    read: F,
    keys: Arrays,
    found: Vec<Option<T>>,
}

impl Connection {
    /// Opens a service's own database for writing, creating and migrating it as needed.
    ///
    /// Before this returns, everything in it is on disk: a predecessor may have been killed between its write and its sync.
    pub fn open(at: impl Into<Database>, migrations: &[Migration]) -> Result<Self, OpenError> {
        Ok(Self(match at.into() {
            Database::File(path) => Kind::Sqlite(Sqlite::open(&path, migrations)?),
            Database::Server(server) => Kind::Postgres(Box::new(Postgres::open(&server, migrations)?)),
        }))
    }

    /// Opens a service's own database for reading beside its writer.
    pub fn open_reader(at: impl Into<Database>) -> Result<Self, Error> {
        Ok(Self(match at.into() {
            Database::File(path) => Kind::Sqlite(Sqlite::open_reader(&path)?),
            Database::Server(server) => Kind::Postgres(Box::new(Postgres::connect(&server)?)),
        }))
    }

    /// Opens another service's database for reading. Nothing there yet is [`Error::Absent`] or [`Error::Busy`].
    ///
    /// Nothing is seen that a power cut could take back.
    pub fn open_peer(at: impl Into<Database>) -> Result<Self, Error> {
        Ok(Self(match at.into() {
            Database::File(path) => Kind::Sqlite(Sqlite::open_peer(&path)?),
            Database::Server(server) => Kind::Postgres(Box::new(Postgres::connect(&server)?)),
        }))
    }

    /// Opens a database as it is for writing, however old its schema; for tools that mend it while nobody works with it.
    pub fn open_as_it_is(at: impl Into<Database>) -> Result<Self, Error> {
        Ok(Self(match at.into() {
            Database::File(path) => Kind::Sqlite(Sqlite::open_as_it_is(&path)?),
            Database::Server(server) => Kind::Postgres(Box::new(Postgres::connect(&server)?)),
        }))
    }

    /// Copies what this connection sees (within a transaction: what that sees) to the new file `to`, on disk when this
    /// returns.
    pub fn copy_to(&mut self, to: &Path) -> Result<(), Error> {
        match &mut self.0 {
            Kind::Sqlite(db) => db.copy_to(to),
            Kind::Postgres(_) => Err(Error::Refused(
                "a database on a server is copied by its own tools (pg_dump, pg_basebackup)".to_owned(),
            )),
        }
    }

    /// Has everything that was committed where it stays: the log is copied back into the file. A server sees to that itself.
    pub fn checkpoint(&mut self) -> Result<(), Error> {
        match &mut self.0 {
            Kind::Sqlite(db) => db.checkpoint(),
            Kind::Postgres(_) => Ok(()),
        }
    }

    /// Empties a log that has grown because reads overlap without a pause.
    pub fn shorten_log(&mut self) -> Result<(), Error> {
        match &mut self.0 {
            Kind::Sqlite(db) => db.shorten_log(),
            Kind::Postgres(_) => Ok(()),
        }
    }

    /// Starts a transaction that will write. On a server others may write too, until this transaction locks a row.
    pub fn begin(&mut self) -> Result<(), Error> {
        match &mut self.0 {
            Kind::Sqlite(db) => db.begin(),
            Kind::Postgres(db) => {
                db.begin("BEGIN");
                Ok(())
            }
        }
    }

    /// Starts a transaction that finds out what became of the last one, whose commit was not answered. It has what is left of the
    /// time that whoever asked may be kept waiting.
    pub fn begin_to_look_up(&mut self) -> Result<(), Error> {
        match &mut self.0 {
            Kind::Sqlite(db) => db.begin(),
            Kind::Postgres(db) => {
                db.begin_to_look_up();
                Ok(())
            }
        }
    }

    /// Starts a transaction that only reads, and sees the same state throughout.
    pub fn begin_reading(&mut self) -> Result<(), Error> {
        match &mut self.0 {
            Kind::Sqlite(db) => db.batch("BEGIN"),
            Kind::Postgres(db) => {
                db.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
                Ok(())
            }
        }
    }

    /// Commits; when this returns, the transaction is on disk. After an error it is not, and must be rolled back; but for
    /// [`Error::Unknown`].
    pub fn commit(&mut self) -> Result<(), Error> {
        match &mut self.0 {
            Kind::Sqlite(db) => db.commit(),
            Kind::Postgres(db) => db.commit(),
        }
    }

    /// Undoes the open transaction, if there is one.
    pub fn rollback(&mut self) -> Result<(), Error> {
        match &mut self.0 {
            Kind::Sqlite(db) => db.rollback(),
            Kind::Postgres(db) => {
                db.rollback();
                Ok(())
            }
        }
    }

    /// Runs statements that take no values and answer nothing.
    pub fn batch(&mut self, sql: &str) -> Result<(), Error> {
        match &mut self.0 {
            Kind::Sqlite(db) => db.batch(sql),
            Kind::Postgres(db) => db.batch(sql),
        }
    }

    /// Runs a statement; answers how many rows it changed.
    pub fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<usize, Error> {
        match &mut self.0 {
            Kind::Sqlite(db) => db.execute(sql, params),
            Kind::Postgres(db) => db.execute(sql, params),
        }
    }

    /// Runs a statement at the latest before the next answer or the commit; what it fails with may come only then.
    pub fn execute_later(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<(), Error> {
        match &mut self.0 {
            Kind::Sqlite(db) => db.execute(sql, params).map(drop),
            Kind::Postgres(db) => {
                db.execute_later(sql, params);
                Ok(())
            }
        }
    }

    /// Runs a query and reads each of its rows.
    pub fn query<T>(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
        read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        match &mut self.0 {
            Kind::Sqlite(db) => db.query(sql, params, read),
            Kind::Postgres(db) => db.query(sql, params, read),
        }
    }

    /// Runs a query that answers at most one row.
    pub fn query_one<T>(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
        read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        Ok(self.query(sql, params, read)?.pop())
    }

    /// Within a transaction that writes: from the next answer on nobody else writes the rows that this query selects, or locks
    /// them in this way, until its end. What is read of them is read by a statement of its own, which sees what whoever had
    /// locked them before has left.
    pub fn lock_later(&mut self, sql: &'static str) {
        match &mut self.0 {
            // Only one transaction writes at a time.
            Kind::Sqlite(_) => {}
            Kind::Postgres(db) => db.lock_later(sql),
        }
    }

    /// Asks a query without values, at the latest with the next that is answered; [`Connection::answer`] reads what it is told. A
    /// rollback forgets it.
    pub fn ask_later(&mut self, sql: &'static str) {
        match &mut self.0 {
            Kind::Sqlite(db) => db.ask_later(sql),
            Kind::Postgres(db) => db.ask_later(sql),
        }
    }

    /// Reads the rows of what was asked last by [`Connection::ask_later`], once.
    pub fn answer<T>(&mut self, read: impl FnMut(&Row<'_>) -> Result<T, Error>) -> Result<Vec<T>, Error> {
        match &mut self.0 {
            Kind::Sqlite(db) => db.answer(read),
            Kind::Postgres(db) => db.answer(read),
        }
    }

    /// Whether others may write to this database at the same time.
    pub fn is_shared(&self) -> bool {
        matches!(self.0, Kind::Postgres(_))
    }

    /// Runs a query that answers at most one row, once for each of `asked`, in one go.
    pub fn query_each<T, const N: usize>(
        &mut self,
        sql: &'static str,
        asked: &[[Param<'_>; N]],
        mut read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<Option<T>>, Error> {
        match &mut self.0 {
            Kind::Sqlite(db) => {
                asked.iter().map(|params| Ok(db.query(sql, params, &mut read)?.pop())).collect()
            }
            Kind::Postgres(db) => db.query_each(sql, asked, read),
        }
    }

    /// Begins to write rows of one table.
    pub fn put(&mut self, put: &'static Put) -> Putting<'_> {
        Putting { put, db: self, arrays: Arrays::of(put.columns) }
    }

    /// Begins to look for rows of one table by their keys.
    pub fn find<T, F: FnMut(&Row<'_>) -> Result<T, Error>>(
        &mut self,
        find: &'static Find,
        read: F,
    ) -> Finding<'_, T, F> {
        Finding { find, db: self, read, keys: Arrays::of(find.key), found: Vec::new() }
    }

    /// Checks that the database can run these statements, without running them.
    pub fn prepare(&mut self, sql: &str) -> Result<(), Error> {
        match &mut self.0 {
            Kind::Sqlite(db) => db.prepare(sql),
            Kind::Postgres(db) => db.prepare(sql),
        }
    }

    /// The same for statements that are made from a description.
    pub fn prepare_put(&mut self, put: &'static Put) -> Result<(), Error> {
        let text = match self.0 {
            Kind::Sqlite(_) => put.one_by_one(),
            Kind::Postgres(_) => put.all_at_once(),
        };
        self.prepare(text)
    }

    /// The same for statements that are made from a description.
    pub fn prepare_find(&mut self, find: &'static Find) -> Result<(), Error> {
        let text = match self.0 {
            Kind::Sqlite(_) => find.one_by_one(),
            Kind::Postgres(_) => find.all_at_once(),
        };
        self.prepare(text)
    }
}

impl Putting<'_> {
    /// One more row, its values in the order of the columns.
    pub fn row(&mut self, values: &[Param<'_>]) -> Result<(), Error> {
        match &mut self.db.0 {
            Kind::Sqlite(db) => db.execute(self.put.one_by_one(), values).map(drop),
            Kind::Postgres(_) => self.arrays.push(values),
        }
    }

    /// Writes them.
    pub fn done(self) -> Result<(), Error> {
        if let Kind::Postgres(db) = &mut self.db.0 {
            db.put_later(self.put.all_at_once(), self.arrays);
        }
        Ok(())
    }
}

impl<T, F: FnMut(&Row<'_>) -> Result<T, Error>> Finding<'_, T, F> {
    /// One more key, its values in the order of the columns.
    pub fn key(&mut self, values: &[Param<'_>]) -> Result<(), Error> {
        match &mut self.db.0 {
            Kind::Sqlite(db) => {
                let row = db.query(self.find.one_by_one(), values, &mut self.read)?.pop();
                self.found.push(row);
                Ok(())
            }
            Kind::Postgres(_) => self.keys.push(values),
        }
    }

    /// For each key, in order, its row if there is one.
    pub fn done(mut self) -> Result<Vec<Option<T>>, Error> {
        if let Kind::Postgres(db) = &mut self.db.0 {
            self.found.resize_with(self.keys.rows(), || None);
            for row in db.find(self.find.all_at_once(), &self.keys)? {
                let row = Row(Cells::Postgres(&row));
                let nth = row.int(row.width() - 1)?;
                self.found[nth as usize - 1] = Some((self.read)(&row)?);
            }
        }
        Ok(self.found)
    }
}
