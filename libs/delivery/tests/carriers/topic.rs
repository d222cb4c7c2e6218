//! The topic as anybody sees it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Headers;
use rdkafka::{Message, Offset, TopicPartitionList};

use crate::rung::Rung;

/// A message of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) part: i32,
    pub(crate) key: String,
    pub(crate) headers: BTreeMap<String, String>,
}

impl Written {
    fn number(&self, header: &str) -> i64 {
        self.headers.get(header).and_then(|value| value.parse().ok()).unwrap_or_default()
    }

    pub(crate) fn position(&self) -> i64 {
        self.number("ce_cafeposition")
    }

    pub(crate) fn previous(&self) -> i64 {
        self.number("ce_cafeprevious")
    }
}

/// All that the topic keeps, partition by partition in its order; nothing if it cannot be read at the moment.
pub(crate) fn written(rung: &Rung, parts: i32) -> Option<Vec<Written>> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", rung.brokers())
        .set("group.id", "looks on")
        .set("enable.auto.commit", "false")
        .create()
        .unwrap();
    let mut wanted = TopicPartitionList::new();
    let mut left = 0;
    for part in 0..parts {
        let (first, end) = consumer.fetch_watermarks("payment", part, Duration::from_secs(10)).ok()?;
        wanted.add_partition_offset("payment", part, Offset::Offset(first)).unwrap();
        left += end - first;
    }
    consumer.assign(&wanted).unwrap();
    let mut all = Vec::new();
    let limit = Instant::now() + Duration::from_secs(20);
    while (all.len() as i64) < left {
        if Instant::now() > limit {
            return None;
        }
        if let Some(Ok(message)) = consumer.poll(Duration::from_millis(100)) {
            all.push(read(&message));
        }
    }
    all.sort_by_key(|written: &Written| written.part);
    Some(all)
}

fn read(message: &impl Message) -> Written {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers = message.headers().into_iter().flat_map(Headers::iter);
    Written {
        part: message.partition(),
        key: message.key().map(text).unwrap_or_default(),
        headers: headers
            .map(|header| (header.key.to_owned(), header.value.map(text).unwrap_or_default()))
            .collect(),
    }
}
