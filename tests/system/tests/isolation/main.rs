//! Nothing that dies, hangs or misbehaves takes the others along.
//!
//! Each under 100 orders a second, on real processes, with real signals. Each ends with every customer served, every order
//! at its end and a clean audit.

mod alone;
mod frozen;
mod killed;
mod reading;
mod supervisor;

use cafe_system_tests::ROBOT;

/// Customers a second.
const RATE: u32 = 100;
/// Paid at once.
const PAID: [&str; 1] = ["tok_ok"];
