//! Writing an outbox to its topic: what comes next, whether the topic still has what it had acknowledged, and what may be
//! noted of it. Who takes the messages is behind [`WriteTopic`]: Kafka's brokers (`relay.rs`), or the simulation's.
//!
//! The topic tells up to where it was written, so nothing is written twice and nothing is left out, whoever died when. What
//! brokers have acknowledged and lost again is noticed by the same look, and written again.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use cafe_events::{Record, Source, partition_of};

use super::chain::Standing;
use super::ends::{self, Distrusted, Ends, Since, Tail};
use crate::tables::{Head, Position};

/// Records that are under way at a time.
pub(super) const BATCH: i64 = 1_000;
/// How often it is looked whether the topic still ends where it was acknowledged to.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// A topic, as its relay needs it.
pub trait WriteTopic {
    /// How many partitions it has.
    ///
    /// # Errors
    /// It cannot be told.
    fn partitions(&mut self) -> Result<i64, String>;

    /// Where each of so many partitions ends, with the last message of ours, and whether it holds together since then.
    ///
    /// # Errors
    /// It cannot be told.
    fn tails(&mut self, partitions: i64, since: &Since) -> Result<BTreeMap<i64, Tail>, String>;

    /// The offset after the last of each of so many partitions.
    ///
    /// # Errors
    /// It cannot be told.
    fn ends(&mut self, partitions: i64) -> Result<BTreeMap<i64, i64>, String>;

    /// Whether the connection to a broker was lost since this was last asked.
    fn was_lost(&mut self) -> bool;

    /// Forgets the batch before.
    fn begin(&mut self);

    /// Sends a record to a partition.
    ///
    /// # Errors
    /// It is not taken.
    fn send(&mut self, part: i64, record: &Record, standing: &Standing) -> Result<(), String>;

    /// Waits until the whole batch is acknowledged; answers how many messages it was. Where that takes long, `say_so` is called
    /// now and then.
    ///
    /// # Errors
    /// Not all of it is.
    fn wait(&mut self, say_so: &mut dyn FnMut()) -> Result<u64, String>;

    /// The offsets that were acknowledged so far, by partition.
    fn offsets(&mut self) -> BTreeMap<i64, Offsets>;

    /// What time it is.
    fn now(&self) -> Instant;
}

/// The offsets of a partition that were acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offsets {
    /// The first.
    pub first: i64,
    /// The last.
    pub last: i64,
    /// One was below the one before it.
    pub fell: bool,
}

/// An outbox, as its relay reads it; it is told how its topic stands.
pub trait Outbox {
    /// Its head.
    ///
    /// # Errors
    /// It cannot be read.
    fn head(&mut self) -> Result<Head, String>;

    /// Its head, and at most `limit` records after `position`, as they were at one moment.
    ///
    /// # Errors
    /// It cannot be read.
    fn head_and_after(&mut self, position: i64, limit: i64) -> Result<(Head, Vec<Record>), String>;

    /// All up to `position` is in the topic; `last` is the last there is.
    fn stands(&mut self, position: i64, last: i64);

    /// Brokers do not acknowledge.
    fn waits(&mut self);
}

/// Writes one outbox to its topic, a batch at a time.
pub struct Relaying<T> {
    source: Source,
    /// Up to where the topic was written, as was noted. Where the topic says otherwise, it is right.
    noted: Vec<Position>,
    distrusted: Distrusted,
    session: Option<Session<T>>,
}

/// A connection while it lasts.
struct Session<T> {
    topic: T,
    source: Source,
    partitions: i64,
    ends: Ends,
    /// The last record of the outbox that was looked at; all before it are in the topic.
    position: i64,
    /// The last record that is no longer in the outbox.
    pruned: i64,
    looked_at: Instant,
}

impl<T: WriteTopic> Relaying<T> {
    /// For `source`'s outbox, of which so much was noted as written.
    pub fn new(source: Source, noted: Vec<Position>) -> Self {
        Self { source, noted, distrusted: BTreeMap::new(), session: None }
    }

    /// Looks at the topic, and writes what comes next; answers how many records that were.
    ///
    /// # Errors
    /// Something is not as it should be: the next time the topic is opened anew, with `connect`.
    pub fn round(
        &mut self,
        outbox: &mut impl Outbox,
        connect: impl FnOnce() -> Result<T, String>,
    ) -> Result<usize, String> {
        let outcome = self.relay(outbox, connect);
        if outcome.is_err() {
            self.end();
        }
        outcome
    }

    /// Up to where the topic was written, by what is known now. It may be noted.
    pub fn relayed(&self) -> Vec<Position> {
        match &self.session {
            Some(session) => ends::certain(&session.ends, session.position),
            None => self.noted.clone(),
        }
    }

    /// Leaves the topic; the next time it is opened anew.
    pub fn end(&mut self) {
        (self.noted, self.session) = (self.relayed(), None);
    }

    fn relay(
        &mut self,
        outbox: &mut impl Outbox,
        connect: impl FnOnce() -> Result<T, String>,
    ) -> Result<usize, String> {
        let session = match self.session.take() {
            Some(session) => session,
            None => {
                Session::open(self.source, &outbox.head()?, connect()?, &self.noted, &mut self.distrusted)?
            }
        };
        let session = self.session.insert(session);
        session.look()?;
        let (head, records) = outbox.head_and_after(session.position, BATCH)?;
        session.own_up(&head);
        outbox.stands(session.position, head.last);
        if !records.is_empty() {
            session.send(outbox, &head, &records, &mut self.distrusted)?;
        }
        Ok(records.len())
    }
}

impl<T: WriteTopic> Session<T> {
    fn open(
        source: Source,
        head: &Head,
        mut topic: T,
        noted: &[Position],
        distrusted: &mut Distrusted,
    ) -> Result<Self, String> {
        let partitions = topic.partitions()?;
        let tails = topic.tails(partitions, &Since::noted(head, noted))?;
        let (ends, position) = ends::begin(head, &tails, noted, distrusted);
        ends::lost_since(head, noted, &tails, &ends).for_each(|part| tell_of_loss(source, part));
        let looked_at = topic.now();
        Ok(Self { topic, source, partitions, ends, position, pruned: head.oldest - 1, looked_at })
    }

    /// What was pruned before it was relayed is gone for whoever has not heard it.
    fn own_up(&mut self, head: &Head) {
        let pruned = head.oldest - 1;
        self.pruned = pruned;
        if self.position < pruned {
            tracing::error!(topic = %self.source, from = self.position + 1, through = pruned, "no longer kept, and never announced");
            ends::own_up(&mut self.ends, pruned);
            self.position = pruned;
        }
    }

    /// Sends what each partition does not have yet, and waits until all of it is acknowledged.
    fn send(
        &mut self,
        outbox: &mut impl Outbox,
        head: &Head,
        records: &[Record],
        distrusted: &mut Distrusted,
    ) -> Result<(), String> {
        self.topic.begin();
        let mut ends = self.ends.clone();
        for record in records {
            let part = partition_of(&record.order_id, self.partitions);
            let end = ends.entry(part).or_insert_with(|| ends::nothing_yet(part, head));
            if record.position <= end.position {
                continue;
            }
            let standing =
                Standing { log_id: end.log_id.clone(), position: record.position, previous: end.position };
            self.topic.send(part, record, &standing)?;
            end.position = record.position;
        }
        let acknowledged = self.topic.wait(&mut || outbox.waits());
        let offsets = self.topic.offsets();
        self.demand_growth(&offsets, head, distrusted)?;
        metrics::counter!("cafe_relayed_total").increment(acknowledged?);
        for (part, seen) in offsets {
            if let Some(end) = ends.get_mut(&part) {
                end.next_offset = Some(seen.last + 1);
            }
        }
        self.ends = ends;
        self.position = records.last().map_or(self.position, |record| record.position);
        let position = self.position;
        distrusted.retain(|_, through| *through > position);
        Ok(())
    }

    /// Offsets only grow, unless a topic was made anew or has lost its end.
    fn demand_growth(
        &mut self,
        offsets: &BTreeMap<i64, Offsets>,
        head: &Head,
        distrusted: &mut Distrusted,
    ) -> Result<(), String> {
        let is_another = |(part, seen): (&i64, &Offsets)| {
            let before = self.ends.get(part).and_then(|end| end.next_offset);
            (seen.fell || before.is_some_and(|next| seen.first < next)).then_some(*part)
        };
        let others: Vec<i64> = offsets.iter().filter_map(is_another).collect();
        for part in &others {
            tell_of_loss(self.source, *part);
            self.ends.insert(*part, ends::nothing_yet(*part, head));
            distrusted.insert(*part, head.last);
        }
        match others.first() {
            None => Ok(()),
            Some(part) => Err(format!("partition {part} of topic {} is not what it was", self.source)),
        }
    }

    /// Whether the topic still ends where it was acknowledged to. After a connection was lost its last messages are looked at,
    /// because a topic that lost some and was given others is as long as before.
    fn look(&mut self) -> Result<(), String> {
        let (lost, now) = (self.topic.was_lost(), self.topic.now());
        if !lost && now.duration_since(self.looked_at) < LOOK_EVERY {
            return Ok(());
        }
        if self.topic.partitions()? != self.partitions {
            return Err(format!("topic {} has other partitions than before", self.source));
        }
        if lost {
            let tails = self.topic.tails(self.partitions, &self.known())?;
            for (part, end) in &self.ends {
                let is_there = tails.get(part).is_some_and(|tail| ends::holds(tail, end));
                self.demand(is_there, *part)?;
            }
        } else {
            let kept = self.topic.ends(self.partitions)?;
            for (part, end) in &self.ends {
                let is_there = |next| kept.get(part).is_some_and(|end| next <= *end);
                self.demand(end.next_offset.is_none_or(is_there), *part)?;
            }
        }
        self.looked_at = now;
        Ok(())
    }

    /// What is known of the topic.
    fn known(&self) -> Since {
        let log_id = self.ends.values().next().map(|end| end.log_id.clone()).unwrap_or_default();
        let written = self.ends.iter().map(|(part, end)| (*part, end.position)).collect();
        Since { log_id, pruned: self.pruned, written }
    }

    fn demand(&self, is_there: bool, part: i64) -> Result<(), String> {
        if is_there {
            return Ok(());
        }
        tell_of_loss(self.source, part);
        Err(format!("partition {part} of topic {} has lost what it had acknowledged", self.source))
    }
}

fn tell_of_loss(source: Source, part: i64) {
    metrics::counter!("cafe_topic_losses_total").increment(1);
    tracing::error!(topic = %source, part, "Kafka has lost what it had acknowledged; announcing it again");
}
