//! Migrations only add. Each runs once, in order, in the transaction that records it.

/// One step of a database's schema.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Unique and stable, such as `order/0001_orders`.
    pub name: &'static str,
    /// One or more statements.
    pub sql: &'static str,
}
