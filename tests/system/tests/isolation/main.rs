//! Nothing that dies, hangs or misbehaves takes the others along.
//!
//! Each under 100 orders a second, on real processes, with real signals. Each ends with every customer served, every order
//! at its end and a clean audit.

mod alone;
mod frozen;
mod killed;
mod reading;
mod supervisor;

/// Customers a second.
const RATE: u32 = 100;
/// A barista that is never what an order waits for.
const ROBOT: [&str; 3] = ["--robot", "--robot-speed", "1000"];
/// Paid at once.
const PAID: [&str; 1] = ["tok_ok"];
