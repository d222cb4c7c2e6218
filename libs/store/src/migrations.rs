//! Migrations only add. Each runs once, in order, in the transaction that records it.

use std::fmt::Display;

use crate::OpenError;

/// One step of a database's schema.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Unique and stable, such as `order/0001_orders`.
    pub name: &'static str,
    /// One or more statements as `SQLite` reads them; what other databases call otherwise is translated.
    pub sql: &'static str,
}

impl Migration {
    /// Those of `all` that are not among `done`. What is done and not known here was done by a newer program.
    pub(crate) fn to_do<'a>(
        all: &'a [Self],
        done: &[String],
        place: &dyn Display,
    ) -> Result<impl Iterator<Item = &'a Self>, OpenError> {
        if let Some(unknown) = done.iter().find(|name| !all.iter().any(|known| known.name == *name)) {
            return Err(OpenError::Newer { path: place.to_string(), unknown: unknown.clone() });
        }
        let done = done.to_vec();
        Ok(all.iter().filter(move |migration| !done.iter().any(|name| name == migration.name)))
    }
}
