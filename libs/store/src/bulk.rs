//! Many rows in one statement, for what every turn does. Each is described once; the text for each database follows from it.

use std::fmt::Write;
use std::sync::OnceLock;

use crate::{Connection, Error};

/// A column and what it holds.
#[derive(Clone, Copy, Debug)]
pub enum Column {
    /// INTEGER, BIGINT.
    Int(&'static str),
    /// TEXT.
    Text(&'static str),
}

/// Writes rows of one table. No two rows of one call may be in conflict with each other.
#[derive(Debug)]
pub struct Put {
    pub(crate) table: &'static str,
    pub(crate) columns: &'static [Column],
    pub(crate) conflict: &'static str,
    texts: Texts,
}

/// Reads at most one row per key.
#[derive(Debug)]
pub struct Find {
    pub(crate) answer: &'static str,
    pub(crate) table: &'static str,
    pub(crate) key: &'static [Column],
    texts: Texts,
}

/// All statements of a file.
#[derive(Clone, Copy, Debug, Default)]
pub struct Statements {
    /// As they are written.
    pub texts: &'static [&'static str],
    /// Made from descriptions.
    pub puts: &'static [&'static Put],
    /// The same.
    pub finds: &'static [&'static Find],
}

impl Statements {
    /// Checks that the database can run each of them, without running any.
    pub fn prepare(&self, db: &mut Connection) -> Result<(), Error> {
        self.texts.iter().try_for_each(|text| db.prepare(text))?;
        self.puts.iter().try_for_each(|put| db.prepare_put(put))?;
        self.finds.iter().try_for_each(|find| db.prepare_find(find))
    }
}

/// Made when first used.
#[derive(Debug)]
struct Texts {
    one_by_one: OnceLock<String>,
    all_at_once: OnceLock<String>,
}

impl Column {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Int(name) | Self::Text(name) => name,
        }
    }

    fn array(self) -> &'static str {
        match self {
            Self::Int(_) => "bigint[]",
            Self::Text(_) => "text[]",
        }
    }
}

impl Put {
    /// Rows of `columns` for `table`; `conflict` is an `ON CONFLICT` clause, in which `excluded` is the new row, or empty.
    pub const fn new(table: &'static str, columns: &'static [Column], conflict: &'static str) -> Self {
        Self { table, columns, conflict, texts: Texts::new() }
    }

    /// One row: `$1` is its first column.
    pub fn one_by_one(&self) -> &str {
        self.texts.one_by_one.get_or_init(|| {
            let Self { table, conflict, .. } = self;
            let (names, values) = (names(self.columns), numbers(self.columns.len()));
            format!("INSERT INTO {table} ({names}) VALUES ({values}) {conflict}")
        })
    }

    /// All rows: `$1` is an array of their first columns.
    pub fn all_at_once(&self) -> &str {
        self.texts.all_at_once.get_or_init(|| {
            let Self { table, conflict, .. } = self;
            let (names, arrays) = (names(self.columns), arrays(self.columns));
            format!("INSERT INTO {table} ({names}) SELECT * FROM UNNEST({arrays}) {conflict}")
        })
    }
}

impl Find {
    /// The columns `answer` of the rows of `table` whose columns `key` are as asked.
    pub const fn new(answer: &'static str, table: &'static str, key: &'static [Column]) -> Self {
        Self { answer, table, key, texts: Texts::new() }
    }

    /// One key: `$1` is its first column.
    pub fn one_by_one(&self) -> &str {
        self.texts.one_by_one.get_or_init(|| {
            let Self { answer, table, key, .. } = self;
            let mut text = format!("SELECT {answer} FROM {table} WHERE ");
            for (place, column) in key.iter().enumerate() {
                let and = if place == 0 { "" } else { " AND " };
                let _ = write!(text, "{and}{} = ${}", column.name(), place + 1);
            }
            text
        })
    }

    /// All keys: `$1` is an array of their first columns. The last column of the answer tells which key a row is for, from 1.
    pub fn all_at_once(&self) -> &str {
        self.texts.all_at_once.get_or_init(|| {
            let Self { answer, table, key, .. } = self;
            let (names, arrays) = (names(key), arrays(key));
            format!(
                "SELECT {answer}, nth FROM UNNEST({arrays}) WITH ORDINALITY AS wanted ({names}, nth) JOIN {table} USING ({names})"
            )
        })
    }
}

impl Texts {
    const fn new() -> Self {
        Self { one_by_one: OnceLock::new(), all_at_once: OnceLock::new() }
    }
}

fn names(columns: &[Column]) -> String {
    columns.iter().map(|column| column.name()).collect::<Vec<_>>().join(", ")
}

fn numbers(count: usize) -> String {
    (1..=count).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ")
}

fn arrays(columns: &[Column]) -> String {
    let typed = |(place, column): (usize, &Column)| format!("${}::{}", place + 1, column.array());
    columns.iter().enumerate().map(typed).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_description_makes_a_statement_for_each_database() {
        const KEY: &[Column] = &[Column::Text("store"), Column::Int("day")];
        let put = Put::new("t", KEY, "ON CONFLICT (store) DO NOTHING");
        assert_eq!(
            put.one_by_one(),
            "INSERT INTO t (store, day) VALUES ($1, $2) ON CONFLICT (store) DO NOTHING"
        );
        assert_eq!(
            put.all_at_once(),
            "INSERT INTO t (store, day) SELECT * FROM UNNEST($1::text[], $2::bigint[]) ON CONFLICT (store) DO NOTHING"
        );
        let find = Find::new("last", "t", KEY);
        assert_eq!(find.one_by_one(), "SELECT last FROM t WHERE store = $1 AND day = $2");
        assert_eq!(
            find.all_at_once(),
            "SELECT last, nth FROM UNNEST($1::text[], $2::bigint[]) WITH ORDINALITY AS wanted (store, day, nth) \
             JOIN t USING (store, day)"
        );
    }
}
