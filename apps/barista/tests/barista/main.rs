//! The barista service from outside: one file per route or outcome, helpers below.

mod histories;
mod samples;
