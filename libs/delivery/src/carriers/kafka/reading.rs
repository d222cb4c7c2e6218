//! Reading a topic: what comes next of each partition, and whether anything is missing. Who has the messages is behind
//! [`ReadTopic`]: Kafka's brokers (`listen.rs`), or the simulation's.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use cafe_events::Source;

use super::cursor::{Cursor, Taken};
use super::ends::Kept;
use super::message::Read;
use crate::carriers::{Carrier, News, Parts, no_longer_kept};
use crate::tables::Position;
use crate::turn::Arrived;

/// How long a wait for news lasts at most.
const POLL: Duration = Duration::from_millis(500);
/// Before a topic that could not be read is tried again.
const PAUSE: Duration = Duration::from_millis(500);
/// How often the topic is looked at: whether it has more partitions, or ends before what was heard.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// A client that is handed nothing for so long, though there is something, is made anew.
const STUCK: Duration = Duration::from_secs(15);
/// How often others are told how far it was read.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// A topic, as whoever reads it needs it.
pub trait ReadTopic: Send {
    /// How many partitions it has.
    ///
    /// # Errors
    /// It cannot be told.
    fn partitions(&mut self) -> Result<i64, String>;

    /// What each of so many partitions keeps.
    ///
    /// # Errors
    /// It cannot be told.
    fn kept(&mut self, partitions: i64) -> Result<BTreeMap<i64, Kept>, String>;

    /// Has each partition read from its offset on. What was fetched ahead is dropped.
    ///
    /// # Errors
    /// That is not possible.
    fn read_from(&mut self, offsets: &BTreeMap<i64, i64>) -> Result<(), String>;

    /// The next message of any partition; nothing if none comes in so long.
    ///
    /// # Errors
    /// None will come, unless it is opened anew.
    fn next(&mut self, patience: Duration) -> Result<Option<Read>, String>;

    /// Whether the connection to a broker was lost since this was last asked.
    fn was_lost(&mut self) -> bool;

    /// Has others see how far it was read. Nothing hangs on it.
    fn tell(&mut self, heard: &Parts);

    /// What time it is.
    fn now(&self) -> Instant;

    /// What traces call it: `messaging.system` of OpenTelemetry's conventions.
    const SYSTEM: &'static str;
}

/// Opens a topic anew.
pub type Connect<T> = Box<dyn FnMut() -> Result<T, String> + Send>;

/// Reads one speaker's topic.
pub struct TopicReader<T> {
    source: Source,
    connect: Connect<T>,
    open: Option<Open<T>>,
    told_at: Option<Instant>,
}

/// A topic that is being read.
struct Open<T> {
    topic: T,
    source: Source,
    partitions: i64,
    /// Where each partition is read next, if everything that was handed out is taken in.
    cursors: BTreeMap<i64, Cursor>,
    looked_at: Instant,
    /// When a message came last.
    read_at: Instant,
    /// Messages that lay after what was handed out, when they were last counted.
    behind: i64,
    /// Read while waiting.
    stash: Option<Read>,
}

impl<T: ReadTopic> TopicReader<T> {
    /// Reads what `source` says, over connections that `connect` makes.
    pub fn new(source: Source, connect: Connect<T>) -> Self {
        Self { source, connect, open: None, told_at: None }
    }

    fn open(&mut self, heard: &Parts) -> Result<&mut Open<T>, String> {
        if self.open.as_ref().is_some_and(|open| !open.continues(heard)) {
            // What was handed out was not taken in.
            self.open = None;
        }
        let open = match self.open.take() {
            Some(open) => open,
            None => Open::new((self.connect)()?, self.source, heard)?,
        };
        Ok(self.open.insert(open))
    }

    fn read(&mut self, heard: &Parts, limit: usize) -> Result<News, String> {
        let open = self.open(heard)?;
        open.look(heard)?;
        let mut news = News { parts: open.unnoted(heard), ..News::default() };
        while news.records.len() < limit {
            let Some(read) = open.next_read()? else { break };
            open.take(read, &mut news)?;
        }
        news.behind = news.records.len() as i64 + open.behind;
        open.behind = (open.behind - news.records.len() as i64).max(0);
        Ok(news)
    }
}

impl<T: ReadTopic> Carrier for TopicReader<T> {
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
        T::SYSTEM
    }

    fn taken_in(&mut self, heard: &Parts) {
        let Some(open) = &mut self.open else { return };
        let now = open.topic.now();
        if self.told_at.is_none_or(|at| now.duration_since(at) >= TELL_EVERY) {
            self.told_at = Some(now);
            open.topic.tell(heard);
        }
    }
}

impl<T: ReadTopic> Open<T> {
    fn new(mut topic: T, source: Source, heard: &Parts) -> Result<Self, String> {
        let partitions = topic.partitions()?;
        let kept = topic.kept(partitions)?;
        let now = topic.now();
        let cursors = BTreeMap::new();
        let mut open =
            Self { topic, source, partitions, cursors, looked_at: now, read_at: now, behind: 0, stash: None };
        open.read_on(heard, kept)?;
        Ok(open)
    }

    /// Reads on after what was heard, as far as what is kept is what it was.
    fn read_on(&mut self, heard: &Parts, kept: BTreeMap<i64, Kept>) -> Result<(), String> {
        self.behind = 0;
        for (part, kept) in kept {
            let cursor = Cursor::new(part, heard, kept);
            self.behind += cursor.behind(kept.end);
            self.cursors.insert(part, cursor);
        }
        self.assign()
    }

    /// Has all partitions read from their cursors on.
    fn assign(&mut self) -> Result<(), String> {
        self.stash = None;
        let offsets = self.cursors.iter().map(|(part, cursor)| (*part, cursor.next)).collect();
        self.topic.read_from(&offsets)
    }

    /// Whether everything that was handed out is taken in. An offset does not tell: a topic that was made anew has others there.
    fn continues(&self, heard: &Parts) -> bool {
        self.cursors.iter().all(|(part, cursor)| match heard.get(part) {
            Some(heard) => *heard == cursor.heard,
            None => cursor.heard.next_offset.is_none(),
        })
    }

    /// Where partitions stand that are not among what was noted.
    fn unnoted(&self, heard: &Parts) -> Vec<Position> {
        let unnoted = self.cursors.iter().filter(|(part, _)| !heard.contains_key(part));
        unnoted.map(|(_, cursor)| cursor.heard.clone()).collect()
    }

    /// From time to time: a topic that has other partitions, or ends before what was heard, is opened anew. After a connection was
    /// lost the last message that was heard is looked at again: a topic that lost some and was given others is as long as before.
    fn look(&mut self, heard: &Parts) -> Result<(), String> {
        let (lost, now, source) = (self.topic.was_lost(), self.topic.now(), self.source);
        if now.duration_since(self.looked_at) < LOOK_EVERY && !lost {
            return Ok(());
        }
        if self.topic.partitions()? != self.partitions {
            return Err(format!("topic {source} has other partitions than before"));
        }
        let mut behind = 0;
        let all_kept = self.topic.kept(self.partitions)?;
        for (part, cursor) in &self.cursors {
            match all_kept.get(part) {
                Some(kept) if (kept.first..=kept.end).contains(&cursor.next) => {
                    behind += kept.end - cursor.next;
                }
                _ => return Err(format!("partition {part} of topic {source} is not what it was")),
            }
        }
        if behind > 0 && now.duration_since(self.read_at) > STUCK {
            return Err(format!("{behind} messages of topic {source} do not come"));
        }
        (self.looked_at, self.behind) = (now, behind);
        if lost { self.read_on(heard, all_kept) } else { Ok(()) }
    }

    fn next(&mut self, patience: Duration) -> Result<Option<Read>, String> {
        let read = self.topic.next(patience)?;
        if read.is_some() {
            self.read_at = self.topic.now();
        }
        Ok(read)
    }

    fn next_read(&mut self) -> Result<Option<Read>, String> {
        match self.stash.take() {
            None => self.next(Duration::ZERO),
            stashed => Ok(stashed),
        }
    }

    fn take(&mut self, read: Read, news: &mut News) -> Result<(), String> {
        let Read { part, offset, record, standing } = read;
        let (topic, partitions, source) = (&mut self.topic, self.partitions, self.source);
        let Some(cursor) = self.cursors.get_mut(&part) else { return Ok(()) };
        let kept = || {
            let kept = topic.kept(partitions)?.remove(&part);
            kept.ok_or_else(|| format!("nothing is told of partition {part} of topic {source}"))
        };
        match cursor.take(offset, standing.as_ref(), kept)? {
            Taken::Nothing => {}
            Taken::News { heard, is_another_log } => {
                news.is_another_log |= is_another_log;
                let place = format!("{part}:{offset}");
                news.records.push((Arrived::found_at(source, record, place), heard));
            }
            Taken::Back => {
                let from = cursor.next;
                tracing::warn!(%source, part, offset, from, "something is missing before this offset; reading again");
                return self.assign();
            }
            Taken::Lost(after) => {
                let reason = no_longer_kept(source, after + 1);
                // Then nothing that is lost has to be heard, and the new log may have nothing in this partition that says so.
                return Err(format!(
                    "{reason}; or, if {source} was restored since, delete topic {source}: it is made anew and filled again"
                ));
            }
        }
        Ok(())
    }
}
