//! Hearing a peer straight from its disk, late, twice, or in another order than it spoke.

use std::sync::{Arc, Mutex, PoisonError};

use cafe_delivery::Position;
use cafe_delivery::parts::{Carrier, News, Parts, Placed, Seen, read_from};
use cafe_delivery::turn::Arrived;
use cafe_events::{Record, Source};

use crate::bugs::Bug;
use crate::disk::Disk;
use crate::draw::Draw;
use crate::shelf::Shelved;

/// Reads one peer's disk.
pub struct Ear<D: Shelved> {
    disk: Disk<D>,
    source: Source,
    mischief: Mischief,
    /// Whoever opens a database sees and syncs what its dead writer left.
    is_open: bool,
    bug: Option<Bug>,
}

/// How a listener is served; shared with the world, which changes it.
#[derive(Clone, Default)]
pub struct Mischief(Arc<Mutex<Served>>);

/// How a listener is served.
#[derive(Clone, Copy, Debug)]
pub struct Served {
    /// Records that are read at a time, at most.
    pub limit: usize,
    /// So many records from before are handed out once more.
    pub again: usize,
    /// Where the order of what is handed out comes from, if it is not that of the log.
    pub shuffled_by: Option<u64>,
    /// Before it, something is handed out that a program of somebody else's has written.
    pub foreign: bool,
}

impl Default for Served {
    fn default() -> Self {
        Self { limit: usize::MAX, again: 0, shuffled_by: None, foreign: false }
    }
}

impl Mischief {
    /// How the listener is served from now on.
    pub fn set(&self, served: Served) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = served;
    }

    /// How it is served.
    pub fn served(&self) -> Served {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<D: Shelved> Ear<D> {
    /// An ear on a peer's disk.
    pub fn new(disk: &Disk<D>, mischief: &Mischief, bug: Option<Bug>) -> Self {
        Self { disk: disk.clone(), source: D::SOURCE, mischief: mischief.clone(), is_open: false, bug }
    }
}

struct Entry(Arc<Arrived>);

impl Placed for Entry {
    fn position(&self) -> i64 {
        self.0.record.position
    }
}

impl<D: Shelved> Carrier for Ear<D> {
    fn read_after(&mut self, heard: &Parts, limit: usize) -> Result<News, String> {
        let served = self.mischief.served();
        let mut platters = self.disk.platters();
        if !std::mem::replace(&mut self.is_open, true) && self.bug != Some(Bug::ReaderDoesNotSync) {
            platters.sync();
        }
        let contents = match self.bug {
            Some(Bug::ReaderDoesNotSync | Bug::UnsyncedAnswer) => &platters.now,
            _ => platters.seen(),
        };
        let before = heard.get(&0).cloned().unwrap_or_default();
        let limit = limit.min(served.limit);
        let head = contents.head().clone();
        let from = match self.bug {
            Some(Bug::RestoredLogIsReadOn) => before.position.min(head.last),
            _ => read_from(&head, &before),
        };
        let after = contents.outbox.range(from + 1..).take(limit);
        let records: Vec<Entry> = after.map(|(_, arrived)| Entry(Arc::clone(arrived))).collect();
        let seen = Seen { head, from, records };
        let mut news = seen.news(self.source, &before, limit, |Entry(arrived)| (*arrived).clone())?;
        if news.records.is_empty() {
            return Ok(news);
        }
        let again = contents.outbox.range(..=from).rev().take(served.again);
        let again: Vec<Arrived> = again.map(|(_, arrived)| (**arrived).clone()).collect();
        if !again.is_empty() || served.shuffled_by.is_some() {
            mix(&mut news, again, &before, served.shuffled_by);
        }
        if served.foreign {
            let moves = Position { log_id: news.records[0].1.log_id.clone(), ..before };
            news.records.insert(0, (foreign(self.source, from), moves));
            news.behind += 1;
        }
        Ok(news)
    }

    fn wait(&mut self) {}

    fn system(&self) -> &'static str {
        "simulation"
    }
}

/// What a program of somebody else's has written before that position.
fn foreign(source: Source, position: i64) -> Arrived {
    Arrived::found_at(source, foreign_record(position), format_args!("foreign:{position}"))
}

/// What a program of somebody else's writes: it lacks our envelope, whatever it carries.
pub fn foreign_record(position: i64) -> Record {
    Record {
        position,
        order_id: "hello".to_owned(),
        version: 1,
        kind: "com.example.greeting".to_owned(),
        at_ms: 0,
        body: "hello".to_owned(),
        traceparent: None,
    }
}

/// Only the last that is handed out moves the position: where a part of it cannot be committed, all of it comes again.
fn mix(news: &mut News, again: Vec<Arrived>, before: &Position, shuffled_by: Option<u64>) {
    let Some((_, last)) = news.records.last() else { return };
    let last = last.clone();
    let mut arrived: Vec<Arrived> = again;
    arrived.extend(news.records.drain(..).map(|(arrived, _)| arrived));
    if let Some(seed) = shuffled_by {
        let mut draw = Draw::new(seed);
        for index in (1..arrived.len()).rev() {
            arrived.swap(index, draw.below(index + 1));
        }
    }
    let count = arrived.len();
    let moves = |index| {
        if index + 1 == count {
            last.clone()
        } else {
            Position { log_id: last.log_id.clone(), ..before.clone() }
        }
    };
    news.records = arrived.into_iter().enumerate().map(|(index, arrived)| (arrived, moves(index))).collect();
}
