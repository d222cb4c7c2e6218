//! What can go wrong with a database, told apart by what to do about it.

/// A failed statement, load or commit.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Somebody else holds a lock; worth trying again soon.
    #[error("the database is busy: {0}")]
    Busy(String),
    /// No room left on the disk; worth trying again when there is.
    #[error("the disk is full: {0}")]
    Full(String),
    /// A sync failed, or the file is damaged: nothing more may be answered by this process.
    #[error("the disk cannot be trusted any more: {0}")]
    Lost(String),
    /// The file or table is not there (yet).
    #[error("not there yet: {0}")]
    Absent(String),
    /// The connection ended while it was committing, and whether it did cannot be found out at the moment.
    #[error("it cannot be known whether this was committed: {0}")]
    Unknown(String),
    /// This data will fail again: a constraint, a value that cannot be read.
    #[error("the database refuses this: {0}")]
    Refused(String),
}

/// Why a database cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder or file.
    #[error("{path} cannot be opened: {reason}")]
    Unusable {
        /// Which file.
        path: String,
        /// Why, and what would be right.
        reason: String,
    },
    /// The file was written by a newer program.
    #[error(
        "{path} was written by a newer cafe (it has {unknown}, which this program does not know); start that program"
    )]
    Newer {
        /// Which file.
        path: String,
        /// A migration that is not known here.
        unknown: String,
    },
    /// A statement failed while opening.
    #[error(transparent)]
    Failed(#[from] Error),
}
