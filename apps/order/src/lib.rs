//! The order service: takes orders, announces them, and shows customers what became of them.

mod domain;
#[cfg(test)]
mod histories;
pub mod menu;
pub mod numbers;
pub mod order;
mod reactions;
mod requests;
mod store;
pub mod wish;

pub use domain::{Change, Orders};
pub use requests::{Answer, IdempotencyKey, PlaceOrder, Request};
pub use store::{OrderTables, find, page};
