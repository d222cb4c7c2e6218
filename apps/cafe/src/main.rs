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
mod running;
mod rush;
mod services;
mod settings;
mod traces;
mod up;

use std::process::ExitCode;

use rustix::fs::Mode;
use rustix::process::umask;

/// What is made by the threads that answer is dropped by the one that writes; the system's allocator has them wait for each
/// other.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // The databases hold what customers pay with, and what their tokens are made of: they are this user's alone.
    umask(Mode::RWXG | Mode::RWXO);
    cli::run()
}
