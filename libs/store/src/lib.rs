//! A small store of our own: opening a database, migrations, statements that are written once.
//!
//! Statements use `$1`, `$2`, …; times are integers (milliseconds since the Unix epoch), ids and JSON are text, so that the
//! same constant runs on every database. `sqlite.rs` and `postgres.rs` are the two; `connection.rs` is what both look like.

mod bulk;
mod connection;
mod database;
mod error;
mod migrations;
mod param;
mod postgres;
mod readers;
mod row;
mod sqlite;

pub use bulk::{Column, Find, Put, Statements};
pub use connection::{Connection, Finding, Putting};
pub use database::{Database, Server, ServerError};
pub use error::{Error, OpenError};
pub use migrations::Migration;
pub use param::Param;
pub use postgres::notices::{Notice, Notices, Notifier};
pub use readers::Readers;
pub use row::Row;
pub use sqlite::copy_while_in_use;

/// Declares statements as constants, and `STATEMENTS`, which holds them all: a test prepares each on every database.
#[macro_export]
macro_rules! statements {
    ($($(#[$about:meta])* const $name:ident = $sql:expr;)+) => {
        $($(#[$about])* const $name: &str = $sql;)+

        /// Every statement of this file.
        pub(crate) const STATEMENTS: &[&str] = &[$($name),+];
    };
}
