//! The order service as its callers see it, on a real server and a real database, one file per route or outcome.

#![allow(missing_docs, reason = "a test's name says what the user sees")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cafe;
mod cancel;
mod document;
mod events;
mod front;
mod idempotency;
mod list;
mod menu;
mod numbers;
mod overload;
mod place;
mod screens;
mod show;
mod validation;
mod wait;
