//! What every service's HTTP side shares.
//!
//! - Errors are [`Problem`]s (RFC 9457), also those of the extractors: [`JsonBody`], [`PathOf`], [`QueryOf`], [`Staff`].
//! - [`bind`] and [`serve`] run a router within named limits and stop it without losing an answer.
//!
//! Nothing here knows an order, a payment or a ticket, and nothing here writes to a database.

mod bind;
mod body;
mod credentials;
mod explain;
mod guard;
mod lingering;
mod parameters;
mod problem;
mod request_metrics;
mod serve;
mod staff_key;

pub use bind::{BindError, bind};
pub use body::{BODY_LIMIT_BYTES, BODY_READ_LIMIT, JsonBody, JsonOrDefault};
pub use credentials::{Presented, Staff};
pub use parameters::{PathOf, QueryOf, Traceparent};
pub use problem::Problem;
pub use serve::{Limits, serve, serve_within};
pub use staff_key::StaffKey;
