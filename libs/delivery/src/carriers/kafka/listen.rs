//! Reading a topic. The partitions are assigned, not shared out by a group: whoever has the lease reads them all, from where
//! its own database says. The group is told the offsets, for the tools that show how far behind a reader is.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use cafe_events::Source;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};

use super::chain::{self, Link, Search, Standing, Step};
use super::client::{self, Watch};
use super::message::{self, Read};
use super::tails::Kept;
use super::{tails, topic};
use crate::carriers::{Carrier, News, Parts, no_longer_kept};
use crate::place::KafkaSettings;
use crate::tables::Position;
use crate::turn::Arrived;

/// How long a wait for news lasts at most.
const POLL: Duration = Duration::from_millis(500);
/// Before a Kafka that could not be used is tried again.
const PAUSE: Duration = Duration::from_millis(500);
/// How often the topic is looked at: whether it has more partitions, or ends before what was heard.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// A client that is handed nothing for so long, though there is something, is made anew.
const STUCK: Duration = Duration::from_secs(15);
/// How often the group is told the offsets.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// Reads one speaker's topic.
pub(crate) struct KafkaCarrier {
    kafka: KafkaSettings,
    listener: Source,
    source: Source,
    open: Option<Open>,
    told_at: Option<Instant>,
}

/// An assignment at work.
struct Open {
    consumer: BaseConsumer<Watch>,
    partitions: i64,
    /// Where each partition is read next, if everything that was handed out is taken in.
    cursors: BTreeMap<i64, Cursor>,
    looked_at: Instant,
    /// When a message was handed out last.
    read_at: Instant,
    /// Messages that lay after what was handed out, when they were last counted.
    behind: i64,
    /// Read while waiting.
    stash: Option<Read>,
}

#[derive(Clone, Debug)]
struct Cursor {
    heard: Position,
    /// Where it is read next.
    next: i64,
    /// Where what was heard last should lie: a topic that was made anew may have other messages there.
    check: Option<i64>,
    search: Option<Search>,
    /// Something is missing, and is not before this; up to this offset it may have been written again.
    gap: Option<i64>,
}

impl KafkaCarrier {
    pub(crate) fn new(kafka: &KafkaSettings, listener: Source, source: Source) -> Self {
        Self { kafka: kafka.clone(), listener, source, open: None, told_at: None }
    }

    fn open(&mut self, heard: &Parts) -> Result<&mut Open, String> {
        if self.open.as_ref().is_some_and(|open| !open.continues(heard)) {
            // What was handed out was not taken in.
            self.open = None;
        }
        let open = match self.open.take() {
            Some(open) => open,
            None => Open::new(&self.kafka, self.listener, self.source, heard)?,
        };
        Ok(self.open.insert(open))
    }

    fn read(&mut self, heard: &Parts, limit: usize) -> Result<News, String> {
        let source = self.source;
        let open = self.open(heard)?;
        open.look(source)?;
        let mut news = News::default();
        while news.records.len() < limit {
            let read = match open.stash.take() {
                Some(read) => read,
                None => match open.next(Duration::ZERO)? {
                    Some(read) => read,
                    None => break,
                },
            };
            open.take(source, read, &mut news)?;
        }
        news.behind = news.records.len() as i64 + open.behind;
        open.behind = (open.behind - news.records.len() as i64).max(0);
        Ok(news)
    }
}

impl Carrier for KafkaCarrier {
    fn read_after(&mut self, heard: &Parts, limit: usize) -> Result<News, String> {
        let news = self.read(heard, limit);
        if news.is_err() {
            self.open = None;
        }
        news
    }

    fn wait(&mut self) {
        let Some(open) = &mut self.open else { return std::thread::sleep(PAUSE) };
        if open.stash.is_none() {
            match open.next(POLL) {
                Ok(read) => open.stash = read,
                Err(reason) => {
                    tracing::debug!(reason, "waiting for news");
                    self.open = None;
                }
            }
        }
    }

    fn system(&self) -> &'static str {
        "kafka"
    }

    fn taken_in(&mut self, heard: &Parts) {
        let (Some(open), source) = (&self.open, self.source) else { return };
        if self.told_at.is_some_and(|at| at.elapsed() < TELL_EVERY) {
            return;
        }
        self.told_at = Some(Instant::now());
        let mut offsets = TopicPartitionList::new();
        for (part, heard) in heard {
            if let Some(next) = heard.next_offset {
                let _ = offsets.add_partition_offset(source.name(), *part as i32, Offset::Offset(next));
            }
        }
        // For others to look at; nothing hangs on it.
        let _ = open.consumer.commit(&offsets, CommitMode::Async);
    }
}

impl Open {
    fn new(kafka: &KafkaSettings, listener: Source, source: Source, heard: &Parts) -> Result<Self, String> {
        let config = client::consumer(kafka, listener);
        let consumer: BaseConsumer<Watch> = config
            .create_with_context(Watch::default())
            .map_err(|error| format!("Kafka cannot be used as it is set: {error}"))?;
        let partitions = topic::partitions(&consumer, source)?;
        let mut cursors = BTreeMap::new();
        let mut behind = 0;
        for (part, kept) in tails::kept(&consumer, source, partitions)? {
            let cursor = Cursor::new(part, heard, kept);
            behind += kept.end - cursor.next - i64::from(cursor.check.is_some());
            cursors.insert(part, cursor);
        }
        let now = Instant::now();
        let mut open =
            Self { consumer, partitions, cursors, looked_at: now, read_at: now, behind, stash: None };
        open.assign(source)?;
        Ok(open)
    }

    /// Has all partitions read from their cursors on. What was fetched ahead is dropped.
    fn assign(&mut self, source: Source) -> Result<(), String> {
        let mut wanted = TopicPartitionList::new();
        for (part, cursor) in &self.cursors {
            let offset = Offset::Offset(cursor.next);
            wanted
                .add_partition_offset(source.name(), *part as i32, offset)
                .map_err(|error| error.to_string())?;
        }
        self.stash = None;
        self.consumer.assign(&wanted).map_err(|error| error.to_string())
    }

    /// Whether everything that was handed out is taken in.
    fn continues(&self, heard: &Parts) -> bool {
        self.cursors.iter().all(|(part, cursor)| {
            heard.get(part).and_then(|heard| heard.next_offset) == cursor.heard.next_offset
        })
    }

    /// From time to time: a topic that has other partitions, or ends before what was heard, is opened anew.
    fn look(&mut self, source: Source) -> Result<(), String> {
        let lost = self.consumer.context().was_lost();
        if self.looked_at.elapsed() < LOOK_EVERY && !lost {
            return Ok(());
        }
        if topic::partitions(&self.consumer, source)? != self.partitions {
            return Err(format!("topic {source} has other partitions than before"));
        }
        let mut behind = 0;
        let all_kept = tails::kept(&self.consumer, source, self.partitions)?;
        for (part, cursor) in &self.cursors {
            match all_kept.get(part) {
                Some(kept) if (kept.first..=kept.end).contains(&cursor.next) => {
                    behind += kept.end - cursor.next;
                }
                _ => return Err(format!("partition {part} of topic {source} is not what it was")),
            }
        }
        if behind > 0 && self.read_at.elapsed() > STUCK {
            return Err(format!("{behind} messages of topic {source} do not come"));
        }
        (self.looked_at, self.behind) = (Instant::now(), behind);
        Ok(())
    }

    fn next(&mut self, patience: Duration) -> Result<Option<Read>, String> {
        match self.consumer.poll(patience) {
            None => Ok(None),
            Some(Ok(found)) => {
                self.read_at = Instant::now();
                Ok(Some(message::read(&found)))
            }
            Some(Err(error)) if is_passing(&error) => {
                tracing::debug!(%error, "Kafka");
                Ok(None)
            }
            Some(Err(error)) => Err(format!("Kafka: {error}")),
        }
    }

    fn take(&mut self, source: Source, read: Read, news: &mut News) -> Result<(), String> {
        let Read { part, offset, record, standing } = read;
        let Some(cursor) = self.cursors.get_mut(&part) else { return Ok(()) };
        if offset < cursor.next {
            return Ok(());
        }
        if cursor.check.take_if(|check| *check == offset).is_some() && cursor.is_old(standing.as_ref()) {
            cursor.next = offset + 1;
            return Ok(());
        }
        if let Some(end) = cursor.gap {
            if !cursor.fits(standing.as_ref()) {
                cursor.next = offset + 1;
                let is_all = cursor.next >= end;
                return if is_all { Err(no_longer_kept(source, cursor.heard.position + 1)) } else { Ok(()) };
            }
            (cursor.gap, cursor.search) = (None, None);
        }
        let mut heard = Position { next_offset: Some(offset + 1), ..cursor.heard.clone() };
        if let Some(here) = &standing {
            let before = (&*cursor.heard.log_id, cursor.heard.position);
            let kept = || kept_of(&self.consumer, source, self.partitions, part);
            let first = || kept().map(|kept| kept.first);
            match chain::step(before, here, offset, first, cursor.search.as_ref())? {
                Step::Next => {
                    news.is_another_log |= !before.0.is_empty() && *here.log_id != *before.0;
                    (heard.log_id, heard.position) = (here.log_id.clone(), here.position);
                }
                Step::Again => {}
                Step::Gone => {
                    let Kept { end, .. } = kept()?;
                    (cursor.gap, cursor.next) = (Some(end), offset + 1);
                    let is_all = cursor.next >= end;
                    return if is_all {
                        Err(no_longer_kept(source, cursor.heard.position + 1))
                    } else {
                        Ok(())
                    };
                }
                Step::Back(from, search) => {
                    tracing::warn!(%source, part, offset, from, "something is missing before this offset; reading again");
                    (cursor.next, cursor.search) = (from, Some(search));
                    return self.assign(source);
                }
            }
        }
        if cursor.search.as_ref().is_some_and(|search| offset >= search.offset) {
            cursor.search = None;
        }
        (cursor.heard, cursor.next) = (heard.clone(), offset + 1);
        let place = format!("{part}:{offset}");
        news.records.push((Arrived::found_at(source, record, &place), heard));
        Ok(())
    }
}

impl Cursor {
    /// Where a partition is read on. Without an offset that can be right, the last message tells whether anything is missing.
    fn new(part: i64, heard: &Parts, Kept { first, end }: Kept) -> Self {
        let heard = heard.get(&part).cloned().unwrap_or_else(|| first_look(part, heard));
        let known = heard.next_offset.filter(|next| (first..=end).contains(next));
        let (next, check) = match known {
            // What others wrote tells nothing of what was heard of ours.
            _ if heard.log_id.is_empty() => (first, None),
            Some(next) if next > first => (next - 1, Some(next - 1)),
            Some(next) => (next, None),
            None => ((end - 1).max(first), None),
        };
        Self { heard, next, check, search: None, gap: None }
    }

    fn fits(&self, standing: Option<&Standing>) -> bool {
        let link = |here| chain::link(&self.heard.log_id, self.heard.position, here);
        standing.is_some_and(|here| link(here) == Link::Follows)
    }

    /// Whether a message before the place from which is read on is what it should be, as far as can be told.
    fn is_old(&self, standing: Option<&Standing>) -> bool {
        let link = |here| chain::link(&self.heard.log_id, self.heard.position, here);
        standing.is_none_or(|here| link(here) == Link::Known)
    }
}

/// What one partition keeps.
fn kept_of(
    consumer: &BaseConsumer<Watch>,
    source: Source,
    partitions: i64,
    part: i64,
) -> Result<Kept, String> {
    let kept = tails::kept(consumer, source, partitions)?.remove(&part);
    kept.ok_or_else(|| format!("Kafka does not tell of partition {part} of topic {source}"))
}

/// A partition that was never read: what was heard without Kafka until now counts for every partition of the topic.
fn first_look(part: i64, heard: &Parts) -> Position {
    match heard.get(&0) {
        Some(direct) if heard.len() == 1 && direct.next_offset.is_none() => {
            Position { part, ..direct.clone() }
        }
        _ => Position { part, ..Position::default() },
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
