//! What every client of ours is set to. librdkafka's defaults are not ours.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cafe_events::Source;
use cafe_events::topic::CLIENT_ID;
use rdkafka::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::KafkaError;

use crate::place::KafkaSettings;

/// How long a broker may take to answer a question.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// What this program decides, because what it promises hangs on it.
const OURS: [&str; 12] = [
    "acks",
    "auto.offset.reset",
    "bootstrap.servers",
    "client.id",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.idempotence",
    "group.id",
    "max.in.flight",
    "max.in.flight.requests.per.connection",
    "request.required.acks",
    "transactional.id",
];

/// Notes whether the connection to a broker was lost since this was last asked.
#[derive(Debug, Default)]
pub(super) struct Watch {
    lost: AtomicBool,
}

impl Watch {
    pub(super) fn was_lost(&self) -> bool {
        self.lost.swap(false, Ordering::Relaxed)
    }

    fn note(&self, error: &KafkaError, reason: &str) {
        self.lost.store(true, Ordering::Relaxed);
        tracing::debug!(%error, reason, "Kafka");
    }
}

impl ClientContext for Watch {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        // What matters of it is in the answers too, and told once, where it is handled.
        tracing::debug!(?level, facility, message, "librdkafka");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.note(&error, reason);
    }
}

impl ConsumerContext for Watch {}

/// Refuses a setting of librdkafka that this program decides itself, or that librdkafka does not know.
///
/// # Errors
/// What is wrong with it.
pub fn check_option(name: &str, value: &str) -> Result<(), String> {
    if OURS.contains(&name) {
        return Err(format!("{name} is decided by this program; leave it out"));
    }
    let mut config = ClientConfig::new();
    config.set(name, value);
    config.create_native_config().map(drop).map_err(|error| error.to_string())
}

/// Reads settings of librdkafka that are written as `name=value`, separated by commas or blanks.
///
/// # Errors
/// What is wrong with the first that cannot be used.
pub fn options_from(text: &str) -> Result<Vec<(String, String)>, String> {
    let words = text.split([',', ' ', '\n']).map(str::trim).filter(|word| !word.is_empty());
    words
        .map(|word| {
            let (name, value) = word.split_once('=').ok_or_else(|| format!("{word:?} is no name=value"))?;
            check_option(name, value)?;
            Ok((name.to_owned(), value.to_owned()))
        })
        .collect()
}

fn base(kafka: &KafkaSettings) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", &kafka.brokers)
        .set("client.id", CLIENT_ID)
        .set("allow.auto.create.topics", "false")
        .set("socket.keepalive.enable", "true")
        .set("socket.connection.setup.timeout.ms", "5000")
        .set("socket.timeout.ms", "10000")
        .set("reconnect.backoff.ms", "50")
        .set("reconnect.backoff.max.ms", "1000")
        .set("topic.metadata.refresh.interval.ms", "10000");
    for (name, value) in &kafka.options {
        config.set(name, value);
    }
    config
}

/// For reading.
pub(super) fn consumer(kafka: &KafkaSettings, reader: Source) -> ClientConfig {
    let mut config = base(kafka);
    config
        .set("group.id", reader.group())
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "error")
        .set("check.crcs", "true")
        .set("fetch.wait.max.ms", "200")
        .set("fetch.error.backoff.ms", "100")
        .set("fetch.queue.backoff.ms", "20")
        // What is fetched ahead is bounded.
        .set("queued.max.messages.kbytes", "8192")
        .set("fetch.message.max.bytes", "1048576");
    config
}

/// For finding out where a topic ends.
pub(super) fn scout(kafka: &KafkaSettings, reader: Source) -> ClientConfig {
    let mut config = consumer(kafka, reader);
    config.set("enable.partition.eof", "true").set("fetch.wait.max.ms", "50");
    config
}

/// For writing: in order, each once, and acknowledged by every replica that is in sync. Plain, so that every client can read.
pub(super) fn producer(kafka: &KafkaSettings) -> ClientConfig {
    let mut config = base(kafka);
    config
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("linger.ms", "1")
        .set("request.timeout.ms", "5000")
        .set("message.timeout.ms", "15000");
    config
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_of_librdkafka_passes_through_unless_it_is_ours_or_unknown() {
        let read = options_from("sasl.mechanism=PLAIN, fetch.min.bytes=2").unwrap();
        assert_eq!(read[1], ("fetch.min.bytes".to_owned(), "2".to_owned()));
        for (wrong, why) in [
            ("acks=1", "decided by this program"),
            ("no.such.thing=1", "No such configuration property"),
            ("fetch.min.bytes=many", "many"),
            ("fetch.min.bytes", "no name=value"),
        ] {
            let error = options_from(wrong).unwrap_err();
            assert!(error.contains(why), "{wrong}: {error}");
        }
    }
}
