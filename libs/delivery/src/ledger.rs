//! What a service has heard: per order and source the next version, what is held until its turn, what was set aside.

use std::collections::BTreeMap;

use cafe_events::{Heard, OrderId, Record, Source};

use crate::Rows;

/// Everything about hearing that one turn has loaded and changed.
#[derive(Debug, Default)]
pub struct Ledger {
    /// One row per order and source.
    pub heard: Rows<(OrderId, Source), HeardRow>,
    /// Events above the next version.
    pub held: BTreeMap<(OrderId, Source, u32), HeldSlot>,
    /// Events set aside in this turn, by their names.
    pub parked: BTreeMap<String, Parked>,
    /// Whether any event was set aside before this turn: only then can one be settled by it.
    pub any_parked: bool,
    /// Set-aside events that are settled: heard after all, or dropped.
    pub unparked: Vec<String>,
}

/// What was heard from one source about one order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeardRow {
    /// Below it is done, equal is applied, above is held.
    pub next_version: u32,
    /// The content hash of every version heard, 16 hexadecimal digits each.
    pub hashes: String,
    /// How many events are held for this order and source.
    pub held: u32,
}

/// An event that waits for the versions before it.
#[derive(Debug)]
pub struct HeldSlot {
    /// As it came.
    pub record: Record,
    /// As it was read.
    pub heard: Heard,
    /// Whether the database has it.
    pub stored: bool,
    /// Whether it is still to be held after this turn.
    pub keep: bool,
}

/// An event that was set aside with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parked {
    /// Its number on the list; 0 before it is stored.
    pub id: i64,
    /// The same for the same event, however often it comes.
    pub event: String,
    /// Who said it (or on whose topic it was found).
    pub source: Source,
    /// Where in the source's log.
    pub position: i64,
    /// The order that waits for it, if it names one.
    pub order_id: Option<String>,
    /// Its version, if it has one.
    pub version: Option<i64>,
    /// Its type.
    pub kind: String,
    /// When it was said, milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// Its value, as it came.
    pub body: String,
    /// Its trace context.
    pub traceparent: Option<String>,
    /// Why it was set aside.
    pub reason: String,
    /// When, milliseconds since the Unix epoch.
    pub parked_at_ms: i64,
}

impl Default for HeardRow {
    fn default() -> Self {
        Self { next_version: 1, hashes: String::new(), held: 0 }
    }
}

impl HeardRow {
    /// Counts the next version as heard.
    pub fn advance(&mut self, hash: u64) {
        use std::fmt::Write;
        self.next_version += 1;
        let _ = write!(self.hashes, "{hash:016x}");
    }

    /// The content hash of a version that was heard.
    pub fn hash_of(&self, version: u32) -> Option<u64> {
        let start = (version.checked_sub(1)? as usize) * 16;
        u64::from_str_radix(self.hashes.get(start..start + 16)?, 16).ok()
    }
}

impl Parked {
    /// The event as it came.
    pub fn record(&self) -> Record {
        Record {
            position: self.position,
            order_id: self.order_id.clone().unwrap_or_default(),
            version: self.version.unwrap_or_default(),
            kind: self.kind.clone(),
            at_ms: self.at_ms,
            body: self.body.clone(),
            traceparent: self.traceparent.clone(),
        }
    }

    /// The order and version that it claims to be, if these can be told.
    pub fn claim(&self) -> Option<(OrderId, u32)> {
        claim(self.source, &self.record())
    }
}

/// The order and version in a record's envelope, if it is one of ours: a foreign one claims nothing, whatever it carries.
pub(crate) fn claim(source: Source, record: &Record) -> Option<(OrderId, u32)> {
    if !record.is_of(source) {
        return None;
    }
    let order_id = OrderId::try_parse(&record.order_id).ok()?;
    let version = u32::try_from(record.version).ok().filter(|version| *version > 0)?;
    Some((order_id, version))
}

/// What an event is called on the list of set-aside events that says otherwise than the one of this name.
pub(crate) fn contradicting(event: &str) -> String {
    format!("{event}/contradiction")
}
