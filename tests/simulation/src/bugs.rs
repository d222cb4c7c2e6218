//! Bugs that are planted to see whether the simulation finds them.

/// A planted bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bug {
    /// An answer does not wait for the disk.
    UnsyncedAnswer,
    /// Whoever opens a peer's file reads what is not synced.
    ReaderDoesNotSync,
    /// A log that was restored from an older copy is not heard again.
    RestoredLogIsReadOn,
}
