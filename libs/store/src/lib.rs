//! A small store of our own: opening a database, migrations, statements that are written once.
//!
//! Statements use `$1`, `$2`, …; times are integers (milliseconds since the Unix epoch), ids and JSON are text, so that the
//! same constant runs on every database. `SQLite` is the only one so far; another is another file beside `sqlite.rs`.

mod error;
mod migrations;
mod param;
mod readers;
mod sqlite;

pub use error::{Error, OpenError};
pub use migrations::Migration;
pub use param::Param;
pub use readers::Readers;
pub use sqlite::{Connection, Row, copy_while_in_use};
