//! Up to where a topic was written, as the topic itself tells: the last message of ours in each partition.

use std::collections::BTreeMap;
use std::time::Instant;

use cafe_events::Source;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::TopicPartitionListElem;
use rdkafka::{Offset, TopicPartitionList};

use super::chain::Standing;
use super::client::{PATIENCE, Watch};
use super::ends::{self, Kept, Links, Since, Tail};
use super::message;

/// How far back from the end a message of ours is looked for first; each further time four times as far.
const FIRST_STEP: i64 = 4;
const STEP_GROWS: i64 = 4;

/// A partition that is looked into.
struct Look {
    first: i64,
    end: i64,
    from: i64,
    step: i64,
    read_up_to: i64,
    last: Option<Standing>,
    links: Links,
    is_whole: Option<bool>,
}

/// What each partition keeps: two questions for all of them together, since whoever asks has nothing else done meanwhile.
pub(super) fn kept(
    consumer: &BaseConsumer<Watch>,
    source: Source,
    partitions: i64,
) -> Result<BTreeMap<i64, Kept>, String> {
    let firsts = offsets(consumer, source, partitions, Offset::Beginning)?;
    let ends = ends(consumer, source, partitions)?;
    let kept = |(part, first): (i64, i64)| Some((part, Kept { first, end: *ends.get(&part)? }));
    Ok(firsts.into_iter().filter_map(kept).collect())
}

/// The offset after the last of each partition.
pub(super) fn ends(
    consumer: &BaseConsumer<Watch>,
    source: Source,
    partitions: i64,
) -> Result<BTreeMap<i64, i64>, String> {
    offsets(consumer, source, partitions, Offset::End)
}

/// Where `place`, which is the beginning or the end, is in each partition: brokers take both for times.
fn offsets(
    consumer: &BaseConsumer<Watch>,
    source: Source,
    partitions: i64,
    place: Offset,
) -> Result<BTreeMap<i64, i64>, String> {
    let told = |error: KafkaError| format!("Kafka does not tell where topic {source} ends: {error}");
    let mut wanted = TopicPartitionList::with_capacity(partitions as usize);
    for part in 0..partitions {
        wanted.add_partition_offset(source.name(), part as i32, place).map_err(told)?;
    }
    let found = consumer.offsets_for_times(wanted, PATIENCE).map_err(told)?;
    let offset_of = |element: TopicPartitionListElem<'_>| {
        element.error().map_err(told)?;
        match element.offset() {
            Offset::Offset(offset) => Ok((i64::from(element.partition()), offset)),
            other => {
                Err(format!("Kafka tells of partition {} that it ends at {other:?}", element.partition()))
            }
        }
    };
    found.elements().into_iter().map(offset_of).collect()
}

/// The ends of all partitions.
pub(super) fn read(
    consumer: &BaseConsumer<Watch>,
    source: Source,
    partitions: i64,
    since: &Since,
) -> Result<BTreeMap<i64, Tail>, String> {
    let kept = kept(consumer, source, partitions)?;
    let mut looks: BTreeMap<i64, Look> =
        kept.into_iter().map(|(part, kept)| (part, Look::new(kept))).collect();
    while looks.values().any(|look| !look.is_done()) {
        look_further(consumer, source, since, &mut looks)?;
    }
    Ok(looks.into_iter().map(|(part, look)| (part, look.tail())).collect())
}

/// Reads each unfinished partition from where it is to be read up to its end.
fn look_further(
    consumer: &BaseConsumer<Watch>,
    source: Source,
    since: &Since,
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
                    look.take(read.offset, read.standing, since);
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
    for (part, look) in looks.iter_mut() {
        look.judge(*part, since);
    }
    Ok(())
}

impl Look {
    fn new(Kept { first, end }: Kept) -> Self {
        Self {
            first,
            end,
            from: end,
            step: 1,
            read_up_to: end,
            last: None,
            links: Links::new(),
            is_whole: None,
        }
    }

    fn is_done(&self) -> bool {
        self.read_up_to >= self.end && (self.is_whole.is_some() || self.from <= self.first)
    }

    fn go_back(&mut self) {
        self.from = (self.end - self.step).max(self.first);
        self.step = if self.step == 1 { FIRST_STEP } else { self.step * STEP_GROWS };
        self.read_up_to = self.from;
    }

    fn take(&mut self, offset: i64, standing: Option<Standing>, since: &Since) {
        if let Some(here) = standing.filter(|_| offset < self.end) {
            if here.log_id == since.log_id {
                ends::link(&mut self.links, &here);
            }
            self.last = Some(here);
        }
        self.read_up_to = self.read_up_to.max(offset + 1);
    }

    /// Whether it has to be read from further back.
    fn judge(&mut self, part: i64, since: &Since) {
        let aged = (self.from <= self.first).then_some(self.first > 0);
        self.is_whole = match &self.last {
            Some(last) if last.log_id == since.log_id => {
                since.is_whole(part, last.position, &self.links, aged)
            }
            Some(_) => Some(true),
            None => aged.map(|_| true),
        };
    }

    fn tail(self) -> Tail {
        let is_whole = self.is_whole.unwrap_or(true);
        Tail { last: self.last, next_offset: self.end, first_offset: self.first, is_whole }
    }
}
