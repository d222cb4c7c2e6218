//! The rows of one table that a turn works on.

use std::collections::BTreeMap;

/// Rows of one table: wanted, then loaded, then perhaps changed. Keys are kept in order, which is the order in which rows
/// are locked where a database locks rows.
#[derive(Clone, Debug)]
pub struct Rows<K, V> {
    slots: BTreeMap<K, Slot<V>>,
}

#[derive(Clone, Debug)]
struct Slot<V> {
    row: Option<V>,
    loaded: bool,
    changed: bool,
}

impl<K: Ord + Clone, V> Rows<K, V> {
    /// Says that the turn looks at the row of `key`, which may not exist.
    pub fn need(&mut self, key: K) {
        self.slots.entry(key).or_insert(Slot { row: None, loaded: false, changed: false });
    }

    /// The keys whose rows are still to be loaded.
    pub fn wanted(&self) -> Vec<K> {
        self.slots.iter().filter(|(_, slot)| !slot.loaded).map(|(key, _)| key.clone()).collect()
    }

    /// Notes what the database holds under `key`.
    pub fn fill(&mut self, key: K, row: Option<V>) {
        self.slots.insert(key, Slot { row, loaded: true, changed: false });
    }

    /// The row as it is now, changes of this turn included.
    ///
    /// # Panics
    /// If the row was never asked for: a turn that decides on what it has not loaded would be wrong silently.
    pub fn get(&self, key: &K) -> Option<&V> {
        let slot = self.slots.get(key).expect("a turn loads every row it looks at: `need` is missing");
        slot.row.as_ref()
    }

    /// Replaces the row; it is written when the turn commits.
    pub fn put(&mut self, key: K, row: V) {
        self.slots.insert(key, Slot { row: Some(row), loaded: true, changed: true });
    }

    /// Every row that was loaded or put, and what there was no row of.
    pub fn known(&self) -> impl Iterator<Item = (&K, Option<&V>)> {
        self.slots.iter().filter(|(_, slot)| slot.loaded).map(|(key, slot)| (key, slot.row.as_ref()))
    }

    /// What is to be written.
    pub fn changed(&self) -> impl Iterator<Item = (&K, &V)> {
        self.slots
            .iter()
            .filter(|(_, slot)| slot.changed)
            .filter_map(|(key, slot)| Some((key, slot.row.as_ref()?)))
    }
}

impl<K, V> Default for Rows<K, V> {
    fn default() -> Self {
        Self { slots: BTreeMap::new() }
    }
}
