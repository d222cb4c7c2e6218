//! The same cafe with its databases on a server, with Kafka between its services, and with both.
//!
//! What holds on one machine holds there: each test ends with every customer served, every order at its end and a clean audit.

mod alone;
mod killed;
mod moved;
mod whole;

use cafe_system_tests::ROBOT;

/// Customers a second.
const RATE: u32 = 100;
/// Paid at once.
const PAID: [&str; 1] = ["tok_ok"];
