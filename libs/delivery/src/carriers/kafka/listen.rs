//! A topic of Kafka's, for reading. The partitions are assigned, not shared out by a group: whoever has the lease reads them
//! all, from where its own database says. The group is told the offsets, for the tools that show how far behind a reader is.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use cafe_events::Source;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};

use super::client::{self, Watch};
use super::ends::Kept;
use super::message::{self, Read};
use super::reading::{ReadTopic, TopicReader};
use super::{tails, topic};
use crate::carriers::Parts;
use crate::place::KafkaSettings;

/// A speaker's topic, as Kafka has it.
pub(crate) struct KafkaTopic {
    source: Source,
    consumer: BaseConsumer<Watch>,
}

/// Has `listener` read what `source` says from Kafka.
pub(crate) fn reader(kafka: &KafkaSettings, listener: Source, source: Source) -> TopicReader<KafkaTopic> {
    let kafka = kafka.clone();
    let connect = move || {
        let consumer = client::consumer(&kafka, listener).create_with_context(Watch::default());
        let consumer = consumer.map_err(|error| format!("Kafka cannot be used as it is set: {error}"))?;
        Ok(KafkaTopic { source, consumer })
    };
    TopicReader::new(source, Box::new(connect))
}

impl ReadTopic for KafkaTopic {
    const SYSTEM: &'static str = "kafka";

    fn partitions(&mut self) -> Result<i64, String> {
        topic::partitions(&self.consumer, self.source)
    }

    fn kept(&mut self, partitions: i64) -> Result<BTreeMap<i64, Kept>, String> {
        tails::kept(&self.consumer, self.source, partitions)
    }

    fn read_from(&mut self, offsets: &BTreeMap<i64, i64>) -> Result<(), String> {
        let told = |error: KafkaError| error.to_string();
        self.consumer.assign(&self.list(offsets).map_err(told)?).map_err(told)
    }

    fn next(&mut self, patience: Duration) -> Result<Option<Read>, String> {
        match self.consumer.poll(patience) {
            None => Ok(None),
            Some(Ok(found)) => Ok(Some(message::read(&found))),
            Some(Err(error)) if is_passing(&error) => {
                tracing::debug!(%error, "Kafka");
                Ok(None)
            }
            Some(Err(error)) => Err(format!("Kafka: {error}")),
        }
    }

    fn was_lost(&mut self) -> bool {
        self.consumer.context().was_lost()
    }

    fn tell(&mut self, heard: &Parts) {
        let offsets = heard.iter().filter_map(|(part, heard)| Some((*part, heard.next_offset?))).collect();
        if let Ok(offsets) = self.list(&offsets) {
            let _ = self.consumer.commit(&offsets, CommitMode::Async);
        }
    }

    fn now(&self) -> Instant {
        Instant::now()
    }
}

impl KafkaTopic {
    fn list(&self, offsets: &BTreeMap<i64, i64>) -> Result<TopicPartitionList, KafkaError> {
        let mut list = TopicPartitionList::with_capacity(offsets.len());
        for (part, offset) in offsets {
            list.add_partition_offset(self.source.name(), *part as i32, Offset::Offset(*offset))?;
        }
        Ok(list)
    }
}

/// What passes by itself: librdkafka connects again.
fn is_passing(error: &KafkaError) -> bool {
    let code = match error {
        KafkaError::MessageConsumption(code) => *code,
        _ => return false,
    };
    [
        RDKafkaErrorCode::BrokerTransportFailure,
        RDKafkaErrorCode::AllBrokersDown,
        RDKafkaErrorCode::OperationTimedOut,
        RDKafkaErrorCode::Resolve,
        RDKafkaErrorCode::LeaderNotAvailable,
        RDKafkaErrorCode::NotLeaderForPartition,
        RDKafkaErrorCode::RequestTimedOut,
        RDKafkaErrorCode::NetworkException,
        RDKafkaErrorCode::NotCoordinator,
        RDKafkaErrorCode::CoordinatorNotAvailable,
        RDKafkaErrorCode::CoordinatorLoadInProgress,
    ]
    .contains(&code)
}
