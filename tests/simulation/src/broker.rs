//! The brokers: a topic for each service, and whatever brokers do to what they have acknowledged.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use cafe_delivery::Head;
use cafe_delivery::message::{Read, Standing};
use cafe_delivery::parts::{
    Carrier, Kept, Links, News, Offsets, Outbox, Parts, ReadTopic, Since, Tail, TopicReader, WriteTopic, link,
};
use cafe_events::{Record, Source};

use crate::bugs::Bug;
use crate::carrier::{Mischief, foreign_record};
use crate::disk::Disk;
use crate::shelf::Shelved;

/// Partitions of each topic.
pub const PARTITIONS: i64 = 3;

/// All brokers together. Clones are the same.
#[derive(Clone)]
pub struct Brokers(Arc<Mutex<State>>);

struct State {
    topics: [Topic; 3],
    now: Instant,
    bug: Option<Bug>,
}

/// A service's topic.
#[derive(Default)]
struct Topic {
    parts: Vec<Partition>,
    takes: Takes,
    /// Sent, and not arrived before the sender gave up.
    late: VecDeque<(i64, Message)>,
    /// How often connections to it were lost.
    losses: u64,
    /// How often anything about it has changed.
    changes: u64,
    damage: Damage,
    /// How often it was damaged without a connection being lost: whoever reads it is told so by the protocol.
    told: u64,
    /// It once was damaged.
    was_damaged: bool,
    /// All of its log up to here is five weeks old.
    old: i64,
    /// Its service was put back from an older copy before damage was mended: holes may stay in a log that is no more.
    is_torn: bool,
}

/// How far damage is mended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Damage {
    #[default]
    None,
    /// No relay has looked at the topic since.
    Unseen,
    /// A relay has; it writes again what is missing.
    Seen,
}

#[derive(Default)]
struct Partition {
    /// The first offset that is kept.
    first: i64,
    /// From offset 0 on.
    messages: Vec<Message>,
    /// Where it ended at most.
    longest: Option<Tail>,
}

#[derive(Clone)]
struct Message {
    record: Record,
    /// Nothing in what no relay wrote.
    standing: Option<Standing>,
}

/// How brokers take the next batches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Takes {
    /// Each message is taken and acknowledged.
    #[default]
    All,
    /// So many are taken, the others are not; nothing is acknowledged.
    Some(u8),
}

impl Brokers {
    /// Brokers with empty topics.
    pub fn new(now: Instant, bug: Option<Bug>) -> Self {
        let topic =
            || Topic { parts: (0..PARTITIONS).map(|_| Partition::default()).collect(), ..Topic::default() };
        Self(Arc::new(Mutex::new(State { topics: [topic(), topic(), topic()], now, bug })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn at<T>(&self, source: Source, does: impl FnOnce(&mut Topic) -> T) -> T {
        does(&mut self.state().topics[source as usize])
    }

    /// What time it is from now on.
    pub fn tick(&self, now: Instant) {
        self.state().now = now;
    }

    /// A number that changes with the topic.
    pub fn changes(&self, source: Source) -> u64 {
        self.at(source, |topic| topic.changes)
    }

    /// Whether everything that the topic has lost is written again, as far as is known.
    pub fn is_mended(&self, source: Source) -> bool {
        self.at(source, |topic| topic.damage == Damage::None)
    }

    /// Where its partitions end, if it once was damaged: what was mended is not heard before that.
    pub fn ends_since_damage(&self, source: Source) -> Vec<i64> {
        self.at(source, |topic| {
            let parts = topic.parts.iter().filter(|_| topic.was_damaged);
            parts.map(Partition::end).collect()
        })
    }

    /// A relay has found nothing left to write.
    pub fn is_written(&self, source: Source) {
        self.at(source, |topic| {
            if topic.damage == Damage::Seen {
                topic.damage = Damage::None;
            }
        });
    }

    /// How the next batches are taken.
    pub fn take(&self, source: Source, takes: Takes) {
        self.at(source, |topic| {
            topic.takes = takes;
            topic.losses += 1;
        });
    }

    /// What was under way when its sender gave up arrives, unless what comes before it is not there any more; true if
    /// anything was.
    pub fn arrive_late(&self, source: Source) -> bool {
        self.at(source, |topic| {
            let mut arrived = false;
            while let Some((part, message)) = topic.late.pop_front() {
                arrived |= topic.arrives(part, message);
            }
            arrived
        })
    }

    /// Its service is put back from an older copy: what was under way never arrives, and what is missing is not written again.
    pub fn is_restored(&self, source: Source) {
        self.at(source, |topic| {
            topic.late.clear();
            topic.is_torn |= topic.damage != Damage::None;
        });
    }

    /// Somebody deletes the topic of a service that was put back before damage was mended; true if it is one.
    pub fn delete_torn(&self, source: Source) -> bool {
        let is_torn = self.at(source, |topic| std::mem::take(&mut topic.is_torn));
        is_torn && self.make_anew(source, true)
    }

    /// The last messages of a partition are lost, though they were acknowledged, but none that is five weeks old: such brokers have
    /// long since written. True if there were any.
    pub fn lose_tail(&self, source: Source, part: u8, count: u8, is_noticed: bool) -> bool {
        self.at(source, |topic| {
            let Some(partition) = topic.parts.get_mut(usize::from(part)) else { return false };
            let (before, first) = (partition.messages.len(), partition.first as usize);
            let is_old =
                |message: &Message| message.standing.as_ref().is_some_and(|here| here.position <= topic.old);
            let old = partition.messages.iter().rposition(is_old).map_or(0, |last| last + 1);
            partition.messages.truncate(before.saturating_sub(count.into()).max(first).max(old));
            let lost = partition.messages.len() < before;
            topic.damage(lost, is_noticed)
        })
    }

    /// All of a log up to `position` is five weeks old.
    pub fn grow_old(&self, source: Source, position: i64) {
        self.at(source, |topic| topic.old = topic.old.max(position));
    }

    /// The topic is deleted, and made again; true if anything was in it.
    pub fn make_anew(&self, source: Source, is_noticed: bool) -> bool {
        self.at(source, |topic| {
            let was_empty = topic.parts.iter().all(|part| part.messages.is_empty());
            for part in &mut topic.parts {
                *part = Partition { longest: part.longest.take(), ..Partition::default() };
            }
            topic.damage(!was_empty, is_noticed)
        })
    }

    /// The oldest messages of a partition are dropped, of those before `read`: it is five weeks later, and damage done before is
    /// over. True if there were any.
    pub fn age(&self, source: Source, part: u8, read: i64) -> bool {
        self.at(source, |topic| {
            let partition = &mut topic.parts[usize::from(part)];
            let first = partition.first.max(read.min(partition.end()) - 1);
            let has_aged = first > partition.first && !topic.was_damaged && topic.late.is_empty();
            if has_aged {
                partition.first = first;
                topic.changes += 1;
            }
            has_aged
        })
    }

    /// A program of somebody else's writes something.
    pub fn hear_somebody_else(&self, source: Source, part: u8) {
        self.at(source, |topic| {
            let partition = &mut topic.parts[usize::from(part)];
            let record = foreign_record(partition.messages.len() as i64);
            partition.messages.push(Message { record, standing: None });
            topic.changes += 1;
        });
    }
}

impl Topic {
    fn damage(&mut self, is_damaged: bool, is_noticed: bool) -> bool {
        if is_damaged {
            self.losses += u64::from(is_noticed);
            self.told += u64::from(!is_noticed);
            self.changes += 1;
            (self.damage, self.was_damaged) = (Damage::Unseen, true);
        }
        is_damaged
    }

    /// A relay looks at it.
    fn seen(&mut self) -> &mut Self {
        if self.damage == Damage::Unseen {
            self.damage = Damage::Seen;
        }
        self
    }

    /// What arrives out of sequence brokers refuse.
    fn arrives(&mut self, part: i64, message: Message) -> bool {
        let partition = &mut self.parts[part as usize];
        let fits = message.standing.as_ref().is_some_and(|standing| partition.has_before(standing));
        if fits {
            partition.messages.push(message);
            self.changes += 1;
        }
        fits
    }
}

impl Partition {
    fn end(&self) -> i64 {
        self.messages.len() as i64
    }

    fn kept(&self) -> Kept {
        Kept { first: self.first, end: self.end() }
    }

    fn tail(&self, part: i64, since: &Since) -> Tail {
        let mut ours =
            self.messages[self.first as usize..].iter().filter_map(|message| message.standing.as_ref());
        let mut links = Links::new();
        ours.clone().filter(|here| here.log_id == since.log_id).for_each(|here| link(&mut links, here));
        let last = ours.next_back().cloned();
        let is_whole = match &last {
            Some(last) if last.log_id == since.log_id => {
                since.is_whole(part, last.position, &links, Some(self.first > 0)).unwrap_or(true)
            }
            _ => true,
        };
        Tail { last, next_offset: self.end(), first_offset: self.first, is_whole }
    }

    /// Where it was acknowledged to end.
    fn acknowledged(&mut self) -> Tail {
        let tail = Tail { is_whole: true, ..self.tail(0, &Since::default()) };
        match &self.longest {
            Some(longest) if longest.next_offset > tail.next_offset => longest.clone(),
            _ => self.longest.insert(tail).clone(),
        }
    }

    fn has_before(&self, standing: &Standing) -> bool {
        let is_before = |it: &Standing| it.log_id == standing.log_id && it.position == standing.previous;
        standing.previous == 0 || self.messages.iter().filter_map(|it| it.standing.as_ref()).any(is_before)
    }
}

/// A connection to one topic, for reading.
pub struct Reader {
    brokers: Brokers,
    source: Source,
    offsets: BTreeMap<i64, i64>,
    losses: u64,
    told: u64,
}

impl ReadTopic for Reader {
    const SYSTEM: &'static str = "simulation";

    fn partitions(&mut self) -> Result<i64, String> {
        Ok(PARTITIONS)
    }

    fn kept(&mut self, _partitions: i64) -> Result<BTreeMap<i64, Kept>, String> {
        Ok(self.brokers.at(self.source, |topic| (0..).zip(topic.parts.iter().map(Partition::kept)).collect()))
    }

    fn read_from(&mut self, offsets: &BTreeMap<i64, i64>) -> Result<(), String> {
        self.offsets.clone_from(offsets);
        Ok(())
    }

    fn next(&mut self, _patience: Duration) -> Result<Option<Read>, String> {
        let (source, offsets, told) = (self.source, &mut self.offsets, self.told);
        self.brokers.at(source, |topic| {
            if topic.told != told {
                return Err("the topic is not what it was".to_owned());
            }
            for (part, next) in offsets {
                let partition = &topic.parts[*part as usize];
                if *next > partition.end() || *next < partition.first {
                    return Err(format!("offset {next} of partition {part} is out of range"));
                }
                if let Some(message) = partition.messages.get(*next as usize) {
                    let Message { record, standing } = message.clone();
                    let read = Read { part: *part, offset: *next, record, standing };
                    *next += 1;
                    return Ok(Some(read));
                }
            }
            Ok(None)
        })
    }

    fn was_lost(&mut self) -> bool {
        let losses = self.brokers.at(self.source, |topic| topic.losses);
        let was_lost = std::mem::replace(&mut self.losses, losses) != losses;
        was_lost && self.brokers.state().bug != Some(Bug::ListenerTrustsOffsets)
    }

    fn tell(&mut self, _heard: &Parts) {}

    fn now(&self) -> Instant {
        self.brokers.state().now
    }
}

/// Hears a peer from its topic, as late as it is served.
pub struct TopicEar {
    reader: TopicReader<Reader>,
    mischief: Mischief,
}

impl TopicEar {
    /// An ear on the topic of `source`.
    pub fn new(brokers: &Brokers, source: Source, mischief: &Mischief) -> Self {
        let brokers = brokers.clone();
        let connect = move || {
            let (losses, told) = brokers.at(source, |topic| (topic.losses, topic.told));
            Ok(Reader { brokers: brokers.clone(), source, offsets: BTreeMap::new(), losses, told })
        };
        Self { reader: TopicReader::new(source, Box::new(connect)), mischief: mischief.clone() }
    }
}

impl Carrier for TopicEar {
    fn read_after(&mut self, heard: &Parts, limit: usize) -> Result<News, String> {
        self.reader.read_after(heard, limit.min(self.mischief.served().limit))
    }

    fn wait(&mut self) {}

    fn system(&self) -> &'static str {
        self.reader.system()
    }

    fn taken_in(&mut self, heard: &Parts) {
        self.reader.taken_in(heard);
    }
}

/// A connection to one topic, for its relay.
pub struct Writer {
    brokers: Brokers,
    source: Source,
    batch: Vec<(i64, Message)>,
    acknowledged: BTreeMap<i64, Offsets>,
    losses: u64,
}

impl Writer {
    /// Connects.
    pub fn open(brokers: &Brokers, source: Source) -> Self {
        let losses = brokers.at(source, |topic| topic.losses);
        let (batch, acknowledged) = (Vec::new(), BTreeMap::new());
        Self { brokers: brokers.clone(), source, batch, acknowledged, losses }
    }
}

impl WriteTopic for Writer {
    fn partitions(&mut self) -> Result<i64, String> {
        Ok(PARTITIONS)
    }

    fn tails(&mut self, _partitions: i64, since: &Since) -> Result<BTreeMap<i64, Tail>, String> {
        let bug = self.brokers.state().bug;
        let tail = |(part, partition): (i64, &mut Partition)| {
            let tail = match bug {
                Some(Bug::RelayTrustsBrokers) => partition.acknowledged(),
                Some(Bug::RelayTrustsTheEnd) => Tail { is_whole: true, ..partition.tail(part, since) },
                _ => partition.tail(part, since),
            };
            (part, tail)
        };
        Ok(self.brokers.at(self.source, |topic| (0..).zip(&mut topic.seen().parts).map(tail).collect()))
    }

    fn ends(&mut self, partitions: i64) -> Result<BTreeMap<i64, i64>, String> {
        let ends = self
            .tails(partitions, &Since::default())?
            .into_iter()
            .map(|(part, tail)| (part, tail.next_offset));
        Ok(ends.collect())
    }

    fn was_lost(&mut self) -> bool {
        let losses = self.brokers.at(self.source, |topic| topic.losses);
        std::mem::replace(&mut self.losses, losses) != losses
    }

    fn begin(&mut self) {
        self.batch.clear();
        self.acknowledged.clear();
    }

    fn send(&mut self, part: i64, record: &Record, standing: &Standing) -> Result<(), String> {
        let message = Message { record: record.clone(), standing: Some(standing.clone()) };
        self.batch.push((part, message));
        Ok(())
    }

    fn wait(&mut self, _say_so: &mut dyn FnMut()) -> Result<u64, String> {
        let (batch, acknowledged) = (std::mem::take(&mut self.batch), &mut self.acknowledged);
        self.brokers.at(self.source, |topic| {
            let sent = batch.len() as u64;
            let mut room = match topic.takes {
                Takes::All => usize::MAX,
                Takes::Some(count) => count.into(),
            };
            for (part, message) in batch {
                if room == 0 {
                    topic.late.push_back((part, message));
                    continue;
                }
                room -= 1;
                let partition = &mut topic.parts[part as usize];
                let offset = partition.end();
                partition.messages.push(message);
                partition.acknowledged();
                topic.changes += 1;
                let seen = acknowledged.entry(part);
                seen.or_insert(Offsets { first: offset, last: offset, fell: false }).last = offset;
            }
            match topic.takes {
                Takes::All => Ok(sent),
                Takes::Some(_) => {
                    acknowledged.clear();
                    Err("the brokers do not acknowledge".to_owned())
                }
            }
        })
    }

    fn offsets(&mut self) -> BTreeMap<i64, Offsets> {
        std::mem::take(&mut self.acknowledged)
    }

    fn now(&self) -> Instant {
        self.brokers.state().now
    }
}

/// A service's outbox, as its relay reads it.
pub struct OnDisk<'a, D: Shelved>(pub &'a Disk<D>);

impl<D: Shelved> Outbox for OnDisk<'_, D> {
    fn head(&mut self) -> Result<Head, String> {
        let mut platters = self.0.platters();
        // Whoever opens a database sees and syncs what its dead writer left.
        platters.sync();
        Ok(platters.now.head().clone())
    }

    fn head_and_after(&mut self, position: i64, limit: i64) -> Result<(Head, Vec<Record>), String> {
        let platters = self.0.platters();
        let contents = platters.seen();
        let after = contents.outbox.range(position + 1..).take(limit as usize);
        Ok((contents.head().clone(), after.map(|(_, arrived)| arrived.record.clone()).collect()))
    }

    fn stands(&mut self, _position: i64, _last: i64) {}

    fn waits(&mut self) {}
}
