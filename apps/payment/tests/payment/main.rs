//! The payment service from outside: one file per route or outcome, helpers below.
#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod approved;
mod breaker;
mod cancel;
mod declined;
mod documents;
mod error;
mod expired;
mod late;
mod list;
mod never;
mod no_proof;
mod refund;
mod restart;
mod restored;
mod simulator;
mod slow;
mod stored;
mod ticket;
mod timeout;
mod traces;
mod webhook;

mod samples;
mod service;
