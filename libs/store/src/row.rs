//! A row of a query's answer, whichever database gave it.

use rusqlite::types::ValueRef;
use tokio_postgres::types::Type;

use crate::{Error, sqlite};

/// A row of a query's answer.
pub struct Row<'a>(pub(crate) Cells<'a>);

pub(crate) enum Cells<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    Postgres(&'a tokio_postgres::Row),
}

impl Row<'_> {
    /// How many columns there are.
    pub(crate) fn width(&self) -> usize {
        match self.0 {
            Cells::Sqlite(row) => row.as_ref().column_count(),
            Cells::Postgres(row) => row.len(),
        }
    }

    /// The column as a whole number.
    pub fn int(&self, column: usize) -> Result<i64, Error> {
        self.opt_int(column)?.ok_or_else(|| Error::Refused(format!("column {column} is NULL, not a number")))
    }

    /// The column as a whole number, or nothing.
    pub fn opt_int(&self, column: usize) -> Result<Option<i64>, Error> {
        match self.0 {
            Cells::Sqlite(row) => row.get(column).map_err(sqlite::told),
            Cells::Postgres(row) => match *row.columns()[column].type_() {
                Type::INT4 => Ok(postgres_cell::<Option<i32>>(row, column)?.map(i64::from)),
                _ => postgres_cell(row, column),
            },
        }
    }

    /// The column as text.
    pub fn text(&self, column: usize) -> Result<String, Error> {
        self.str(column).map(str::to_owned)
    }

    /// The column as text, or nothing.
    pub fn opt_text(&self, column: usize) -> Result<Option<String>, Error> {
        match self.0 {
            Cells::Sqlite(row) => row.get(column).map_err(sqlite::told),
            Cells::Postgres(row) => postgres_cell(row, column),
        }
    }

    /// The column's text without copying it.
    pub fn str(&self, column: usize) -> Result<&str, Error> {
        match self.0 {
            Cells::Sqlite(row) => match row.get_ref(column).map_err(sqlite::told)? {
                ValueRef::Text(bytes) => {
                    std::str::from_utf8(bytes).map_err(|error| Error::Refused(error.to_string()))
                }
                other => Err(Error::Refused(format!("column {column} is {}, not text", other.data_type()))),
            },
            Cells::Postgres(row) => postgres_cell(row, column),
        }
    }
}

fn postgres_cell<'a, T: tokio_postgres::types::FromSql<'a>>(
    row: &'a tokio_postgres::Row,
    column: usize,
) -> Result<T, Error> {
    row.try_get(column).map_err(|error| Error::Refused(format!("column {column}: {error}")))
}
