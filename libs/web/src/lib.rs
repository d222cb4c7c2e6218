//! What every service's HTTP side shares.
//!
//! - Errors are [`Problem`]s (RFC 9457), also those of the extractors: [`JsonBody`], [`PathOf`], [`QueryOf`], [`Staff`].
//! - [`listen()`] and [`serve()`] run a router within named limits and stop it without losing an answer.
//! - [`common_routes`] are the addresses that every service has, and [`documented`] completes its `OpenAPI` document.
//! - [`event_stream`] answers with news as it happens.
//! - [`screen`] is what every screen shares.
//!
//! Nothing here knows an order, a payment or a ticket, and nothing here writes to a database.

mod bind;
mod body;
mod cacheable;
mod common;
mod cookies;
mod credentials;
mod document;
mod events;
mod explain;
mod guard;
mod idempotency_key;
mod lingering;
mod metrics_page;
mod nearness;
mod page_query;
mod parameters;
mod problem;
mod reason;
mod request_metrics;
pub mod screen;
mod serve;
mod staff_access;
mod staff_key;
mod start_error;
mod strict;

pub use bind::{BindError, Listeners, bind, listen};
pub use body::{BODY_LIMIT_BYTES, BODY_READ_LIMIT, JsonBody, JsonOrDefault};
pub use cacheable::Cacheable;
pub use common::{ParkedQuery, common_routes};
pub use credentials::{Presented, Staff};
pub use document::documented;
pub use events::{ServerEvent, event_stream};
pub use idempotency_key::IdempotencyKey;
pub use metrics_page::install_metrics;
pub use page_query::PageQuery;
pub use parameters::{PathOf, QueryOf, Traceparent};
pub use problem::Problem;
pub use reason::checked_reason;
pub use serve::{Limits, serve, serve_within};
pub use staff_access::StaffAccess;
pub use staff_key::StaffKey;
pub use start_error::StartError;
