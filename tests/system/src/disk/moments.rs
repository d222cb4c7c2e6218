//! The moments at which the power is cut.

use std::ops::Range;
use std::path::Path;

use super::Draw;
use super::strace::{Op, What};

/// What is going on at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Nobody was served yet.
    Opening,
    /// A customer is just being answered.
    Answering,
    /// A sync is about to end.
    Syncing,
    /// A sync has just ended.
    Synced,
    /// A log is being copied back into its database.
    Checkpointing,
    /// All had been killed, one of them between writing and syncing; they begin with what was written, and nobody was served
    /// yet.
    Succeeding,
    /// Whatever it is.
    Anything,
}

/// When the power is cut: a line of the log.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// What is going on.
    pub kind: Kind,
    pub(super) line: usize,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Opening,
        Self::Answering,
        Self::Syncing,
        Self::Synced,
        Self::Checkpointing,
        Self::Succeeding,
        Self::Anything,
    ];

    /// Every line that is such a moment.
    fn lines(self, ops: &[Op]) -> Vec<usize> {
        let of = |line: fn(&Op) -> Option<usize>| ops.iter().filter_map(line).collect();
        let last = ops.iter().map(|op| op.ended).max().unwrap_or(0);
        match self {
            Self::Opening => unserved(ops).next().unwrap_or_default().collect(),
            Self::Answering => of(|op| matches!(op.what, What::Answer(_)).then_some(op.begun)),
            Self::Syncing => {
                of(|op| matches!(op.what, What::Sync { .. }).then(|| op.ended.saturating_sub(1)))
            }
            Self::Synced => of(|op| matches!(op.what, What::Sync { .. }).then_some(op.ended)),
            Self::Checkpointing => of(|op| is_copied_back(&op.what).then_some(op.begun)),
            Self::Succeeding => unserved(ops).skip(1).flatten().collect(),
            Self::Anything => (0..last).collect(),
        }
    }

    /// One of these moments, drawn.
    ///
    /// # Panics
    /// If the record has none.
    pub(super) fn draw(self, ops: &[Op], draw: &Draw) -> Moment {
        let lines = self.lines(ops);
        assert!(!lines.is_empty(), "nothing in the record is {self:?}");
        Moment { kind: self, line: lines[draw.through(lines.len() - 1)] }
    }
}

/// From each opening until somebody is served.
fn unserved(ops: &[Op]) -> impl Iterator<Item = Range<usize>> {
    let openings = ops.iter().enumerate().filter(|(_, op)| matches!(op.what, What::Opened));
    openings.map(|(place, opening)| {
        let served = ops[place..].iter().find(|op| matches!(op.what, What::Answer(_)));
        opening.begun..served.map_or(opening.begun, |op| op.begun)
    })
}

/// Only a checkpoint writes to the database itself while it has a write-ahead log.
fn is_copied_back(what: &What) -> bool {
    let is_database = |path: &Path| path.extension().is_some_and(|it| it == "sqlite");
    matches!(what, What::Write { path, .. } if is_database(path))
}
