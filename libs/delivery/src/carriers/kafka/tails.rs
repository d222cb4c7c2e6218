//! Up to where a topic was written, as the topic itself tells: the last message of ours in each partition.

use std::collections::BTreeMap;
use std::time::Instant;

use cafe_events::Source;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::{Offset, TopicPartitionList};

use super::chain::Standing;
use super::client::{PATIENCE, Watch};
use super::message;

/// How far back from the end a message of ours is looked for first; each further time four times as far.
const FIRST_STEP: i64 = 4;
const STEP_GROWS: i64 = 4;

/// The end of a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tail {
    /// Where the last message of ours stands; nothing if there is none.
    pub(super) last: Option<Standing>,
    /// After the last message of anybody's.
    pub(super) next_offset: i64,
    /// The first offset that is kept.
    pub(super) first_offset: i64,
}

/// A partition that is looked into.
struct Look {
    first: i64,
    end: i64,
    from: i64,
    step: i64,
    read_up_to: i64,
    last: Option<Standing>,
}

/// The first offset of a partition that is kept, and the one after its last.
pub(super) fn ends(consumer: &BaseConsumer<Watch>, source: Source, part: i64) -> Result<(i64, i64), String> {
    let ends = consumer.fetch_watermarks(source.name(), part as i32, PATIENCE);
    ends.map_err(|error| format!("Kafka does not tell where topic {source} ends: {error}"))
}

/// The ends of all partitions.
pub(super) fn read(
    consumer: &BaseConsumer<Watch>,
    source: Source,
    partitions: i64,
) -> Result<BTreeMap<i64, Tail>, String> {
    let mut looks = BTreeMap::new();
    for part in 0..partitions {
        let (first, end) = ends(consumer, source, part)?;
        looks.insert(part, Look::new(first, end));
    }
    while looks.values().any(|look| !look.is_done()) {
        look_further(consumer, source, &mut looks)?;
    }
    Ok(looks.into_iter().map(|(part, look)| (part, look.tail())).collect())
}

/// Reads each unfinished partition from where it is to be read up to its end.
fn look_further(
    consumer: &BaseConsumer<Watch>,
    source: Source,
    looks: &mut BTreeMap<i64, Look>,
) -> Result<(), String> {
    let mut wanted = TopicPartitionList::new();
    for (part, look) in looks.iter_mut().filter(|(_, look)| !look.is_done()) {
        look.go_back();
        let added = wanted.add_partition_offset(source.name(), *part as i32, Offset::Offset(look.from));
        added.map_err(|error| error.to_string())?;
    }
    consumer.assign(&wanted).map_err(|error| error.to_string())?;
    let mut heard_at = Instant::now();
    while looks.values().any(|look| look.read_up_to < look.end) {
        match consumer.poll(PATIENCE / 10) {
            Some(Ok(found)) => {
                heard_at = Instant::now();
                let read = message::read(&found);
                if let Some(look) = looks.get_mut(&read.part) {
                    look.take(read.offset, read.standing);
                }
            }
            // What is left are marks of transactions, which are not ours.
            Some(Err(KafkaError::PartitionEOF(part))) => {
                if let Some(look) = looks.get_mut(&i64::from(part)) {
                    look.read_up_to = look.end;
                }
            }
            // The end moves back when brokers lose what they had.
            Some(Err(error)) if heard_at.elapsed() > PATIENCE => {
                return Err(format!("topic {source} cannot be read: {error}"));
            }
            _ if heard_at.elapsed() > PATIENCE => return Err(format!("topic {source} cannot be read")),
            _ => {}
        }
    }
    Ok(())
}

impl Look {
    fn new(first: i64, end: i64) -> Self {
        Self { first, end, from: end, step: 1, read_up_to: end, last: None }
    }

    fn is_done(&self) -> bool {
        self.read_up_to >= self.end && (self.last.is_some() || self.from <= self.first)
    }

    fn go_back(&mut self) {
        self.from = (self.end - self.step).max(self.first);
        self.step = if self.step == 1 { FIRST_STEP } else { self.step * STEP_GROWS };
        self.read_up_to = self.from;
    }

    fn take(&mut self, offset: i64, standing: Option<Standing>) {
        if offset < self.end && standing.is_some() {
            self.last = standing;
        }
        self.read_up_to = self.read_up_to.max(offset + 1);
    }

    fn tail(self) -> Tail {
        Tail { last: self.last, next_offset: self.end, first_offset: self.first }
    }
}
