//! A table in memory that can be taken back to where a transaction found it.

use std::collections::BTreeMap;

/// Rows by their keys, and what they were when the transaction began that is under way.
#[derive(Clone, Debug)]
pub struct Table<K, V> {
    rows: BTreeMap<K, V>,
    before: Vec<(K, Option<V>)>,
}

/// Something that a transaction changes.
pub trait Transactional {
    /// Keeps what was changed.
    fn keep(&mut self);
    /// Takes back what was changed.
    fn undo(&mut self);
}

impl<K: Ord + Clone, V> Table<K, V> {
    /// The row of a key.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.rows.get(key)
    }

    /// Every row, in order of the keys.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.rows.iter()
    }

    /// The rows from a key on, in order of the keys.
    pub fn range(&self, range: impl std::ops::RangeBounds<K>) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.rows.range(range)
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Puts a row in the place of what is there.
    pub fn put(&mut self, key: K, row: V) {
        let before = self.rows.insert(key.clone(), row);
        self.before.push((key, before));
    }

    /// Takes a row away; true if there was one.
    pub fn remove(&mut self, key: &K) -> bool {
        let before = self.rows.remove(key);
        let was_there = before.is_some();
        self.before.push((key.clone(), before));
        was_there
    }
}

impl<K: Ord + Clone, V> Transactional for Table<K, V> {
    fn keep(&mut self) {
        self.before.clear();
    }

    fn undo(&mut self) {
        while let Some((key, before)) = self.before.pop() {
            match before {
                Some(row) => self.rows.insert(key, row),
                None => self.rows.remove(&key),
            };
        }
    }
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), before: Vec::new() }
    }
}

/// What consists of tables is transactional as they are.
macro_rules! transactional {
    ([$($generics:tt)*] $of:ty { $($table:ident),+ }) => {
        impl<$($generics)*> $crate::table::Transactional for $of {
            fn keep(&mut self) {
                $(self.$table.keep();)+
            }

            fn undo(&mut self) {
                $(self.$table.undo();)+
            }
        }
    };
}
pub(crate) use transactional;
