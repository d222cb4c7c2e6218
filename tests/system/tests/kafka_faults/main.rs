//! Kafka comes to harm under a rush: orders are taken throughout, each takes its course once, and the audit is clean.

mod brokers;
mod strangers;

use cafe_failures::{Fault, kafka, tried};
use cafe_rig::Kafka;
use cafe_system_tests::{Cafe, KafkaHarm, ROBOT, Site};

/// Customers a second.
const RATE: u32 = 40;
/// Paid at once.
const PAID: [&str; 1] = ["tok_ok"];

/// The row that says what is promised of a harm.
fn row(harm: KafkaHarm) -> &'static Fault {
    match harm {
        KafkaHarm::AllKilled => &kafka::ALL_KILLED,
        KafkaHarm::TopicsDeleted => &kafka::TOPICS_DELETED,
        KafkaHarm::AllWiped => &kafka::WIPED,
        KafkaHarm::TailLost => &kafka::TAIL_LOST,
        KafkaHarm::OneRestarted => &kafka::ONE_RESTARTED,
        KafkaHarm::TwoDown => &kafka::TWO_DOWN,
        KafkaHarm::OneFrozen => &kafka::ONE_FROZEN,
        KafkaHarm::Cut | KafkaHarm::Stalled | KafkaHarm::Unanswered | KafkaHarm::Unheard => &kafka::PARTED,
    }
}

/// Each harm by itself, with an audit after it, on one cafe.
#[track_caller]
fn survives(brokers: &Kafka, harms: &[KafkaHarm]) {
    let cafe = Cafe::up_at(Site::of(None, Some(brokers)), &ROBOT);
    for harm in harms {
        tried(row(*harm));
        harm.demand_survived(&cafe, brokers, RATE, &PAID);
    }
}
