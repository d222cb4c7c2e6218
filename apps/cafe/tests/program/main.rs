//! The program as a person starts it: real processes, free ports, a folder of its own for each test.

#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

mod adopting;
mod audit;
mod closing;
mod codes;
mod copies;
mod doctor;
mod events;
mod logs;
mod parked;
mod reach;
mod refusals;
mod restarting;
mod rush;
mod settings;
mod support;
mod terminal;
