//! What a caller sees of the shared HTTP side, over a real socket.

mod bodies;
mod credentials;
mod event_streams;
mod limits;
mod logging;
mod parameters;
mod stopping;
mod support;
