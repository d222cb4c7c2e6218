//! The barista service from outside: one file per route or outcome, helpers below.
#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod approved;
mod board;
mod cancel;
mod documents;
mod front;
mod give_up;
mod histories;
mod lines;
mod list;
mod pick_up;
mod queue;
mod queue_events;
mod ready;
mod recall;
mod reject;
mod restart;
mod robot;
mod staff_key;
mod start;
mod stored;

mod payment;
mod samples;
mod service;
