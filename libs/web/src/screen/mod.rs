//! What every screen shares: its frame, its languages, its style and scripts, and what a browser is forbidden.
//!
//! A screen is one file in its service's `http/`: its template, its words in every [`Language`], its handler and its tests. It
//! extends `frame.html`, is rendered by the service that owns the data, and refers to everything by relative links, so that it
//! works under a path of somebody's proxy.

mod assets;
mod language;
mod money;
mod page;
pub mod words;

pub use assets::{Asset, Assets};
pub use language::{Both, Language};
pub use money::{decimals, money, unit};
pub use page::{Frame, page};
