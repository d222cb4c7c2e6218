//! Writes a service's outbox to its topic: one more listener of its own outbox.
//!
//! The topic tells up to where it was written (`tails.rs`), so nothing is written twice and nothing is left out, whoever died
//! when. What brokers have acknowledged and lost again is noticed by the same look, and written again.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use cafe_events::{Record, Source, partition_of};
use cafe_store::{Connection, Database};
use rdkafka::consumer::BaseConsumer;
use rdkafka::error::KafkaError;
use tokio_util::sync::CancellationToken;

use super::chain::Standing;
use super::client::{self, Watch};
use super::ends::{self, Distrusted, Ends};
use super::sender::{Seen, Sender};
use super::{sender, tails, topic};
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
    sender: Sender,
    partitions: i64,
    ends: Ends,
    /// The last record of the outbox that was looked at; all before it are in the topic.
    position: i64,
    distrusted: &'a mut Distrusted,
    looked_at: Instant,
}

impl Relay {
    /// Relays until stopped. `note` is told what is acknowledged, now and then.
    pub(crate) fn run(mut self, note: impl Fn(Vec<Position>)) {
        let mut said = None;
        let mut distrusted = BTreeMap::new();
        while !self.stop.is_cancelled() {
            self.board.change(|status| {
                status.relay.get_or_insert_with(RelayStatus::default);
            });
            let outcome = self.session(&mut distrusted, &note);
            let Err(reason) = outcome else { continue };
            // Once per trouble: what was relayed in between has ended the one before.
            if said.as_ref() != Some(&self.relayed) {
                tracing::warn!(topic = %self.source, reason, "what is announced waits in the outbox");
            }
            said = Some(self.relayed.clone());
            match Connection::open_peer(&self.database) {
                Ok(mut db) => self.tell_of_silence(&mut db, &reason),
                Err(_) => self.board.change(|status| status.relay_says(None, Some(reason))),
            }
            self.signal.wait(PAUSE);
        }
    }

    /// Until stopped, or until something is not as it should be.
    fn session(&mut self, distrusted: &mut Distrusted, note: &impl Fn(Vec<Position>)) -> Result<(), String> {
        let mut db = Connection::open_peer(&self.database).map_err(|error| error.to_string())?;
        let (relayed, outcome) = {
            let mut session = Session::open(self, &mut db, distrusted)?;
            let outcome = session.work(&mut db, note);
            (ends::certain(&session.ends, session.position), outcome)
        };
        note(relayed.clone());
        self.relayed = relayed;
        outcome
    }
}

impl Relay {
    /// Partitions that end before what was noted of them.
    fn lost_since_noted<'a>(&'a self, head: &'a Head, ends: &'a Ends) -> impl Iterator<Item = i64> + 'a {
        let is_of_this_log = |noted: &&Position| *noted.log_id == *head.log_id;
        let noted = self.relayed.iter().filter(is_of_this_log);
        let is_lost =
            |noted: &&Position| ends.get(&noted.part).is_some_and(|end| end.position < noted.position);
        noted.filter(is_lost).map(|noted| noted.part)
    }

    /// How much waits meanwhile, and why.
    fn tell_of_silence(&self, db: &mut Connection, reason: &str) {
        let last = tables::head(db).ok().map(|head| head.last);
        self.board.change(|status| status.relay_says(last, Some(reason.to_owned())));
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
        let (ends, position) = ends::begin(&head, &tails, &relay.relayed, distrusted);
        relay.lost_since_noted(&head, &ends).for_each(|part| relay.tell_of_loss(part));
        let sender = Sender::open(&relay.kafka, relay.source).map_err(told)?;
        let looked_at = Instant::now();
        Ok(Self { relay, scout, sender, partitions, ends, position, distrusted, looked_at })
    }

    fn work(&mut self, db: &mut Connection, note: &impl Fn(Vec<Position>)) -> Result<(), String> {
        let mut unnoted = None;
        while !self.relay.stop.is_cancelled() {
            if unnoted.is_some_and(|since: Instant| since.elapsed() >= NOTE_EVERY) {
                note(ends::certain(&self.ends, self.position));
                unnoted = None;
            }
            self.look()?;
            let (head, records) = self.read(db)?;
            self.own_up(&head);
            self.report(&head);
            if records.is_empty() {
                self.relay.signal.wait(POLL);
                self.sender.listen();
                continue;
            }
            self.send(db, &head, &records)?;
            if (GATHER_FROM..BATCH as usize).contains(&records.len()) {
                std::thread::sleep(GATHER);
            }
            unnoted.get_or_insert_with(Instant::now);
        }
        Ok(())
    }

    /// What was pruned before it was relayed is gone for whoever has not heard it.
    fn own_up(&mut self, head: &Head) {
        let pruned = head.oldest - 1;
        if self.position < pruned {
            tracing::error!(topic = %self.relay.source, from = self.position + 1, through = pruned, "no longer kept, and never announced");
            ends::own_up(&mut self.ends, pruned);
            self.position = pruned;
        }
    }

    fn read(&self, db: &mut Connection) -> Result<(Head, Vec<Record>), String> {
        tables::head_and_after(db, self.position, BATCH).map_err(|error| error.to_string())
    }

    /// Sends what each partition does not have yet, and waits until all of it is acknowledged.
    fn send(&mut self, db: &mut Connection, head: &Head, records: &[Record]) -> Result<(), String> {
        self.sender.begin();
        let mut ends = self.ends.clone();
        for record in records {
            let part = partition_of(&record.order_id, self.partitions);
            let end = ends.entry(part).or_insert_with(|| ends::nothing_yet(part, head));
            if record.position <= end.position {
                continue;
            }
            let standing =
                Standing { log_id: end.log_id.clone(), position: record.position, previous: end.position };
            self.sender.send(part, record, &standing)?;
            end.position = record.position;
        }
        let acknowledged = self.sender.wait(|| self.relay.tell_of_silence(db, sender::SILENT));
        let offsets = self.sender.offsets();
        self.demand_growth(&offsets, head)?;
        metrics::counter!("cafe_relayed_total").increment(acknowledged?);
        for (part, seen) in offsets {
            if let Some(end) = ends.get_mut(&part) {
                end.next_offset = Some(seen.last + 1);
            }
        }
        self.ends = ends;
        self.position = records.last().map_or(self.position, |record| record.position);
        let position = self.position;
        self.distrusted.retain(|_, through| *through > position);
        Ok(())
    }

    /// Offsets only grow, unless a topic was made anew or has lost its end.
    fn demand_growth(&mut self, offsets: &BTreeMap<i64, Seen>, head: &Head) -> Result<(), String> {
        let is_another = |(part, seen): (&i64, &Seen)| {
            let before = self.ends.get(part).and_then(|end| end.next_offset);
            (seen.fell || before.is_some_and(|next| seen.first < next)).then_some(*part)
        };
        let others: Vec<i64> = offsets.iter().filter_map(is_another).collect();
        for part in &others {
            self.relay.tell_of_loss(*part);
            self.ends.insert(*part, ends::nothing_yet(*part, head));
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
                let is_there = tails.get(part).is_some_and(|tail| ends::holds(tail, end));
                self.demand(is_there, *part)?;
            }
        } else {
            let kept = tails::ends(&self.scout, relay.source, self.partitions)?;
            for (part, end) in &self.ends {
                let is_there = |next| kept.get(part).is_some_and(|end| next <= *end);
                self.demand(end.next_offset.is_none_or(is_there), *part)?;
            }
        }
        self.looked_at = Instant::now();
        Ok(())
    }

    fn scout_lost(&self) -> bool {
        use rdkafka::consumer::Consumer;
        // Both are asked: each question forgets.
        let scout = self.scout.context().was_lost();
        self.sender.was_lost() || scout
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
