//! An outbox that is read straight: from where, and whether what was read is all that should be there. Pure.

use std::sync::Arc;

use cafe_events::{Record, Source};

use super::{News, no_longer_kept};
use crate::tables::{Head, Position};
use crate::turn::Arrived;

/// An outbox as it was read: `R` is a record, or stands for one.
pub struct Seen<R> {
    /// Its head, from the same moment as the records.
    pub head: Head,
    /// The position after which was read.
    pub from: i64,
    /// At most as many as were asked for, in order.
    pub records: Vec<R>,
}

/// A record's place in its log.
pub trait Placed {
    /// From 1, without gaps.
    fn position(&self) -> i64;
}

impl Placed for Record {
    fn position(&self) -> i64 {
        self.position
    }
}

impl Placed for Arrived {
    fn position(&self) -> i64 {
        self.record.position
    }
}

/// After which position a log is read on that was `heard` up to some. Where it has another name now, or ends before that (it was
/// restored from an older copy), it is heard again from its oldest record.
pub fn read_from(head: &Head, heard: &Position) -> i64 {
    let is_same = head.log_id == *heard.log_id && heard.position <= head.last;
    if is_same { heard.position } else { head.oldest - 1 }
}

impl<R: Placed> Seen<R> {
    /// What whoever has heard it up to `before` is to take in.
    ///
    /// # Errors
    /// Something is missing.
    pub fn news(
        self,
        source: Source,
        before: &Position,
        limit: usize,
        arrive: impl Fn(R) -> Arrived,
    ) -> Result<News, String> {
        if let Some(first) = self.first_missing(before, limit) {
            return Err(no_longer_kept(source, first));
        }
        let log_id: Arc<str> = self.head.log_id.as_str().into();
        let moved = |record: R| {
            let position = record.position();
            let moves = Position { part: 0, log_id: log_id.clone(), position, next_offset: None };
            (arrive(record), moves)
        };
        Ok(News {
            parts: Vec::new(),
            behind: self.head.last - self.from,
            is_another_log: before.log_id != log_id && !before.log_id.is_empty(),
            records: self.records.into_iter().map(moved).collect(),
        })
    }

    /// Something was said that can no longer be heard: pruned before it was heard here, or lost. Stop, never skip.
    fn first_missing(&self, before: &Position, limit: usize) -> Option<i64> {
        let is_pruned = *before.log_id == self.head.log_id && self.from < self.head.oldest - 1;
        let due = self.from + 1..;
        let missing = self.records.iter().map(Placed::position).zip(due).find(|(is, due)| is != due);
        let expected = (self.head.last - self.from).min(limit as i64);
        if !is_pruned && missing.is_none() && self.records.len() as i64 == expected {
            return None;
        }
        Some(missing.map_or(self.from + 1 + self.records.len() as i64, |(_, due)| due))
    }
}
