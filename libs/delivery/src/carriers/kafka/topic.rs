//! The topics: how they should be, and making those that are missing.

use std::time::Duration;

use cafe_events::Source;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::metadata::Metadata;

use super::client::{self, PATIENCE, Watch};
use crate::RETENTION;
use crate::place::KafkaSettings;

/// Partitions of a topic that this program makes: enough to spread over brokers, few enough to look at each.
const PARTITIONS: i32 = 12;
/// Replicas of each, where there are so many brokers.
const REPLICAS: usize = 3;
/// How long a new topic is waited for.
const MAKING_PATIENCE: Duration = Duration::from_secs(10);

/// How many partitions `source`'s topic has.
///
/// # Errors
/// Why it cannot be told, or that there is no such topic.
pub(super) fn partitions(consumer: &BaseConsumer<Watch>, source: Source) -> Result<i64, String> {
    let metadata = metadata(consumer, source)?;
    match count(&metadata) {
        0 => Err(format!("Kafka has no topic {source} yet")),
        count => Ok(count),
    }
}

fn metadata(consumer: &BaseConsumer<Watch>, source: Source) -> Result<Metadata, String> {
    let metadata = consumer.fetch_metadata(Some(source.name()), PATIENCE);
    metadata.map_err(|error| format!("Kafka does not answer: {error}"))
}

fn count(metadata: &Metadata) -> i64 {
    metadata.topics().first().map_or(0, |topic| topic.partitions().len() as i64)
}

/// Makes `source`'s topic if it is missing; answers how many partitions it has.
pub(super) fn ensure(
    kafka: &KafkaSettings,
    consumer: &BaseConsumer<Watch>,
    source: Source,
) -> Result<i64, String> {
    let before = metadata(consumer, source)?;
    if count(&before) > 0 {
        return Ok(count(&before));
    }
    make(kafka, source, before.brokers().len())?;
    let started = std::time::Instant::now();
    loop {
        match partitions(consumer, source) {
            Err(reason) if started.elapsed() > MAKING_PATIENCE => return Err(reason),
            Err(_) => std::thread::sleep(Duration::from_millis(50)),
            found => return found,
        }
    }
}

fn make(kafka: &KafkaSettings, source: Source, brokers: usize) -> Result<(), String> {
    let replicas = brokers.clamp(1, REPLICAS);
    let in_sync = replicas.saturating_sub(1).max(1).to_string();
    let retention = RETENTION.as_millis().to_string();
    let topic = NewTopic::new(source.name(), PARTITIONS, TopicReplication::Fixed(replicas as i32))
        .set("cleanup.policy", "delete")
        .set("min.insync.replicas", &in_sync)
        .set("retention.ms", &retention)
        .set("unclean.leader.election.enable", "false");
    let admin: AdminClient<Watch> = client::consumer(kafka, source)
        .create_with_context(Watch::default())
        .map_err(|error| error.to_string())?;
    let options = AdminOptions::new().operation_timeout(Some(PATIENCE)).request_timeout(Some(PATIENCE));
    let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(|error| error.to_string())?;
    let made = runtime.block_on(admin.create_topics([&topic], &options));
    let made = made.map_err(|error| format!("topic {source} cannot be made: {error}"))?;
    match made.into_iter().next() {
        Some(Err((_, code))) if code != RDKafkaErrorCode::TopicAlreadyExists => {
            Err(format!("topic {source} cannot be made: {code}"))
        }
        _ => {
            tracing::info!(topic = %source, partitions = PARTITIONS, replicas, "made a topic");
            Ok(())
        }
    }
}
