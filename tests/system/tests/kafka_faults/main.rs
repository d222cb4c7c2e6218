//! Kafka comes to harm under a rush: orders are taken throughout, each takes its course once, and the audit is clean.

mod brokers;
mod strangers;

use cafe_rig::Kafka;
use cafe_system_tests::{Cafe, KafkaHarm, ROBOT, Site};

/// Customers a second.
const RATE: u32 = 40;
/// Paid at once.
const PAID: [&str; 1] = ["tok_ok"];

/// Each harm by itself, with an audit after it, on one cafe.
fn survives(kafka: &Kafka, harms: &[KafkaHarm]) {
    let cafe = Cafe::up_at(Site::of(None, Some(kafka)), &ROBOT);
    for harm in harms {
        harm.demand_survived(&cafe, kafka, RATE, &PAID);
    }
}
