//! A process of a service: its writer, its listeners and its lease, each going one step when the world says so.

use std::collections::VecDeque;
use std::time::Instant;

use cafe_clock::Clock;
use cafe_delivery::parts::{
    Board, Candidate, Carrier, Handed, Leading, Listener, Parts, Relaying, Storage, Work, Writer, take,
};
use cafe_delivery::{ParkedOutcome, Position, TurnError};
use cafe_events::Source;
use tokio::sync::mpsc::error::{TryRecvError, TrySendError};
use tokio::sync::{mpsc, oneshot};

use crate::broker::{self, Brokers, OnDisk};
use crate::bugs::Bug;
use crate::disk::Disk;
use crate::memory::{Fate, Memory};
use crate::shelf::Shelved;
use crate::twin::Twin;
use crate::twin::rows::Twinned;

/// Work that may wait for a writer here; past it the answer is an early "busy".
const INBOX_LIMIT: usize = 64;

/// What a request's sender waits for.
pub type Answer<D> = oneshot::Receiver<Result<<D as cafe_delivery::Domain>::Answer, TurnError>>;

/// A way to make carriers: whoever begins to lead begins to listen.
pub type Ears<'a> = &'a dyn Fn(Source) -> Box<dyn Carrier>;

/// A process of a service.
pub struct Process<D: Twinned> {
    /// New with each process.
    pub name: String,
    /// What befalls it.
    pub fate: Fate,
    /// It does nothing until it is woken.
    pub is_frozen: bool,
    writer: Writer<D, Twin<D>>,
    work: mpsc::Sender<Work<D>>,
    inbox: mpsc::Receiver<Work<D>>,
    /// What waits for room in the inbox, as the lease's thread does.
    waiting: VecDeque<Work<D>>,
    board: Board,
    clock: Clock,
    listeners: Vec<Hearing>,
    disk: Disk<D>,
    /// Where events go by brokers.
    brokers: Option<Brokers>,
    relay: Option<Relay>,
    keeper: Twin<D>,
    candidate: Candidate,
    leading: Leading,
    epoch: Option<i64>,
    bug: Option<Bug>,
}

struct Hearing {
    source: Source,
    listener: Listener,
    handed: Option<Handed>,
    /// There was nothing to hear when the topic had changed so often.
    is_quiet_at: Option<u64>,
}

struct Relay {
    relaying: Relaying<broker::Writer>,
    noted: Vec<Position>,
    /// There was nothing to write when the outbox ended there, and the topic had changed so often.
    is_quiet_at: Option<(i64, u64)>,
}

/// How a process begins.
pub struct Opening<'a, D: Shelved> {
    /// Its decisions.
    pub domain: D,
    /// New with each process.
    pub name: String,
    /// The service's disk.
    pub disk: &'a Disk<D>,
    /// Whether others may use it too.
    pub is_shared: bool,
    /// Its machine's clock.
    pub clock: &'a Clock,
    /// Where events go by brokers.
    pub brokers: Option<&'a Brokers>,
    /// What takes the effects of its turns.
    pub on_commit: Box<dyn Fn(D::Effect) + Send>,
    /// A planted bug.
    pub bug: Option<Bug>,
}

/// What a turn came to.
pub enum Turned {
    /// Nothing waited.
    Idle,
    /// So many inputs were decided, or turned away.
    Done(usize),
    /// The process has ended, for this reason.
    Ended(String),
}

impl<D: Twinned> Process<D> {
    /// Opens the service's disk. Where nobody else may use it, the process leads at once.
    ///
    /// # Errors
    /// It ended while it was starting.
    pub fn start(opening: Opening<'_, D>, ears: Ears<'_>) -> Result<Self, String> {
        let Opening { domain, name, disk, is_shared, clock, brokers, on_commit, bug } = opening;
        let fate = Fate::default();
        let open = || Twin::open(Memory::open(disk, &fate, is_shared, bug));
        let board = Board::default();
        let mut storage = open();
        let parked = storage.count_parked().map_err(|error| error.to_string())?;
        let keeper = open();
        let writer =
            Writer::new(domain, storage, clock.clone(), board.clone(), name.clone(), parked, on_commit);
        let (work, inbox) = mpsc::channel(INBOX_LIMIT);
        let leading = if is_shared { Leading::among_others() } else { Leading::alone() };
        let mut process = Self {
            name,
            fate,
            is_frozen: false,
            writer,
            work,
            inbox,
            waiting: VecDeque::new(),
            board,
            clock: clock.clone(),
            listeners: Vec::new(),
            disk: disk.clone(),
            brokers: brokers.cloned(),
            relay: None,
            keeper,
            candidate: Candidate::default(),
            leading,
            epoch: None,
            bug,
        };
        if !is_shared {
            let taken =
                take::<D>(&mut process.keeper, &process.name, None).map_err(|error| error.to_string())?;
            process.lead(taken, ears)?;
        }
        Ok(process)
    }

    fn lead(&mut self, epoch: Option<i64>, ears: Ears<'_>) -> Result<(), String> {
        let Some(epoch) = epoch else { return Ok(()) };
        self.epoch = Some(epoch);
        self.waiting.push_back(Work::Lead(epoch));
        for source in D::SOURCE.hears() {
            let positions = self.keeper.positions(*source).map_err(|error| error.to_string())?;
            let heard: Parts = positions.into_iter().map(|position| (position.part, position)).collect();
            let (board, clock) = (self.board.clone(), self.clock.clone());
            let listener = Listener::new(D::SOURCE, *source, ears(*source), heard, board, clock);
            self.listeners.push(Hearing { source: *source, listener, handed: None, is_quiet_at: None });
        }
        if self.brokers.is_some() {
            let noted = self.keeper.positions(D::SOURCE).map_err(|error| error.to_string())?;
            let relaying = Relaying::new(D::SOURCE, noted.clone());
            self.relay = Some(Relay { relaying, noted, is_quiet_at: None });
        }
        Ok(())
    }

    /// Whether nobody else can lead at `now`.
    pub fn is_leading(&self, now: Instant) -> bool {
        self.epoch.is_some() && (self.leading.is_fresh(now) || self.bug == Some(Bug::SleeperAsks))
    }

    /// Whether it listens and works.
    pub fn leads(&self) -> bool {
        self.epoch.is_some()
    }

    /// A sign of life of whoever leads, or a look whether somebody still does.
    ///
    /// # Errors
    /// Why the process ends.
    pub fn beat(&mut self, now: Instant, ears: Ears<'_>) -> Result<bool, String> {
        let took = match self.epoch {
            Some(epoch) => {
                self.keep(epoch, now);
                false
            }
            None => self.try_for(now, ears),
        };
        if self.fate.is_dead() { Err("the process died".to_owned()) } else { Ok(took) }
    }

    fn keep(&mut self, epoch: i64, now: Instant) {
        match self.keeper.beat(epoch) {
            Ok(true) => self.leading.note(now),
            Ok(false) => self.waiting.push_back(Work::GiveUp("another process has taken over".to_owned())),
            Err(_) => {}
        }
    }

    fn try_for(&mut self, now: Instant, ears: Ears<'_>) -> bool {
        let taken = self.candidate.look::<D>(&mut self.keeper, &self.name, now).unwrap_or(None);
        if taken.is_none() {
            return false;
        }
        self.leading.note(now);
        if let Err(reason) = self.lead(taken, ears) {
            self.waiting.push_back(Work::GiveUp(reason));
        }
        true
    }

    /// Has a request decided with the next turn.
    pub fn ask(&self, request: D::Request) -> Result<Answer<D>, TurnError> {
        let (answer, answered) = oneshot::channel();
        self.hand_in(Work::Ask { request, traceparent: None, answer })?;
        Ok(answered)
    }

    /// Has a set-aside event taken in again, or dropped.
    pub fn settle_parked(
        &self,
        id: i64,
        drop: bool,
    ) -> Result<oneshot::Receiver<Result<ParkedOutcome, TurnError>>, TurnError> {
        let (answer, answered) = oneshot::channel();
        self.hand_in(Work::Parked { id, drop, answer })?;
        Ok(answered)
    }

    fn hand_in(&self, work: Work<D>) -> Result<(), TurnError> {
        self.work.try_send(work).map_err(|error| match error {
            TrySendError::Full(_) => TurnError::Busy,
            TrySendError::Closed(_) => TurnError::Stopped,
        })
    }

    /// Has what was said before that time dropped from the outbox.
    pub fn prune(&self, before: jiff::Timestamp) -> bool {
        self.work.try_send(Work::Prune(before)).is_ok()
    }

    /// Whether anything waits for a turn.
    pub fn has_work(&self) -> bool {
        !self.inbox.is_empty() || !self.waiting.is_empty()
    }

    /// The sources that it waits for no turn of, and that may have said more, if their outboxes end at `lasts`.
    pub fn may_hear(&self, lasts: [i64; 3]) -> impl Iterator<Item = Source> + '_ {
        let idle = self.listeners.iter().filter(|hearing| hearing.handed.is_none());
        let has_news = move |hearing: &&Hearing| match &self.brokers {
            None => lasts[hearing.source as usize] != hearing.listener.position(),
            Some(brokers) => hearing.is_quiet_at != Some(brokers.changes(hearing.source)),
        };
        idle.filter(has_news).map(|hearing| hearing.source)
    }

    /// Whether its relay may have something to write, if its outbox ends at `last`.
    pub fn may_relay(&self, last: i64) -> bool {
        match (&self.relay, &self.brokers) {
            (Some(relay), Some(brokers)) => relay.is_quiet_at != Some((last, brokers.changes(D::SOURCE))),
            _ => false,
        }
    }

    /// Whether its relay has written what is not noted.
    pub fn has_relayed_unnoted(&self) -> bool {
        self.relay.as_ref().is_some_and(|relay| relay.relaying.relayed() != relay.noted)
    }

    /// One look of its relay, and one batch; true if anything was written.
    pub fn relay(&mut self) -> bool {
        let (Some(relay), Some(brokers)) = (&mut self.relay, &self.brokers) else { return false };
        let last = self.disk.platters().seen().head().last;
        let connect = || Ok(broker::Writer::open(brokers, D::SOURCE));
        let written = relay.relaying.round(&mut OnDisk(&self.disk), connect);
        if let Ok(1..) = written {
            return true;
        }
        // While there is more to write, what is written is not noted.
        let relayed = relay.relaying.relayed();
        if relayed != relay.noted && self.work.try_send(Work::Relayed(relayed.clone())).is_ok() {
            relay.noted = relayed;
        }
        relay.is_quiet_at = written.is_ok().then(|| (last, brokers.changes(D::SOURCE)));
        if written.is_ok() {
            brokers.is_written(D::SOURCE);
        }
        false
    }

    /// Reads what a source says next, for the next turn; true if there was something.
    pub fn listen(&mut self, source: Source) -> bool {
        let Some(hearing) = self.listeners.iter_mut().find(|hearing| hearing.source == source) else {
            return false;
        };
        if hearing.handed.is_some() {
            return false;
        }
        let Some((batch, handed)) = hearing.listener.read() else {
            let changes = self.brokers.as_ref().map(|brokers| brokers.changes(source));
            hearing.is_quiet_at = changes.filter(|_| silent(&self.board, source).is_none());
            return false;
        };
        if self.work.try_send(Work::Hear(batch)).is_err() {
            return false;
        }
        hearing.handed = Some(handed);
        true
    }

    /// Whether it hears nothing of a source any more, because something was gone before it was heard.
    pub fn misses_what_is_gone(&self, source: Source) -> bool {
        silent(&self.board, source).is_some_and(|reason| reason.contains("no longer kept"))
    }

    /// One turn for everything that waits.
    pub fn turn(&mut self) -> Turned {
        while self.work.capacity() > 0
            && let Some(work) = self.waiting.pop_front()
        {
            drop(self.hand_in(work));
        }
        let first = match self.inbox.try_recv() {
            Ok(first) => first,
            Err(TryRecvError::Empty) => return Turned::Idle,
            Err(TryRecvError::Disconnected) => return Turned::Ended("it was closed".to_owned()),
        };
        match self.writer.round(first, &mut self.inbox) {
            Err(reason) => Turned::Ended(reason),
            Ok(_) if self.fate.is_dead() => Turned::Ended("the process died".to_owned()),
            Ok(inputs) => {
                self.hear_outcomes();
                Turned::Done(inputs)
            }
        }
    }

    fn hear_outcomes(&mut self) {
        for hearing in &mut self.listeners {
            let Some(handed) = hearing.handed.take() else { continue };
            match handed.outcome.try_recv() {
                Ok(Ok(())) => hearing.listener.is_taken_in(handed),
                Ok(Err(_)) if self.bug == Some(Bug::FailedBatchSkipped) => {
                    hearing.listener.is_taken_in(handed);
                }
                Ok(Err(_)) | Err(std::sync::mpsc::TryRecvError::Disconnected) => {}
                Err(std::sync::mpsc::TryRecvError::Empty) => hearing.handed = Some(handed),
            }
        }
    }
}

/// Why nothing is heard of a source, if nothing is.
fn silent(board: &Board, source: Source) -> Option<String> {
    board.read().links.into_iter().find(|link| link.source == source)?.silent
}
