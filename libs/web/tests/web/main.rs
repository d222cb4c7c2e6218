//! What a caller sees of the shared HTTP side, over a real socket.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod bodies;
mod credentials;
mod event_streams;
mod limits;
mod logging;
mod parameters;
mod stopping;
mod support;
mod traces;
