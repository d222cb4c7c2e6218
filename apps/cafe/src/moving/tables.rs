//! Every SQL statement of a move: what tables there are, noting what changes in them, and copying their rows.

use std::fmt::Write;

use anyhow::{Context, ensure};
use cafe_store::{Column, Connection, Error, Param, Put, Row};

/// Rows that are copied at a time.
const PAGE: usize = 2_000;
/// Tables that are not carried over: each place has its own.
const STAYS: [&str; 4] = ["migrations", "lease", "replicas", "moving_keys"];
/// A key's values in the notes are separated by a character that no id, store or day has.
const SEPARATOR: &str = "\u{1f}";

/// A table of the file.
#[derive(Debug)]
pub(super) struct Table {
    name: &'static str,
    columns: &'static [Column],
    /// Places of the key's columns among them.
    key: Vec<usize>,
    put: &'static Put,
}

/// A value on its way.
#[derive(Clone, Debug)]
enum Value {
    Null,
    Int(i64),
    Text(String),
}

/// The rows at the new place, of no use to anybody before the move's end.
pub(super) struct Draft<'a> {
    server: &'a mut Connection,
}

impl Table {
    /// All tables that are carried over.
    pub(super) fn all(file: &mut Connection) -> anyhow::Result<Vec<Self>> {
        let names = file.query(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name",
            &[],
            |row| row.text(0),
        )?;
        let names = names.into_iter().filter(|name| !STAYS.contains(&name.as_str()));
        names.map(|name| Self::of(file, &name).with_context(|| format!("table {name}"))).collect()
    }

    /// The few descriptions live as long as this program, which ends with the move.
    fn of(file: &mut Connection, name: &str) -> anyhow::Result<Self> {
        let info = format!("SELECT name, type, pk FROM pragma_table_info('{name}') ORDER BY cid");
        let columns = file.query(&info, &[], |row| Ok((row.text(0)?, row.text(1)?, row.int(2)?)))?;
        let mut key: Vec<(i64, usize)> = columns
            .iter()
            .enumerate()
            .filter(|(_, (_, _, place))| *place > 0)
            .map(|(at, (_, _, place))| (*place, at))
            .collect();
        key.sort_unstable();
        ensure!(!key.is_empty(), "it has no key");
        let columns: Vec<Column> = columns
            .into_iter()
            .map(|(name, kind, _)| {
                let name: &'static str = name.leak();
                if kind == "INTEGER" { Column::Int(name) } else { Column::Text(name) }
            })
            .collect();
        let (name, columns): (&'static str, &'static [Column]) = (name.to_owned().leak(), columns.leak());
        let key: Vec<usize> = key.into_iter().map(|(_, at)| at).collect();
        let put = Put::new(name, columns, on_conflict(columns, &key).leak());
        Ok(Self { name, columns, key, put: Box::leak(Box::new(put)) })
    }

    fn names(&self) -> String {
        self.columns.iter().map(|column| column.name()).collect::<Vec<_>>().join(", ")
    }

    fn key_names(&self) -> Vec<&'static str> {
        self.key.iter().map(|at| self.columns[*at].name()).collect()
    }

    fn read(&self, row: &Row<'_>) -> Result<Vec<Value>, Error> {
        self.columns
            .iter()
            .enumerate()
            .map(|(at, column)| {
                Ok(match column {
                    Column::Int(_) => row.opt_int(at)?.map_or(Value::Null, Value::Int),
                    Column::Text(_) => row.opt_text(at)?.map_or(Value::Null, Value::Text),
                })
            })
            .collect()
    }

    /// A key as it is noted.
    fn key_from(&self, noted: &str) -> anyhow::Result<Vec<Value>> {
        let parts: Vec<&str> = noted.split(SEPARATOR).collect();
        ensure!(parts.len() == self.key.len(), "{noted:?} is no key of table {}", self.name);
        self.key
            .iter()
            .zip(parts)
            .map(|(at, part)| {
                Ok(match self.columns[*at] {
                    Column::Int(_) => Value::Int(part.parse()?),
                    Column::Text(_) => Value::Text(part.to_owned()),
                })
            })
            .collect()
    }
}

fn on_conflict(columns: &[Column], key: &[usize]) -> String {
    let keys: Vec<&str> = key.iter().map(|at| columns[*at].name()).collect();
    let others: Vec<String> = columns
        .iter()
        .map(|column| column.name())
        .filter(|name| !keys.contains(name))
        .map(|name| format!("{name} = excluded.{name}"))
        .collect();
    let keys = keys.join(", ");
    if others.is_empty() {
        format!("ON CONFLICT ({keys}) DO NOTHING")
    } else {
        format!("ON CONFLICT ({keys}) DO UPDATE SET {}", others.join(", "))
    }
}

impl Value {
    fn param(&self) -> Param<'_> {
        match self {
            Self::Null => Param::Null,
            Self::Int(value) => Param::Int(*value),
            Self::Text(value) => Param::Text(value),
        }
    }
}

/// Notes the key of every row that changes from now on.
pub(super) fn watch(file: &mut Connection, tables: &[Table]) -> anyhow::Result<()> {
    unwatch(file, tables)?;
    let mut sql =
        "CREATE TABLE moving_keys (id INTEGER PRIMARY KEY, name TEXT NOT NULL, key TEXT NOT NULL) STRICT;"
            .to_owned();
    for table in tables {
        for (event, row) in [("INSERT", "new"), ("UPDATE", "new"), ("DELETE", "old")] {
            let key: Vec<String> = table.key_names().iter().map(|name| format!("{row}.{name}")).collect();
            let key = key.join(&format!(" || '{SEPARATOR}' || "));
            let name = table.name;
            let _ = write!(
                sql,
                "CREATE TRIGGER moving_{name}_{event} AFTER {event} ON {name} BEGIN \
                 INSERT INTO moving_keys (name, key) VALUES ('{name}', {key}); END;"
            );
        }
    }
    patiently(file, &sql)
}

/// Notes nothing any more.
pub(super) fn unwatch(file: &mut Connection, tables: &[Table]) -> anyhow::Result<()> {
    let mut sql = String::new();
    for table in tables {
        for event in ["INSERT", "UPDATE", "DELETE"] {
            let _ = write!(sql, "DROP TRIGGER IF EXISTS moving_{}_{event};", table.name);
        }
    }
    sql.push_str("DROP TABLE IF EXISTS moving_keys;");
    patiently(file, &sql)
}

/// In one transaction, for which the file's writer is waited for.
fn patiently(file: &mut Connection, sql: &str) -> anyhow::Result<()> {
    super::begin_patiently(file)?;
    match file.batch(sql).and_then(|()| file.commit()) {
        Ok(()) => Ok(()),
        Err(error) => {
            file.rollback()?;
            Err(error.into())
        }
    }
}

/// How many changes are noted and not copied.
pub(super) fn count_changed(file: &mut Connection) -> anyhow::Result<i64> {
    Ok(file.query_one("SELECT COUNT(*) FROM moving_keys", &[], |row| row.int(0))?.unwrap_or(0))
}

impl<'a> Draft<'a> {
    /// Begins anew, whatever an interrupted move has left. Rows that are no draft are somebody else's.
    pub(super) fn begin(server: &'a mut Connection, tables: &[Table]) -> anyhow::Result<Self> {
        let is_draft = server.query("SELECT 1 FROM moving", &[], |_| Ok(())).is_ok();
        let spoken = server.query_one("SELECT last FROM outbox_head WHERE id = 1", &[], |row| row.int(0))?;
        let used = spoken != Some(0)
            || server.query_one("SELECT epoch FROM lease WHERE id = 1", &[], |row| row.int(0))? != Some(0);
        ensure!(is_draft || !used, "another cafe keeps its data there; name another database");
        server.batch("CREATE TABLE IF NOT EXISTS moving (at_ms BIGINT)")?;
        for table in tables {
            // However much an interrupted move has copied, this takes a moment.
            server.batch(&format!("TRUNCATE {}", table.name))?;
        }
        Ok(Self { server })
    }

    /// Copies a table, a page at a time: a long read would keep the file's log from shrinking. Answers how many rows.
    pub(super) fn copy_all(&mut self, file: &mut Connection, table: &Table) -> anyhow::Result<usize> {
        let (names, keys) = (table.names(), table.key_names().join(", "));
        let mut after: Option<Vec<Value>> = None;
        let mut rows = 0;
        loop {
            let page = match &after {
                None => {
                    let sql = format!("SELECT {names} FROM {} ORDER BY {keys} LIMIT {PAGE}", table.name);
                    file.query(&sql, &[], |row| table.read(row))?
                }
                Some(after) => {
                    let places: Vec<String> = (1..=after.len()).map(|place| format!("${place}")).collect();
                    let sql = format!(
                        "SELECT {names} FROM {} WHERE ({keys}) > ({}) ORDER BY {keys} LIMIT {PAGE}",
                        table.name,
                        places.join(", ")
                    );
                    let params: Vec<Param<'_>> = after.iter().map(Value::param).collect();
                    file.query(&sql, &params, |row| table.read(row))?
                }
            };
            let Some(last) = page.last() else { return Ok(rows) };
            after = Some(table.key.iter().map(|at| last[*at].clone()).collect());
            rows += page.len();
            self.write(table, &page)?;
        }
    }

    /// Copies the rows whose keys are noted, and forgets the notes; within the file's open transaction if there is one.
    pub(super) fn copy_changed(&mut self, file: &mut Connection, tables: &[Table]) -> anyhow::Result<()> {
        let noted = file.query("SELECT id, name, key FROM moving_keys ORDER BY id", &[], |row| {
            Ok((row.int(0)?, row.text(1)?, row.text(2)?))
        })?;
        let Some((last, ..)) = noted.last() else { return Ok(()) };
        for table in tables {
            let mut keys: Vec<&str> = noted
                .iter()
                .filter(|(_, name, _)| name == table.name)
                .map(|(_, _, key)| key.as_str())
                .collect();
            keys.sort_unstable();
            keys.dedup();
            for keys in keys.chunks(PAGE) {
                self.copy_keys(file, table, keys)?;
            }
        }
        // Notes that came meanwhile are about other changes.
        let forget = "DELETE FROM moving_keys WHERE id <= $1";
        loop {
            match file.execute(forget, &[(*last).into()]) {
                Err(Error::Busy(_)) => {}
                outcome => return Ok(outcome.map(drop)?),
            }
        }
    }

    fn copy_keys(&mut self, file: &mut Connection, table: &Table, keys: &[&str]) -> anyhow::Result<()> {
        let wanted: Vec<String> =
            table.key_names().iter().enumerate().map(|(at, name)| format!("{name} = ${}", at + 1)).collect();
        let wanted = wanted.join(" AND ");
        let select = format!("SELECT {} FROM {} WHERE {wanted}", table.names(), table.name);
        let delete = format!("DELETE FROM {} WHERE {wanted}", table.name);
        let mut rows = Vec::new();
        for key in keys {
            let key = table.key_from(key)?;
            let params: Vec<Param<'_>> = key.iter().map(Value::param).collect();
            match file.query_one(&select, &params, |row| table.read(row))? {
                Some(row) => rows.push(row),
                None => drop(self.server.execute(&delete, &params)?),
            }
        }
        self.write(table, &rows)
    }

    fn write(&mut self, table: &Table, rows: &[Vec<Value>]) -> anyhow::Result<()> {
        self.server.begin()?;
        let mut put = self.server.put(table.put);
        for row in rows {
            let params: Vec<Param<'_>> = row.iter().map(Value::param).collect();
            put.row(&params)?;
        }
        put.done()?;
        Ok(self.server.commit()?)
    }

    /// Compares what can be compared quickly, and has the server give numbers above those that were given.
    pub(super) fn finish(&mut self, file: &mut Connection, tables: &[Table]) -> anyhow::Result<()> {
        let head = "SELECT log_id, last FROM outbox_head WHERE id = 1";
        let read = |row: &Row<'_>| Ok((row.text(0)?, row.int(1)?));
        let (ours, theirs) = (file.query_one(head, &[], read)?, self.server.query_one(head, &[], read)?);
        ensure!(ours == theirs, "the log there is not the log here: {theirs:?}, not {ours:?}");
        if tables.iter().any(|table| table.name == "parked") {
            let given = "SELECT MAX(id), (SELECT last_parked FROM outbox_head WHERE id = 1) FROM parked";
            let last = self.server.query_one(given, &[], |row| Ok(row.opt_int(0)?.max(row.opt_int(1)?)))?;
            let next = last.flatten().unwrap_or(0) + 1;
            self.server.batch(&format!("ALTER TABLE parked ALTER COLUMN id RESTART WITH {next}"))?;
        }
        Ok(())
    }

    /// Leaves nothing behind.
    pub(super) fn discard(self) -> anyhow::Result<()> {
        Ok(self.server.batch("DROP TABLE IF EXISTS moving")?)
    }
}
