//! What every client of ours is set to. librdkafka's defaults are not ours.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cafe_events::Source;
use cafe_events::topic::CLIENT_ID;
use rdkafka::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

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

/// Notes whether the connection to a broker was lost since this was last asked, and what was said of it.
#[derive(Debug, Default)]
pub(super) struct Watch {
    lost: AtomicBool,
    said: Mutex<Option<String>>,
}

impl Watch {
    pub(super) fn was_lost(&self) -> bool {
        self.lost.swap(false, Ordering::Relaxed)
    }

    /// What was said last, once. It knows more than the answers do: whether it was the network, a certificate, or a password.
    pub(super) fn said(&self) -> Option<String> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn note(&self, error: &KafkaError, reason: &str) {
        // Of several reasons this one says the least.
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::AllBrokersDown) {
            *self.said.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason.to_owned());
        }
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

/// Reads settings of librdkafka that are written as `name=value`, separated by commas or blanks. A value, such as a password, may
/// have these in it: it ends where another name with its `=` begins.
///
/// # Errors
/// What is wrong with the first that cannot be used; never with its value, which may be secret.
pub fn options_from(text: &str) -> Result<Vec<(String, String)>, String> {
    const SEPARATORS: [char; 3] = [',', ' ', '\n'];
    let mut options: Vec<(String, String)> = Vec::new();
    for word in text.split_inclusive(SEPARATORS) {
        match (word.split_once('=').filter(|(name, _)| is_name(name)), options.last_mut()) {
            (Some((name, value)), _) => options.push((name.to_owned(), value.to_owned())),
            (None, Some((_, value))) => value.push_str(word),
            (None, None) if word.trim_matches(SEPARATORS).is_empty() => {}
            (None, None) => return Err("it does not begin with a name and =".to_owned()),
        }
    }
    for (name, value) in &mut options {
        *value = value.trim_end_matches(SEPARATORS).to_owned();
        check_option(name, value)?;
    }
    Ok(options)
}

/// Nearly all names have a dot, so that one which is not known is a mistake. Without a dot it may as well be the end of a secret.
fn is_name(word: &str) -> bool {
    let is_known = || {
        let known = ClientConfig::new().set(word, "").create_native_config();
        !known.is_err_and(|error| error.to_string().contains("No such configuration property"))
    };
    let is_plain = word.chars().all(|it| it.is_ascii_alphanumeric() || "._-".contains(it));
    !word.is_empty() && is_plain && (word.contains('.') || is_known())
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
        // A client that had lost all brokers was seen to begin anew without end when they were back (librdkafka 2.12).
        .set("metadata.recovery.strategy", "none")
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
        let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(read, [own("sasl.mechanism", "PLAIN"), own("fetch.min.bytes", "2")]);
        let read = options_from("\nsasl.password=a, b c==,client.rack=one,debug=all\n").unwrap();
        assert_eq!(read, [own("sasl.password", "a, b c=="), own("client.rack", "one"), own("debug", "all")]);
        assert_eq!(options_from(" ").unwrap(), []);
        for (wrong, why) in [
            ("acks=1", "decided by this program"),
            ("no.such.thing=1", "No such configuration property"),
            ("fetch.min.bytes=many", "many"),
            ("fetch.min.bytes", "name and ="),
        ] {
            let error = options_from(wrong).unwrap_err();
            assert!(error.contains(why), "{wrong}: {error}");
        }
    }
}
