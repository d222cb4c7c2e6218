//! The program; what it does is in the library beside it, so that tests can call it too.

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
    cafe::run()
}
