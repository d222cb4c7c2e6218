//! Where things stand in a distributed trace: W3C Trace Context as it travels with requests and events, and the steps of an
//! order's way that are shown in it.
//!
//! `context.rs` is the header; `steps.rs` has a function for each kind of step, named and described as `OpenTelemetry`'s
//! semantic conventions say where they have words for it. Nothing is exported from here: the program does, if it is told
//! to. If not, a step is nothing, and what it was caused by travels on as it came.
//!
//! `tracestate` is dropped: no vendor's own state is kept here, and the recommendation allows it (section 3.5).

mod context;
mod steps;

pub use context::TraceContext;
pub use steps::{Serving, Step, TARGET, committing, hearing};
