//! The topics: how they should be, and making those that are missing.

use std::time::Duration;

use cafe_events::Source;
use cafe_events::topic::{MIN_INSYNC_REPLICAS, PARTITIONS, REPLICAS, RETENTION_MS};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaResult, RDKafkaErrorCode};
use rdkafka::metadata::Metadata;

use super::client::{self, PATIENCE, Watch};
use super::tails;
use crate::place::KafkaSettings;

/// How long the client is listened to that could not reach a broker.
const HEARING: Duration = Duration::from_millis(50);
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
    metadata.map_err(|error| {
        // What the client has to tell is told, piece by piece, when it is asked for messages.
        let _ = consumer.poll(HEARING);
        let reason = consumer.context().said().map_or_else(String::new, |said| format!(" ({said})"));
        format!("Kafka does not answer: {error}{reason}")
    })
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
        match ready(consumer, source) {
            Err(reason) if started.elapsed() > MAKING_PATIENCE => return Err(reason),
            Err(_) => std::thread::sleep(Duration::from_millis(50)),
            found => return found,
        }
    }
}

/// A new topic is ready once the leader of each partition knows that it is.
fn ready(consumer: &BaseConsumer<Watch>, source: Source) -> Result<i64, String> {
    let count = partitions(consumer, source)?;
    tails::ends(consumer, source, count).map(|_| count)
}

fn make(kafka: &KafkaSettings, source: Source, brokers: usize) -> Result<(), String> {
    let replicas = replicas_among(brokers);
    let wanted = settings(replicas);
    let mut topic =
        NewTopic::new(source.name(), i32::from(PARTITIONS), TopicReplication::Fixed(replicas as i32));
    for (name, value) in &wanted {
        topic = topic.set(name, value);
    }
    let admin = admin(kafka, source)?;
    let made = answer(admin.create_topics([&topic], &options()))?;
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

/// What about `source`'s topic is not as this program would have made it; nothing if all is. A topic that is not there yet is
/// an error, as is a Kafka that does not answer.
///
/// # Errors
/// Why the topic cannot be looked at.
pub fn topic_differences(kafka: &KafkaSettings, source: Source) -> Result<Vec<String>, String> {
    let consumer: BaseConsumer<Watch> = client::consumer(kafka, source)
        .create_with_context(Watch::default())
        .map_err(|error| error.to_string())?;
    let metadata = metadata(&consumer, source)?;
    let partitions = metadata.topics().first().map_or(&[][..], |topic| topic.partitions());
    if partitions.is_empty() {
        return Err(format!("Kafka has no topic {source} yet"));
    }
    let replicas = replicas_among(metadata.brokers().len());
    let mut differences = Vec::new();
    if let Some(partition) = partitions.iter().find(|partition| partition.replicas().len() < replicas) {
        differences.push(format!(
            "partition {} has {} replicas where {replicas} are possible",
            partition.id(),
            partition.replicas().len()
        ));
    }
    if let Some(partition) = partitions.iter().find(|partition| partition.leader() < 0) {
        differences.push(format!("partition {} has no leader", partition.id()));
    }
    let admin = admin(kafka, source)?;
    let described = answer(admin.describe_configs([&ResourceSpecifier::Topic(source.name())], &options()))?;
    let Some(Ok(config)) = described.into_iter().next() else {
        return Err(format!("Kafka does not tell the settings of topic {source}"));
    };
    for (name, wanted) in settings(replicas) {
        let value = config.get(name).and_then(|entry| entry.value.clone()).unwrap_or_default();
        if !is_as_good(name, &value, &wanted) {
            differences.push(format!("{name} is {value}, not {wanted}"));
        }
    }
    Ok(differences)
}

/// How a topic must be so that what a broker acknowledges stays.
fn settings(replicas: usize) -> [(&'static str, String); 4] {
    [
        ("cleanup.policy", "delete".to_owned()),
        ("min.insync.replicas", (replicas - 1).clamp(1, MIN_INSYNC_REPLICAS.into()).to_string()),
        ("retention.ms", RETENTION_MS.to_string()),
        ("unclean.leader.election.enable", "false".to_owned()),
    ]
}

/// More than is wanted is as good, where more is better; -1 keeps for ever.
fn is_as_good(name: &str, value: &str, wanted: &str) -> bool {
    match (name, value.parse::<i64>(), wanted.parse::<i64>()) {
        ("retention.ms", Ok(-1), _) => true,
        ("retention.ms" | "min.insync.replicas", Ok(value), Ok(wanted)) => value >= wanted,
        _ => value == wanted,
    }
}

fn replicas_among(brokers: usize) -> usize {
    brokers.clamp(1, REPLICAS.into())
}

fn admin(kafka: &KafkaSettings, source: Source) -> Result<AdminClient<Watch>, String> {
    let admin = client::consumer(kafka, source).create_with_context(Watch::default());
    admin.map_err(|error| error.to_string())
}

fn options() -> AdminOptions {
    AdminOptions::new().operation_timeout(Some(PATIENCE)).request_timeout(Some(PATIENCE))
}

fn answer<T>(asked: impl Future<Output = KafkaResult<T>>) -> Result<T, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(|error| error.to_string())?;
    runtime.block_on(asked).map_err(|error| format!("Kafka: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_may_keep_more_and_demand_more_but_not_less() {
        assert!(is_as_good("retention.ms", "-1", "100") && is_as_good("retention.ms", "200", "100"));
        assert!(!is_as_good("retention.ms", "99", "100") && !is_as_good("min.insync.replicas", "1", "2"));
        assert!(!is_as_good("unclean.leader.election.enable", "true", "false"));
        assert_eq!(settings(3)[1].1, "2");
        assert_eq!(settings(1)[1].1, "1");
    }
}
