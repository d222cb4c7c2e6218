//! Writes a service's outbox to its topic on Kafka: one more listener of its own outbox.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use cafe_events::{Record, Source};
use cafe_store::{Connection, Database};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use tokio_util::sync::CancellationToken;

use super::chain::Standing;
use super::client::{self, Watch};
use super::ends::{Since, Tail};
use super::sender::{self, Sender};
use super::writing::{BATCH, Offsets, Outbox, Relaying, WriteTopic};
use super::{tails, topic};
use crate::place::KafkaSettings;
use crate::status::{Board, RelayStatus};
use crate::tables::{self, Head, Position};
use crate::wake::Signal;

/// More than so many at once come in quick succession: those that follow are waited for, for so long. What a request costs
/// brokers and listeners depends little on how much is in it.
const GATHER_FROM: usize = 5;
const GATHER: Duration = Duration::from_millis(10);
/// Without a nudge the outbox is looked at this often.
const POLL: Duration = Duration::from_millis(500);
/// How often what is acknowledged is noted: what is not is found out from the topic.
const NOTE_EVERY: Duration = Duration::from_secs(1);
/// Before a Kafka that could not be used is tried again.
const PAUSE: Duration = Duration::from_millis(500);

pub(crate) struct Relay {
    pub(crate) kafka: KafkaSettings,
    pub(crate) source: Source,
    pub(crate) database: Database,
    /// Up to where the topic was written, by this database.
    pub(crate) relayed: Vec<Position>,
    /// Rung after each commit.
    pub(crate) signal: Signal,
    pub(crate) board: Board,
    pub(crate) stop: CancellationToken,
}

/// The outbox in its service's database.
struct InDatabase<'a> {
    db: Connection,
    board: &'a Board,
}

/// A service's topic, as Kafka has it.
struct KafkaTopic {
    source: Source,
    scout: BaseConsumer<Watch>,
    sender: Sender,
}

impl Relay {
    /// Relays until stopped. `note` is told what is acknowledged, now and then.
    pub(crate) fn run(self, note: impl Fn(Vec<Position>)) {
        let mut relaying = Relaying::new(self.source, self.relayed.clone());
        let mut said = None;
        while !self.stop.is_cancelled() {
            self.board.change(|status| {
                status.relay.get_or_insert_with(RelayStatus::default);
            });
            let before = relaying.relayed();
            let outcome = self.session(&mut relaying, &note);
            relaying.end();
            let relayed = relaying.relayed();
            if relayed != before {
                note(relayed.clone());
            }
            let Err(reason) = outcome else { continue };
            // Once per trouble: what was relayed in between has ended the one before.
            if said.as_ref() != Some(&relayed) {
                tracing::warn!(topic = %self.source, reason, "what is announced waits in the outbox");
            }
            said = Some(relayed);
            let last = Connection::open_peer(&self.database).and_then(|mut db| tables::head(&mut db));
            let last = last.ok().map(|head| head.last);
            self.board.change(|status| status.relay_says(last, Some(reason)));
            self.signal.wait(PAUSE);
        }
    }

    /// Until stopped, or until something is not as it should be.
    fn session(
        &self,
        relaying: &mut Relaying<KafkaTopic>,
        note: &impl Fn(Vec<Position>),
    ) -> Result<(), String> {
        let db = Connection::open_peer(&self.database).map_err(|error| error.to_string())?;
        let mut outbox = InDatabase { db, board: &self.board };
        let mut unnoted = None;
        while !self.stop.is_cancelled() {
            if unnoted.is_some_and(|since: Instant| since.elapsed() >= NOTE_EVERY) {
                note(relaying.relayed());
                unnoted = None;
            }
            let sent = relaying.round(&mut outbox, || KafkaTopic::open(&self.kafka, self.source))?;
            if sent == 0 {
                self.signal.wait(POLL);
                continue;
            }
            if (GATHER_FROM..BATCH as usize).contains(&sent) {
                std::thread::sleep(GATHER);
            }
            unnoted.get_or_insert_with(Instant::now);
        }
        Ok(())
    }
}

impl Outbox for InDatabase<'_> {
    fn head(&mut self) -> Result<Head, String> {
        tables::head(&mut self.db).map_err(|error| error.to_string())
    }

    fn head_and_after(&mut self, position: i64, limit: i64) -> Result<(Head, Vec<Record>), String> {
        tables::head_and_after(&mut self.db, position, limit).map_err(|error| error.to_string())
    }

    fn stands(&mut self, position: i64, last: i64) {
        self.board.change(|status| status.relay = Some(RelayStatus { position, last, silent: None }));
    }

    fn waits(&mut self) {
        let last = tables::head(&mut self.db).ok().map(|head| head.last);
        self.board.change(|status| status.relay_says(last, Some(sender::SILENT.to_owned())));
    }
}

impl KafkaTopic {
    /// Connects, and makes the topic if it is missing.
    fn open(kafka: &KafkaSettings, source: Source) -> Result<Self, String> {
        let told = |error: KafkaError| format!("Kafka cannot be used as it is set: {error}");
        let scout: BaseConsumer<Watch> =
            client::scout(kafka, source).create_with_context(Watch::default()).map_err(told)?;
        topic::ensure(kafka, &scout, source)?;
        let sender = Sender::open(kafka, source).map_err(told)?;
        Ok(Self { source, scout, sender })
    }
}

impl WriteTopic for KafkaTopic {
    fn partitions(&mut self) -> Result<i64, String> {
        topic::partitions(&self.scout, self.source)
    }

    fn tails(&mut self, partitions: i64, since: &Since) -> Result<BTreeMap<i64, Tail>, String> {
        tails::read(&self.scout, self.source, partitions, since)
    }

    fn ends(&mut self, partitions: i64) -> Result<BTreeMap<i64, i64>, String> {
        tails::ends(&self.scout, self.source, partitions)
    }

    fn was_lost(&mut self) -> bool {
        self.sender.listen();
        // Both are asked: each question forgets.
        let scout = self.scout.context().was_lost();
        self.sender.was_lost() || scout
    }

    fn begin(&mut self) {
        self.sender.begin();
    }

    fn send(&mut self, part: i64, record: &Record, standing: &Standing) -> Result<(), String> {
        self.sender.send(part, record, standing)
    }

    fn wait(&mut self, say_so: &mut dyn FnMut()) -> Result<u64, String> {
        self.sender.wait(say_so)
    }

    fn offsets(&mut self) -> BTreeMap<i64, Offsets> {
        self.sender.offsets()
    }

    fn now(&self) -> Instant {
        Instant::now()
    }
}
