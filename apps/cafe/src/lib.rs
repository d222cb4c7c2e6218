//! Cafe, the ordering system of a cafe in one program.
//!
//! `cli` reads the command line, `settings` what is set; each command has a file of its own: `up` watches over the three
//! services that `services` runs, `rush` and `audit` try them and check them, the rest keeps a cafe in order.

mod audit;
mod cli;
mod client;
mod copies;
mod doctor;
mod events;
mod logging;
mod moving;
mod parked;
mod reach;
mod running;
mod rush;
mod services;
mod settings;
mod traces;
mod up;

pub use cli::{ServiceFlags, flags_from, flags_from_file, run};
