//! What memory and `SQLite` have, held against each other row by row.

use std::collections::BTreeMap;
use std::fmt::Debug;

use cafe_clock::from_ms;
use cafe_delivery::parts::Storage;
use cafe_delivery::{Ledger, Rows, head, parked_page, read_after};
use cafe_events::{OrderId, Source};
use cafe_store::{Connection, Error, Row};

use super::rows::Twinned;
use crate::disk::Contents;
use crate::shelf::Shelved;

/// What both have in common before a difference, as far as it is told.
const COMMON: usize = 60;
/// How much is told of either from there on, in characters.
const TOLD: usize = 240;

/// What `SQLite` has otherwise than memory, in words.
#[derive(Debug)]
pub struct Difference(pub String);

/// Whether both have the same.
pub type Same = Result<(), Difference>;

impl From<Error> for Difference {
    fn from(error: Error) -> Self {
        Self(format!("memory could, and SQLite cannot: {error}"))
    }
}

/// Everything that a service keeps. No transaction is open.
pub fn same_contents<D: Twinned>(contents: &Contents<D>, db: &mut Connection) -> Same {
    same_lists(contents, db)?;
    same_heard(contents, db)?;
    let mut wanted = D::all_of(&contents.shelf);
    let mut stored = wanted.clone();
    <D as Shelved>::load(&contents.shelf, contents.head(), &mut wanted);
    <D as cafe_delivery::Tables>::load(db, &mut stored)?;
    D::same_loaded(&wanted, &stored)?;
    D::same_columns(&contents.shelf, db)
}

/// The log, what is set aside, and the rows of which there are few.
fn same_lists<D: Twinned>(contents: &Contents<D>, db: &mut Connection) -> Same {
    same("outbox_head", &(), Some(contents.head()), Some(&head(db)?))?;
    same("lease", &(), Some(&contents.single().lease), Some(&Storage::<D>::lease(db)?))?;
    let records = contents.outbox.iter().map(|(position, arrived)| (*position, &arrived.record));
    let stored = read_after(db, 0, i64::MAX)?;
    same_table("outbox", records, stored.into_iter().map(|record| (record.position, record)))?;
    let stored = parked_page(db, 0, i64::MAX)?;
    same_table(
        "parked",
        contents.parked.iter().map(|(id, parked)| (*id, parked)),
        stored.into_iter().map(|parked| (parked.id, parked)),
    )?;
    let stored = db.query("SELECT replica, turn, at_ms FROM replicas", &[], |row| {
        Ok((row.text(0)?, (row.int(1)?, from_ms(row.int(2)?))))
    })?;
    same_table("replicas", contents.turns.iter().map(|(name, turn)| (name.clone(), turn)), stored)?;
    same_positions(contents, db)
}

fn same_positions<D: Twinned>(contents: &Contents<D>, db: &mut Connection) -> Same {
    let mut stored = BTreeMap::new();
    for source in Source::ALL {
        for position in Storage::<D>::positions(db, source)? {
            stored.insert((source, position.part), position);
        }
    }
    let positions = contents.positions.iter().map(|(key, (position, _))| (*key, position));
    same_table("positions", positions, stored)?;
    let epochs = contents.positions.iter().map(|(key, (_, epoch))| (*key, epoch));
    let stored = db.query("SELECT source, part, epoch FROM positions", &[], |row| {
        Ok(((source(row, 0)?, row.int(1)?), row.int(2)?))
    })?;
    same_table("positions.epoch", epochs, stored)
}

/// Of which events it has taken in what, and what waits for earlier ones.
fn same_heard<D: Twinned>(contents: &Contents<D>, db: &mut Connection) -> Same {
    let mut ledger = Ledger::default();
    contents.heard.iter().for_each(|(key, _)| ledger.heard.need(*key));
    let mut stored = Ledger::default();
    contents.heard.iter().for_each(|(key, _)| stored.heard.need(*key));
    contents.load_ledger(&mut ledger);
    Storage::<D>::load_ledger(db, &mut stored)?;
    same_ledger(&ledger, &stored)?;
    same_count("heard", contents.heard.len(), db)?;
    same_count("held", contents.held.len(), db)
}

/// What a turn has loaded of the ledger.
pub fn same_ledger(memory: &Ledger, sqlite: &Ledger) -> Same {
    same_rows("heard", &memory.heard, &sqlite.heard)?;
    let held = |ledger: &Ledger| {
        let slots = ledger.held.iter();
        slots.map(|(key, slot)| (*key, (slot.record.clone(), slot.stored, slot.keep))).collect::<Vec<_>>()
    };
    let memory = held(memory);
    same_table("held", memory.iter().map(|(key, slot)| (*key, slot)), held(sqlite))
}

/// The rows of one table that were loaded.
pub fn same_rows<K, V>(table: &str, memory: &Rows<K, V>, sqlite: &Rows<K, V>) -> Same
where
    K: Ord + Clone + Debug,
    V: PartialEq + Debug,
{
    let mut stored: BTreeMap<&K, Option<&V>> = sqlite.known().collect();
    for (key, row) in memory.known() {
        same(table, key, row, stored.remove(key).flatten())?;
    }
    stored.into_iter().try_for_each(|(key, row)| same(table, key, None, row))
}

/// All rows of one table, by their keys.
pub fn same_table<'a, K, V>(
    table: &str,
    memory: impl IntoIterator<Item = (K, &'a V)>,
    sqlite: impl IntoIterator<Item = (K, V)>,
) -> Same
where
    K: Ord + Debug,
    V: PartialEq + Debug + 'a,
{
    let mut stored: BTreeMap<K, V> = sqlite.into_iter().collect();
    for (key, row) in memory {
        let found = stored.remove(&key);
        same(table, &key, Some(row), found.as_ref())?;
    }
    stored.iter().try_for_each(|(key, row)| same(table, key, None, Some(row)))
}

/// How many rows a table has: beside those that memory knows of there is none.
pub fn same_count(table: &str, memory: usize, db: &mut Connection) -> Same {
    let rows = db.query_one(&format!("SELECT COUNT(*) FROM {table}"), &[], |row| row.int(0))?;
    same(table, &"number of rows", Some(&(memory as i64)), rows.as_ref())
}

/// One row.
pub fn same<K: Debug + ?Sized, V: PartialEq + Debug>(
    table: &str,
    key: &K,
    memory: Option<&V>,
    sqlite: Option<&V>,
) -> Same {
    if memory == sqlite {
        return Ok(());
    }
    let text = |row: Option<&V>| row.map_or_else(|| "nothing".to_owned(), |row| format!("{row:?}"));
    let (memory, sqlite) = (text(memory), text(sqlite));
    let common = memory.chars().zip(sqlite.chars()).take_while(|(one, other)| one == other).count();
    let excerpt = |text: &str| {
        let from = common.saturating_sub(COMMON);
        let shown: String = text.chars().skip(from).take(TOLD).collect();
        format!(
            "{}{shown}{}",
            if from > 0 { "…" } else { "" },
            if text.chars().count() > from + TOLD { "…" } else { "" }
        )
    };
    Err(Difference(format!(
        "{table} {key:?}: memory has {}, SQLite has {}",
        excerpt(&memory),
        excerpt(&sqlite)
    )))
}

/// A column with a service's name.
pub fn source(row: &Row<'_>, column: usize) -> Result<Source, Error> {
    row.text(column)?.parse().map_err(Error::Refused)
}

/// A column with an order's id.
pub fn order_id(row: &Row<'_>, column: usize) -> Result<OrderId, Error> {
    OrderId::try_parse(row.str(column)?).map_err(|error| Error::Refused(error.to_string()))
}
