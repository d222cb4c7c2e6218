//! Why a service cannot start, or had to end.

use crate::BindError;

/// Each is a sentence for the person at the terminal.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its port.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// Its data folder, its lock or its database.
    #[error(transparent)]
    Delivery(#[from] cafe_delivery::StartError),
    /// Its database, from which it reads before it serves.
    #[error(transparent)]
    Store(#[from] cafe_store::Error),
    /// A file, a socket or a thread.
    #[error("{0}")]
    System(#[from] std::io::Error),
    /// A setting that cannot be used.
    #[error("{0}")]
    Setting(String),
    /// It ran, and had to end: nothing more could be put on disk.
    #[error("the service had to end: {0}")]
    Ended(String),
}
