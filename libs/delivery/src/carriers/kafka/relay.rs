//! Writes a service's outbox to its topic: one more listener of its own outbox.
//!
//! The topic tells up to where it was written (`tails.rs`), so nothing is written twice and nothing is left out, whoever died
//! when. What brokers have acknowledged and lost again is noticed by the same look, and written again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use cafe_events::{Record, Source, partition_of};
use cafe_store::{Connection, Database};
use rdkafka::ClientContext;
use rdkafka::Message;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::BaseConsumer;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext, PurgeConfig};
use tokio_util::sync::CancellationToken;

use super::chain::Standing;
use super::client::{self, Watch};
use super::tails::Tail;
use super::{message, tails, topic};
use crate::place::KafkaSettings;
use crate::status::{Board, RelayStatus};
use crate::tables::{self, Head, Position};
use crate::wake::Signal;

/// Records that are under way at a time.
const BATCH: i64 = 1_000;
/// More than so many at once come in quick succession: those that follow are waited for, for so long. What a request costs
/// brokers and listeners depends little on how much is in it.
const GATHER_FROM: usize = 5;
const GATHER: Duration = Duration::from_millis(10);
/// Without a nudge the outbox is looked at this often.
const POLL: Duration = Duration::from_millis(500);
/// How long an acknowledgement is waited for; librdkafka gives up before.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two looks for acknowledgements.
const LOOK_FOR_ACKS: Duration = Duration::from_micros(300);
/// How often it is looked whether the topic still ends where it was acknowledged to.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How often what is acknowledged is noted: what is not is found out from the topic.
const NOTE_EVERY: Duration = Duration::from_secs(1);
/// Before a Kafka that could not be used is tried again.
const PAUSE: Duration = Duration::from_millis(500);

pub(crate) struct Relay {
    pub(crate) kafka: KafkaSettings,
    pub(crate) source: Source,
    pub(crate) database: Database,
    /// Up to where the topic was written, by this database. Where the topic says otherwise, it is right.
    pub(crate) relayed: Vec<Position>,
    /// Rung after each commit.
    pub(crate) signal: Signal,
    pub(crate) board: Board,
    pub(crate) stop: CancellationToken,
}

/// A connection to Kafka while it lasts.
struct Session<'a> {
    relay: &'a Relay,
    scout: BaseConsumer<Watch>,
    producer: BaseProducer<Acknowledged>,
    partitions: i64,
    /// The last record that was acknowledged in each partition.
    ends: BTreeMap<i64, Position>,
    /// The last record of the outbox that was looked at; all before it are in the topic.
    position: i64,
    distrusted: &'a mut Distrusted,
    looked_at: Instant,
}

/// Partitions that were found to be others than before while they were written: something may be missing before what they end
/// with. What was noted of them is right, and not their end, until all up to this position is written again.
type Distrusted = BTreeMap<i64, i64>;

impl Relay {
    /// Relays until stopped. `note` is told what is acknowledged, now and then.
    pub(crate) fn run(mut self, note: impl Fn(Vec<Position>)) {
        let mut said = false;
        let mut distrusted = BTreeMap::new();
        while !self.stop.is_cancelled() {
            self.board.change(|status| {
                status.relay.get_or_insert_with(RelayStatus::default);
            });
            let outcome = self.session(&mut distrusted, &note);
            let Err(reason) = outcome else { continue };
            if !said {
                tracing::warn!(topic = %self.source, reason, "what is announced waits in the outbox");
            }
            said = true;
            let last = Connection::open_peer(&self.database).and_then(|mut db| tables::head(&mut db));
            self.board.change(|status| status.relay_says(last.ok().map(|head| head.last), Some(reason)));
            self.signal.wait(PAUSE);
        }
    }

    /// Until stopped, or until something is not as it should be.
    fn session(&mut self, distrusted: &mut Distrusted, note: &impl Fn(Vec<Position>)) -> Result<(), String> {
        let mut db = Connection::open_peer(&self.database).map_err(|error| error.to_string())?;
        let (relayed, outcome) = {
            let mut session = Session::open(self, &mut db, distrusted)?;
            let outcome = session.work(&mut db, note);
            (certain(&session.ends, session.position), outcome)
        };
        note(relayed.clone());
        self.relayed = relayed;
        outcome
    }
}

impl Relay {
    /// Partitions that end before what was noted of them.
    fn lost_since_noted<'a>(
        &'a self,
        head: &'a Head,
        ends: &'a BTreeMap<i64, Position>,
    ) -> impl Iterator<Item = i64> + 'a {
        let is_of_this_log = |noted: &&Position| *noted.log_id == *head.log_id;
        let noted = self.relayed.iter().filter(is_of_this_log);
        let is_lost =
            |noted: &&Position| ends.get(&noted.part).is_some_and(|end| end.position < noted.position);
        noted.filter(is_lost).map(|noted| noted.part)
    }

    fn tell_of_loss(&self, part: i64) {
        metrics::counter!("cafe_topic_losses_total").increment(1);
        tracing::error!(topic = %self.source, part, "Kafka has lost what it had acknowledged; announcing it again");
    }
}

impl<'a> Session<'a> {
    fn open(relay: &'a Relay, db: &mut Connection, distrusted: &'a mut Distrusted) -> Result<Self, String> {
        let told = |error: KafkaError| format!("Kafka cannot be used as it is set: {error}");
        let scout: BaseConsumer<Watch> =
            client::scout(&relay.kafka, relay.source).create_with_context(Watch::default()).map_err(told)?;
        let partitions = topic::ensure(&relay.kafka, &scout, relay.source)?;
        let head = tables::head(db).map_err(|error| error.to_string())?;
        let tails = tails::read(&scout, relay.source, partitions)?;
        let (ends, position) = begin(&head, &tails, &relay.relayed, distrusted);
        relay.lost_since_noted(&head, &ends).for_each(|part| relay.tell_of_loss(part));
        let producer =
            client::producer(&relay.kafka).create_with_context(Acknowledged::default()).map_err(told)?;
        let looked_at = Instant::now();
        Ok(Self { relay, scout, producer, partitions, ends, position, distrusted, looked_at })
    }

    fn work(&mut self, db: &mut Connection, note: &impl Fn(Vec<Position>)) -> Result<(), String> {
        let mut unnoted = None;
        while !self.relay.stop.is_cancelled() {
            if unnoted.is_some_and(|since: Instant| since.elapsed() >= NOTE_EVERY) {
                note(certain(&self.ends, self.position));
                unnoted = None;
            }
            self.look()?;
            let (head, records) = self.read(db)?;
            self.own_up(&head);
            self.report(&head);
            if records.is_empty() {
                self.relay.signal.wait(POLL);
                // What the producer has to tell of brokers.
                self.producer.poll(Duration::ZERO);
                continue;
            }
            self.send(&head, &records)?;
            if (GATHER_FROM..BATCH as usize).contains(&records.len()) {
                std::thread::sleep(GATHER);
            }
            unnoted.get_or_insert_with(Instant::now);
        }
        Ok(())
    }

    /// What was pruned before it was relayed is gone for whoever has not heard it: what comes next must not follow on what the
    /// topic ends with.
    fn own_up(&mut self, head: &Head) {
        let pruned = head.oldest - 1;
        if self.position < pruned {
            tracing::error!(topic = %self.relay.source, from = self.position + 1, through = pruned, "no longer kept, and never announced");
            own_up(&mut self.ends, pruned);
            self.position = pruned;
        }
    }

    fn read(&self, db: &mut Connection) -> Result<(Head, Vec<Record>), String> {
        tables::head_and_after(db, self.position, BATCH).map_err(|error| error.to_string())
    }

    /// Sends what each partition does not have yet, and waits until all of it is acknowledged.
    fn send(&mut self, head: &Head, records: &[Record]) -> Result<(), String> {
        self.producer.context().begin();
        let mut ends = self.ends.clone();
        let mut sent = 0;
        for record in records {
            let part = partition_of(&record.order_id, self.partitions);
            let end = ends.entry(part).or_insert_with(|| nothing_yet(part, head));
            if record.position <= end.position {
                continue;
            }
            let standing =
                Standing { log_id: end.log_id.clone(), position: record.position, previous: end.position };
            self.produce(part, record, &standing)?;
            end.position = record.position;
            sent += 1;
        }
        let acknowledged = self.acknowledged(sent);
        self.demand_growth(head)?;
        for (part, offset) in acknowledged? {
            if let Some(end) = ends.get_mut(&i64::from(part)) {
                end.next_offset = Some(offset + 1);
            }
        }
        self.ends = ends;
        self.position = records.last().map_or(self.position, |record| record.position);
        let position = self.position;
        self.distrusted.retain(|_, through| *through > position);
        metrics::counter!("cafe_relayed_total").increment(sent);
        Ok(())
    }

    fn produce(&self, part: i64, record: &Record, standing: &Standing) -> Result<(), String> {
        let mut message = BaseRecord::to(self.relay.source.name())
            .partition(part as i32)
            .key(record.order_id.as_str())
            .payload(record.body.as_str())
            .timestamp(record.at_ms)
            .headers(message::headers(self.relay.source, record, standing));
        loop {
            match self.producer.send(message) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), again)) => {
                    message = again;
                    self.producer.poll(Duration::from_millis(10));
                }
                Err((error, _)) => return Err(format!("Kafka does not take a message: {error}")),
            }
        }
    }

    /// Waits for so many acknowledgements; answers the last offset of each partition among them.
    fn acknowledged(&self, sent: u64) -> Result<BTreeMap<i32, i64>, String> {
        let (started, mut seen) = (Instant::now(), 0);
        loop {
            // Not with a patience: this poll uses all of it up, whatever comes, and the last of it without sleeping.
            self.producer.poll(Duration::ZERO);
            let acks = self.producer.context().acks();
            if let Some(error) = &acks.failed {
                return Err(format!("Kafka has not taken a message: {error}"));
            }
            if acks.count >= sent {
                return Ok(acks.offsets.iter().map(|(part, seen)| (*part, seen.last)).collect());
            }
            let has_more = acks.count > seen;
            seen = acks.count;
            drop(acks);
            if started.elapsed() > PATIENCE {
                return Err("Kafka does not acknowledge".to_owned());
            }
            if !has_more {
                std::thread::sleep(LOOK_FOR_ACKS);
            }
        }
    }

    /// Offsets only grow, unless a topic was made anew or has lost its end.
    fn demand_growth(&mut self, head: &Head) -> Result<(), String> {
        let is_another = |(part, seen): (&i32, &Seen)| {
            let before = self.ends.get(&i64::from(*part)).and_then(|end| end.next_offset);
            (seen.fell || before.is_some_and(|next| seen.first < next)).then_some(i64::from(*part))
        };
        let others: Vec<i64> = self.producer.context().acks().offsets.iter().filter_map(is_another).collect();
        for part in &others {
            self.relay.tell_of_loss(*part);
            self.ends.insert(*part, nothing_yet(*part, head));
            self.distrusted.insert(*part, head.last);
        }
        match others.first() {
            None => Ok(()),
            Some(part) => Err(format!("partition {part} of topic {} is not what it was", self.relay.source)),
        }
    }

    /// Whether the topic still ends where it was acknowledged to. After a connection was lost its last messages are looked at,
    /// because a topic that lost some and was given others is as long as before.
    fn look(&mut self) -> Result<(), String> {
        let lost = self.scout_lost();
        if !lost && self.looked_at.elapsed() < LOOK_EVERY {
            return Ok(());
        }
        let relay = self.relay;
        if topic::partitions(&self.scout, relay.source)? != self.partitions {
            return Err(format!("topic {} has other partitions than before", relay.source));
        }
        if lost {
            let tails = tails::read(&self.scout, relay.source, self.partitions)?;
            for (part, end) in &self.ends {
                let is_there = tails.get(part).is_some_and(|tail| holds(tail, end));
                self.demand(is_there, *part)?;
            }
        } else {
            for (part, end) in &self.ends {
                let (_, last) = tails::ends(&self.scout, relay.source, *part)?;
                self.demand(end.next_offset.is_none_or(|next| next <= last), *part)?;
            }
        }
        self.looked_at = Instant::now();
        Ok(())
    }

    fn scout_lost(&self) -> bool {
        use rdkafka::consumer::Consumer;
        // Both are asked: each question forgets.
        let scout = self.scout.context().was_lost();
        self.producer.context().watch.was_lost() || scout
    }

    fn demand(&self, is_there: bool, part: i64) -> Result<(), String> {
        if is_there {
            return Ok(());
        }
        self.relay.tell_of_loss(part);
        Err(format!("partition {part} of topic {} has lost what it had acknowledged", self.relay.source))
    }

    fn report(&self, head: &Head) {
        let (position, last) = (self.position, head.last);
        self.relay.board.change(|status| {
            status.relay = Some(RelayStatus { position, last, silent: None });
        });
    }
}

impl Drop for Session<'_> {
    /// What is still under way is found out from the topic.
    fn drop(&mut self) {
        self.producer.purge(PurgeConfig::default().queue().inflight());
    }
}

/// Where each partition ends, and after which position of the outbox is to be sent: what a partition has lost is sent again.
pub(super) fn begin(
    head: &Head,
    tails: &BTreeMap<i64, Tail>,
    relayed: &[Position],
    distrusted: &Distrusted,
) -> (BTreeMap<i64, Position>, i64) {
    let relayed: BTreeMap<i64, &Position> = relayed
        .iter()
        .filter(|position| *position.log_id == *head.log_id)
        .map(|position| (position.part, position))
        .collect();
    let mut position = relayed.values().map(|end| end.position).max().unwrap_or(head.oldest - 1);
    let mut ends = BTreeMap::new();
    for (part, tail) in tails {
        let noted = relayed.get(part);
        let is_distrusted = distrusted.contains_key(part);
        let end = match &tail.last {
            _ if is_distrusted => since_distrusted(tail, noted).unwrap_or_else(|| nothing_yet(*part, head)),
            Some(last) if *last.log_id == *head.log_id => Position {
                part: *part,
                log_id: last.log_id.clone(),
                position: last.position,
                next_offset: Some(tail.next_offset),
            },
            // Everything of ours is older than what the topic keeps.
            None if noted.is_some_and(|noted| is_aged_out(tail, noted)) => {
                (*noted.unwrap_or(&&Position::default())).clone()
            }
            _ => nothing_yet(*part, head),
        };
        if is_distrusted || noted.is_some_and(|noted| end.position < noted.position) {
            position = position.min(end.position);
        }
        ends.insert(*part, end);
    }
    (ends, position)
}

/// What may be noted when all up to `position` are in the topic. A partition may have come further than others, of which some
/// records were not taken: were that noted, they would be left out.
pub(super) fn certain(ends: &BTreeMap<i64, Position>, position: i64) -> Vec<Position> {
    ends.values().map(|end| Position { position: end.position.min(position), ..end.clone() }).collect()
}

pub(super) fn own_up(ends: &mut BTreeMap<i64, Position>, pruned: i64) {
    for end in ends.values_mut() {
        end.position = end.position.max(pruned);
    }
}

/// What was noted of a distrusted partition, unless that was lost as well.
fn since_distrusted(tail: &Tail, noted: Option<&&Position>) -> Option<Position> {
    let noted = *noted?;
    noted.next_offset.is_none_or(|next| next <= tail.next_offset).then(|| noted.clone())
}

fn is_aged_out(tail: &Tail, noted: &Position) -> bool {
    tail.first_offset == tail.next_offset && noted.next_offset.is_some_and(|next| next <= tail.next_offset)
}

fn holds(tail: &Tail, end: &Position) -> bool {
    match &tail.last {
        Some(last) => last.log_id == end.log_id && last.position >= end.position,
        None => end.next_offset.is_none() || is_aged_out(tail, end),
    }
}

/// The first record that is sent to a partition has nothing before it but what is no longer kept.
pub(super) fn nothing_yet(part: i64, head: &Head) -> Position {
    Position { part, log_id: head.log_id.as_str().into(), position: head.oldest - 1, next_offset: None }
}

/// Counts acknowledgements.
#[derive(Default)]
struct Acknowledged {
    watch: Watch,
    acks: Arc<Mutex<Acks>>,
}

#[derive(Default)]
struct Acks {
    count: u64,
    failed: Option<String>,
    offsets: BTreeMap<i32, Seen>,
}

/// The offsets of a partition that were acknowledged.
struct Seen {
    first: i64,
    last: i64,
    /// One was below the one before it.
    fell: bool,
}

impl Acknowledged {
    fn begin(&self) {
        *self.acks() = Acks::default();
    }

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
                    let seen = acks.offsets.entry(message.partition());
                    let seen = seen.or_insert(Seen { first: offset, last: offset, fell: false });
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

#[cfg(test)]
mod tests {
    use super::*;

    fn head(oldest: i64, last: i64) -> Head {
        Head { log_id: "log".to_owned(), oldest, last, restored_at_ms: None }
    }

    fn tail(last: Option<(&str, i64)>, first_offset: i64, next_offset: i64) -> Tail {
        let last = last.map(|(log_id, position)| Standing { log_id: log_id.into(), position, previous: 0 });
        Tail { last, next_offset, first_offset }
    }

    fn noted(part: i64, position: i64, next_offset: i64) -> Position {
        Position { part, log_id: "log".into(), position, next_offset: Some(next_offset) }
    }

    fn begun(head: &Head, tails: [Tail; 2], relayed: &[Position]) -> (Vec<i64>, i64) {
        let tails = (0..).zip(tails).collect();
        let (ends, position) = begin(head, &tails, relayed, &BTreeMap::new());
        (ends.values().map(|end| end.position).collect(), position)
    }

    #[test]
    fn an_empty_topic_is_written_from_the_oldest_record_on() {
        assert_eq!(begun(&head(1, 9), [tail(None, 0, 0), tail(None, 0, 0)], &[]), (vec![0, 0], 0));
        assert_eq!(begun(&head(5, 9), [tail(None, 0, 0), tail(None, 0, 0)], &[]), (vec![4, 4], 4));
    }

    #[test]
    fn what_was_sent_and_not_noted_is_not_sent_again() {
        let tails = [tail(Some(("log", 7)), 0, 3), tail(Some(("log", 8)), 0, 3)];
        assert_eq!(begun(&head(1, 9), tails, &[noted(0, 5, 2), noted(1, 6, 2)]), (vec![7, 8], 6));
    }

    #[test]
    fn what_a_partition_has_lost_is_sent_again() {
        let tails = [tail(Some(("log", 3)), 0, 2), tail(Some(("log", 8)), 0, 3)];
        assert_eq!(begun(&head(1, 9), tails, &[noted(0, 7, 4), noted(1, 8, 3)]), (vec![3, 8], 3));
        let recreated = [tail(None, 0, 0), tail(None, 0, 0)];
        assert_eq!(begun(&head(1, 9), recreated, &[noted(0, 7, 4), noted(1, 8, 3)]), (vec![0, 0], 0));
    }

    #[test]
    fn a_partition_that_is_further_than_the_others_hides_nothing_of_theirs() {
        // Of a batch 1 to 5 only what is in partition 1 was taken, and a relay came up to 1 since.
        let (ends, position) = begin(
            &head(1, 9),
            &(0..).zip([tail(None, 0, 0), tail(Some(("log", 5)), 0, 2)]).collect(),
            &[],
            &BTreeMap::new(),
        );
        let relayed = certain(&ends, position + 1);
        let tails = [tail(None, 0, 0), tail(Some(("log", 5)), 0, 2)];
        assert_eq!(begun(&head(1, 9), tails, &relayed), (vec![0, 5], 1));
    }

    #[test]
    fn the_end_of_a_distrusted_partition_tells_nothing() {
        let tails = (0..).zip([tail(Some(("log", 9)), 0, 1), tail(Some(("log", 8)), 0, 3)]).collect();
        let relayed = [noted(0, 2, 1), noted(1, 8, 3)];
        let (ends, position) = begin(&head(1, 9), &tails, &relayed, &BTreeMap::from([(0, 9)]));
        assert_eq!((ends[&0].position, ends[&1].position, position), (2, 8, 2));
    }

    #[test]
    fn what_was_pruned_before_it_was_relayed_is_owned_up_to() {
        let tails = [tail(Some(("log", 3)), 0, 2), tail(Some(("log", 8)), 0, 3)];
        let (head, relayed) = (head(7, 9), [noted(0, 3, 2), noted(1, 8, 3)]);
        assert_eq!(begun(&head, tails.clone(), &relayed).1, 8, "all up to 8 is in the topic");
        let (mut ends, position) =
            begin(&head, &(0..).zip(tails).collect(), &[noted(0, 3, 2), noted(1, 4, 2)], &BTreeMap::new());
        assert!(position < head.oldest - 1, "5 and 6 may be missing");
        own_up(&mut ends, head.oldest - 1);
        assert_eq!(ends.values().map(|end| end.position).collect::<Vec<_>>(), [6, 8]);
    }

    #[test]
    fn a_partition_whose_messages_have_aged_out_has_lost_nothing() {
        let tails = [tail(None, 4, 4), tail(Some(("log", 8)), 0, 3)];
        assert_eq!(begun(&head(1, 9), tails, &[noted(0, 7, 4), noted(1, 8, 3)]), (vec![7, 8], 8));
    }

    #[test]
    fn a_restored_log_is_announced_anew() {
        let tails = [tail(Some(("before", 7)), 0, 4), tail(Some(("before", 8)), 0, 4)];
        let relayed = Position { log_id: "before".into(), ..noted(0, 7, 4) };
        assert_eq!(begun(&head(1, 5), tails, &[relayed]), (vec![0, 0], 0));
    }
}
