//! The shop on a phone, as its customers use it: real services, a real browser.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod everyone;
mod once;
mod way;
