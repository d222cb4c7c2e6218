//! Migrations only add. Each runs once, in order, in the transaction that records it.
//!
//! So a program works on a schema that a newer one has extended: replicas are replaced one by one, and the one before can be
//! put back. What it may not work on is told by the migration's name, which is all that it sees of it.

use std::fmt::Display;

use crate::OpenError;

/// Ends the name of a migration after which older programs would go wrong.
const FOR_NONE_BEFORE: char = '!';

/// One step of a database's schema.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Unique and stable, such as `order/0001_orders`. One that ends in `!` keeps out whoever does not know it; it needs every
    /// older replica to have ended.
    pub name: &'static str,
    /// One or more statements as `SQLite` reads them; what other databases call otherwise is translated.
    pub sql: &'static str,
}

impl Migration {
    /// Those of `all` that are not among `done`. What is done and not known here was done by a newer program, and is left
    /// alone unless it keeps older ones out.
    pub(crate) fn to_do<'a>(
        all: &'a [Self],
        done: &[String],
        place: &dyn Display,
    ) -> Result<impl Iterator<Item = &'a Self>, OpenError> {
        if let Some(unknown) = done.iter().find(|name| keeps_out(all, name)) {
            return Err(OpenError::Newer { path: place.to_string(), unknown: unknown.clone() });
        }
        let done = done.to_vec();
        Ok(all.iter().filter(move |migration| !done.iter().any(|name| name == migration.name)))
    }
}

fn keeps_out(known: &[Migration], name: &str) -> bool {
    name.ends_with(FOR_NONE_BEFORE) && !known.iter().any(|migration| migration.name == name)
}
