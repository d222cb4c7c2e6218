//! A batch of messages, sent and acknowledged.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use cafe_events::{Record, Source};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext, PurgeConfig};
use rdkafka::{ClientContext, Message};

use super::chain::Standing;
use super::client::{self, Watch};
use super::message;
use super::writing::Offsets;
use crate::place::KafkaSettings;

/// How long an acknowledgement is waited for; librdkafka gives up before.
const PATIENCE: Duration = Duration::from_secs(20);
/// Why what waits for an acknowledgement waits.
pub(super) const SILENT: &str = "Kafka does not acknowledge";
/// How often it is said that none comes.
const SAY_EVERY: Duration = Duration::from_secs(1);
/// Between two looks for acknowledgements.
const LOOK_FOR_ACKS: Duration = Duration::from_micros(300);
/// How long a message waits for a place among those that are under way, before it asks again.
const NO_PLACE: Duration = Duration::from_millis(10);

/// Writes to one topic.
pub(super) struct Sender {
    source: Source,
    producer: BaseProducer<Acknowledged>,
    /// Of the batch that is under way.
    sent: u64,
}

impl Sender {
    pub(super) fn open(kafka: &KafkaSettings, source: Source) -> Result<Self, KafkaError> {
        let producer = client::producer(kafka).create_with_context(Acknowledged::default())?;
        Ok(Self { source, producer, sent: 0 })
    }

    /// Whether a connection was lost since this was last asked.
    pub(super) fn was_lost(&self) -> bool {
        self.producer.context().watch.was_lost()
    }

    /// Takes in what the client has to tell of brokers.
    pub(super) fn listen(&self) {
        self.producer.poll(Duration::ZERO);
    }

    /// Forgets the batch before.
    pub(super) fn begin(&mut self) {
        *self.producer.context().acks() = Acks::default();
        self.sent = 0;
    }

    pub(super) fn send(&mut self, part: i64, record: &Record, standing: &Standing) -> Result<(), String> {
        let mut message = BaseRecord::to(self.source.name())
            .partition(part as i32)
            .key(record.order_id.as_str())
            .payload(record.body.as_str())
            .timestamp(record.at_ms)
            .headers(message::headers(self.source, record, standing));
        loop {
            match self.producer.send(message) {
                Ok(()) => {
                    self.sent += 1;
                    return Ok(());
                }
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), again)) => {
                    message = again;
                    self.producer.poll(NO_PLACE);
                }
                Err((error, _)) => return Err(format!("Kafka does not take a message: {error}")),
            }
        }
    }

    /// Waits until the whole batch is acknowledged; answers how many messages it was. Where that takes long, `say_so` is called
    /// now and then.
    pub(super) fn wait(&self, mut say_so: impl FnMut()) -> Result<u64, String> {
        let (started, mut seen) = (Instant::now(), 0);
        let mut said = started;
        loop {
            // Not with a patience: this poll uses all of it up, whatever comes, and the last of it without sleeping.
            self.producer.poll(Duration::ZERO);
            let acks = self.producer.context().acks();
            if let Some(error) = &acks.failed {
                return Err(format!("Kafka has not taken a message: {error}"));
            }
            if acks.count >= self.sent {
                return Ok(self.sent);
            }
            let has_more = acks.count > seen;
            seen = acks.count;
            drop(acks);
            if started.elapsed() > PATIENCE {
                return Err(SILENT.to_owned());
            }
            if said.elapsed() > SAY_EVERY {
                said = Instant::now();
                say_so();
            }
            if !has_more {
                std::thread::sleep(LOOK_FOR_ACKS);
            }
        }
    }

    /// The offsets that were acknowledged so far, by partition.
    pub(super) fn offsets(&self) -> BTreeMap<i64, Offsets> {
        std::mem::take(&mut self.producer.context().acks().offsets)
    }
}

impl Drop for Sender {
    /// What is still under way is found out from the topic.
    fn drop(&mut self) {
        self.producer.purge(PurgeConfig::default().queue().inflight());
    }
}

/// Counts acknowledgements.
#[derive(Default)]
struct Acknowledged {
    watch: Watch,
    acks: Mutex<Acks>,
}

#[derive(Default)]
struct Acks {
    count: u64,
    failed: Option<String>,
    offsets: BTreeMap<i64, Offsets>,
}

impl Acknowledged {
    fn acks(&self) -> MutexGuard<'_, Acks> {
        self.acks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Acknowledged {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.watch.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.watch.error(error, reason);
    }
}

impl ProducerContext for Acknowledged {
    type DeliveryOpaque = ();

    fn delivery(&self, delivered: &DeliveryResult<'_>, (): ()) {
        let mut acks = self.acks();
        match delivered {
            Ok(message) => {
                acks.count += 1;
                let offset = message.offset();
                // None is told of a message that the broker had already.
                if offset >= 0 {
                    let seen = acks.offsets.entry(message.partition().into());
                    let seen = seen.or_insert(Offsets { first: offset, last: offset, fell: false });
                    seen.fell |= offset < seen.last;
                    seen.last = offset;
                }
            }
            Err((error, _)) => {
                acks.failed.get_or_insert_with(|| error.to_string());
            }
        }
    }
}
