//! The one thread of a service that writes: it takes all that waits, decides it, commits it together, then answers.

mod item;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use cafe_clock::Clock;
use cafe_events::Source;
use cafe_store::Error;
use tokio::sync::{mpsc, oneshot};

use crate::TurnError;
use crate::domain::Domain;
use crate::hints::Hints;
use crate::ledger::Ledger;
use crate::status::Board;
use crate::storage::Storage;
use crate::tables::{ListsChanged, Position};
use crate::turn::{self, Arrived, Decided, Input, ParkedOutcome};
use item::{Item, drop_answer, fail};

/// Inputs that are committed together at most. Past it a turn would keep its first askers waiting for its last.
const TURN_LIMIT: usize = 1_000;
/// After a turn of at least so many inputs half as many are waited for, this long at most, where a turn takes round trips to a
/// server: whoever was answered asks again, the other half while the server is at work for this one. At 64 connections that takes
/// a tenth more orders than to wait for all of them.
const GATHER_FROM: usize = 8;
const GATHER: Duration = Duration::from_millis(1);
const LOOK: Duration = Duration::from_micros(50);
/// Records that one step of pruning drops at most, so that it does not hold up orders.
const PRUNE_LIMIT: i64 = 1_000;

/// Something for the writer to do.
pub enum Work<D: Domain> {
    /// Decide a request.
    Ask {
        /// What is asked.
        request: D::Request,
        /// Trace context to pass on.
        traceparent: Option<String>,
        /// Whom to tell.
        answer: oneshot::Sender<Result<D::Answer, TurnError>>,
    },
    /// Take in what was heard.
    Hear(Batch),
    /// Retry or drop a set-aside event.
    Parked {
        /// Its number on the list.
        id: i64,
        /// Forget it, rather than take it in again.
        drop: bool,
        /// Whom to tell.
        answer: oneshot::Sender<Result<ParkedOutcome, TurnError>>,
    },
    /// From now on this process listens and works, under the lease of this epoch.
    Lead(i64),
    /// The outbox was written to a topic up to these positions of its parts.
    Relayed(Vec<Position>),
    /// Drop what was said before this time.
    Prune(jiff::Timestamp),
    /// This process must not go on, for this reason.
    GiveUp(String),
    /// Finish what waits, then end.
    Close,
}

/// Records read from one source's log, at least one, each with how far it brings its listener.
pub struct Batch {
    pub(crate) source: Source,
    pub(crate) arrived: Vec<(Arrived, Position)>,
    /// Where parts stand of which nothing was noted yet; noted with the first that arrived.
    pub(crate) unnoted: Vec<Position>,
    pub(crate) done: std::sync::mpsc::SyncSender<Result<(), TurnError>>,
}

/// Which replica of a service this is, where there may be others.
pub(crate) struct Replica {
    /// New with each process.
    pub(crate) name: String,
    /// The last turn that was begun.
    pub(crate) turn: i64,
}

/// Decides and commits what a service takes in.
pub struct Writer<D: Domain, S> {
    pub(crate) domain: D,
    pub(crate) storage: S,
    pub(crate) clock: Clock,
    pub(crate) board: Board,
    pub(crate) hints: Hints,
    pub(crate) replica: Replica,
    /// The epoch of the lease under which this process listens and works, once it does.
    pub(crate) epoch: Option<i64>,
    pub(crate) on_commit: Box<dyn Fn(D::Effect) + Send>,
    pub(crate) any_parked: bool,
    /// It ends once its inbox is empty.
    pub(crate) closing: bool,
    /// Why this process must not go on; said once, and kept until it is heeded.
    pub(crate) given_up: Option<String>,
}

/// Why the writer ends.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// It was closed, and everything is on disk.
    Closed,
    /// It must not go on: the disk cannot be trusted, or another process has taken over.
    Failed(String),
}

impl<D: Domain, S: Storage<D>> Writer<D, S> {
    /// The writer of the process `replica`, which was opened with `parked` events set aside. `on_commit` is called with what is to
    /// be done after each commit.
    pub fn new(
        domain: D,
        storage: S,
        clock: Clock,
        board: Board,
        replica: String,
        parked: i64,
        on_commit: Box<dyn Fn(D::Effect) + Send>,
    ) -> Self {
        Self {
            domain,
            storage,
            clock,
            board,
            hints: Hints::default(),
            replica: Replica { name: replica, turn: 0 },
            epoch: None,
            on_commit,
            any_parked: parked > 0,
            closing: false,
            given_up: None,
        }
    }

    /// Works until closed. Everything asked before `Close` is answered.
    pub(crate) fn run(mut self, mut inbox: mpsc::Receiver<Work<D>>) -> End {
        let mut answered = 0;
        while let Some(first) = inbox.blocking_recv() {
            if answered >= GATHER_FROM && self.storage.is_shared() {
                gather(&inbox, answered / 2);
            }
            match self.round(first, &mut inbox) {
                Ok(inputs) => answered = inputs,
                Err(reason) => return End::Failed(reason),
            }
        }
        if self.closing {
            self.leave();
        }
        End::Closed
    }

    /// One turn for all that waits, of which the first was taken from the inbox already. Answers how many inputs it had.
    ///
    /// # Errors
    /// Why this process must not go on.
    pub fn round(&mut self, first: Work<D>, inbox: &mut mpsc::Receiver<Work<D>>) -> Result<usize, String> {
        let mut items = Vec::new();
        let mut relayed = Vec::new();
        let mut prune_before = None;
        let mut next = Some(first);
        while let Some(work) = next {
            match work {
                Work::Close => self.close(inbox),
                Work::Prune(before) => prune_before = Some(before),
                Work::GiveUp(reason) => self.given_up = Some(reason),
                Work::Lead(epoch) => self.epoch = Some(epoch),
                Work::Relayed(positions) => relayed = positions,
                work => self.admit(work, &mut items),
            }
            next = if items.len() < TURN_LIMIT { inbox.try_recv().ok() } else { None };
        }
        let inputs = items.len();
        let done = self
            .turn(items)
            .and_then(|()| self.note_relayed(&relayed))
            .and_then(|()| prune_before.map_or(Ok(()), |before| self.prune(before)));
        match done {
            Err(Error::Lost(reason)) => return Err(self.stopped(reason)),
            Err(error @ (Error::Busy(_) | Error::Unknown(_))) => {
                self.turn_away(inbox, &error);
                if !self.storage.is_shared() && self.storage.was_moved() {
                    return Err("its database was moved; it goes on there".to_owned());
                }
            }
            _ => {}
        }
        // Also when the turn failed: who gave up may say so only once.
        match self.given_up.take() {
            Some(reason) => Err(self.stopped(reason)),
            None => Ok(inputs),
        }
    }

    fn close(&mut self, inbox: &mut mpsc::Receiver<Work<D>>) {
        inbox.close();
        self.closing = true;
    }

    fn stopped(&self, reason: String) -> String {
        tracing::error!(service = %D::SOURCE, reason, "this process must not write any more");
        self.board.change(|status| status.stopped = Some(reason.clone()));
        reason
    }

    /// Leaves everything in order for whoever comes next.
    fn leave(&mut self) {
        if let Err(error) = self.storage.checkpoint() {
            tracing::warn!(service = %D::SOURCE, %error, "the last checkpoint failed; the next start does it");
        }
        if self.storage.is_shared() {
            let left = self.epoch.map_or(Ok(()), |epoch| self.storage.leave_lease(epoch));
            if let Err(error) = left.and_then(|()| self.storage.forget_replica(&self.replica.name)) {
                tracing::warn!(service = %D::SOURCE, %error, "another replica takes over in a moment instead of at once");
            }
        }
    }

    /// Whoever has waited behind a turn that could not be done has waited for long enough to be told.
    fn turn_away(&mut self, inbox: &mut mpsc::Receiver<Work<D>>, error: &Error) {
        // Those that come meanwhile wait for a turn of their own.
        for _ in 0..inbox.len() {
            let Ok(work) = inbox.try_recv() else { break };
            match work {
                Work::Ask { answer, .. } => drop_answer(answer, Err(TurnError::from(error).undone())),
                Work::Parked { answer, .. } => drop_answer(answer, Err(TurnError::from(error).undone())),
                Work::Hear(batch) => drop(batch.done.send(Err(TurnError::from(error).undone()))),
                Work::Lead(epoch) => self.epoch = Some(epoch),
                Work::GiveUp(reason) => self.given_up = Some(reason),
                // Whoever says so says so again.
                Work::Relayed(_) | Work::Prune(_) => {}
                Work::Close => self.close(inbox),
            }
        }
    }

    fn admit(&mut self, work: Work<D>, items: &mut Vec<Item<D>>) {
        match work {
            Work::Ask { request, traceparent, answer } => {
                items.push(Item::Ask { request, traceparent, answer });
            }
            Work::Hear(Batch { source, arrived, unnoted, done }) => {
                let last = arrived.len().saturating_sub(1);
                let (mut done, mut unnoted) = (Some(done), unnoted);
                for (index, (arrived, to)) in arrived.into_iter().enumerate() {
                    let done = if index == last { done.take() } else { None };
                    let mut moves = std::mem::take(&mut unnoted);
                    moves.push(to);
                    items.push(Item::Heard { source, arrived, moves, done });
                }
            }
            Work::Parked { id, drop, answer } => match self.storage.parked_one(id) {
                Ok(parked) => {
                    let arrived = parked.as_ref().map(Arrived::again);
                    items.push(Item::Parked { arrived, drop, answer });
                }
                Err(error) => drop_answer(answer, Err(TurnError::from(&error))),
            },
            Work::Lead(_) | Work::Relayed(_) | Work::Prune(_) | Work::GiveUp(_) | Work::Close => {}
        }
    }

    /// One turn. A bad input must not fail its neighbours: when the turn fails for a reason that would repeat, it is done
    /// again in halves, down to one. When it fails for another, all that is left of it is given back, whether tried or not:
    /// a position must not move past an event that is still to be taken in.
    fn turn(&mut self, items: Vec<Item<D>>) -> Result<(), Error> {
        if items.is_empty() {
            return Ok(());
        }
        match self.commit(&items) {
            Ok((decided, position)) => {
                self.succeeded(items, decided, position);
                Ok(())
            }
            Err(Error::Refused(reason)) if items.len() > 1 => {
                tracing::warn!(service = %D::SOURCE, reason, inputs = items.len(), "a turn failed; trying its halves");
                let mut first = items;
                let second = first.split_off(first.len() / 2);
                match self.turn(first) {
                    Ok(()) => self.turn(second),
                    Err(error) => self.give_back(second, error),
                }
            }
            Err(Error::Refused(reason)) => items.into_iter().try_for_each(|item| self.refuse(item, &reason)),
            Err(error) => self.give_back(items, error),
        }
    }

    fn give_back(&mut self, items: Vec<Item<D>>, error: Error) -> Result<(), Error> {
        self.board.change(|status| status.failing = Some(error.to_string()));
        tracing::warn!(service = %D::SOURCE, %error, inputs = items.len(), "a turn was rolled back");
        fail(items, &TurnError::from(&error));
        Err(error)
    }

    /// What fails alone: a request is told so, an event is set aside.
    fn refuse(&mut self, item: Item<D>, reason: &str) -> Result<(), Error> {
        match item {
            Item::Ask { answer, .. } => {
                tracing::error!(service = %D::SOURCE, reason, "a request could not be committed");
                drop_answer(answer, Err(TurnError::Failed(reason.to_owned())));
                Ok(())
            }
            Item::Parked { answer, .. } => {
                drop_answer(answer, Ok(ParkedOutcome::StillRefused(reason.to_owned())));
                Ok(())
            }
            Item::Heard { source, mut arrived, moves, done } => {
                tracing::error!(service = %D::SOURCE, event = arrived.record.id(arrived.source), reason, "set aside");
                arrived.read = Err(cafe_events::Unreadable::Malformed {
                    kind: arrived.record.kind.clone(),
                    reason: reason.to_owned(),
                });
                let aside = vec![Item::Heard { source, arrived, moves, done }];
                match self.commit(&aside) {
                    Ok((decided, position)) => {
                        self.succeeded(aside, decided, position);
                        Ok(())
                    }
                    Err(error) => self.give_back(aside, error),
                }
            }
        }
    }

    fn commit(&mut self, items: &[Item<D>]) -> Result<(Decided<D>, Option<i64>), Error> {
        let _committing =
            cafe_trace::committing(D::SOURCE, items.len(), items.iter().filter_map(Item::cause));
        let started = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| self.try_commit(items)))
            .unwrap_or_else(|panic| Err(Error::Refused(format!("panicked: {}", panic_text(&*panic)))));
        if outcome.is_err() {
            self.undo()?;
        } else {
            metrics::counter!("cafe_commits_total").increment(1);
            metrics::histogram!("cafe_commit_size").record(items.len() as f64);
            metrics::histogram!("cafe_commit_seconds").record(started.elapsed().as_secs_f64());
        }
        outcome
    }

    /// With a transaction that cannot be undone nothing else can be done.
    fn undo(&mut self) -> Result<(), Error> {
        self.storage.rollback().map_err(|error| Error::Lost(error.to_string()))
    }

    /// load(keys) -> decide -> write.
    fn try_commit(&mut self, items: &[Item<D>]) -> Result<(Decided<D>, Option<i64>), Error> {
        let inputs: Vec<Input<'_, D::Request>> = items.iter().filter_map(Item::input).collect();
        let mut ledger = Ledger { any_parked: self.any_parked, ..Ledger::default() };
        let mut rows = D::Tables::default();
        self.storage.begin()?;
        self.storage.lock_later();
        turn::needs_of_ledger(&inputs, &mut ledger);
        self.storage.load_ledger(&mut ledger)?;
        turn::needs_of_domain(&self.domain, &inputs, &ledger, &mut rows);
        self.storage.load(&mut rows)?;
        let before = self.locked()?;

        let decided = turn::decide(&self.domain, &inputs, &mut ledger, &mut rows, self.clock.now());

        self.storage.write(&rows)?;
        let lists = self.storage.write_ledger(&ledger)?;
        self.write_positions(items)?;
        let last = self.storage.append(before, &decided.records)?;
        self.end()?;
        self.count_lists(lists);
        Ok((decided, last))
    }

    /// Begins to write something else than a turn, with the same answer and refusal as [`Self::locked`].
    fn begin(&mut self) -> Result<i64, Error> {
        self.storage.begin()?;
        self.storage.lock_later();
        self.locked()
    }

    /// No other turn is under way from here to the end of the transaction. A process whose place was taken by another is refused,
    /// whatever it was about to decide. Answers the last position of the outbox.
    fn locked(&mut self) -> Result<i64, Error> {
        let before = self.storage.locked()?;
        match self.epoch {
            Some(epoch) if before.lease.epoch != epoch => {
                Err(Error::Lost(format!("another process has taken over as the {} service", D::SOURCE)))
            }
            _ => Ok(before.last),
        }
    }

    /// Commits a turn. Where the connection is lost over it, the turn is looked up on another.
    fn end(&mut self) -> Result<(), Error> {
        if !self.storage.is_shared() {
            return self.storage.commit();
        }
        self.replica.turn += 1;
        self.storage.note_turn(&self.replica.name, self.replica.turn, self.clock.now())?;
        match self.storage.commit() {
            Err(Error::Unknown(reason)) => {
                // What is set aside may be another number now.
                self.any_parked = true;
                match self.was_committed() {
                    Ok(true) => Ok(()),
                    Ok(false) => Err(Error::Busy(reason)),
                    Err(_) => Err(Error::Unknown(reason)),
                }
            }
            outcome => outcome,
        }
    }

    /// Once this turn holds the lock, the one before it has ended, whichever way.
    fn was_committed(&mut self) -> Result<bool, Error> {
        self.undo()?;
        self.storage.begin_to_look_up()?;
        self.storage.lock()?;
        let last = self.storage.last_turn(&self.replica.name)?;
        self.undo()?;
        Ok(last == self.replica.turn)
    }

    fn write_positions(&mut self, items: &[Item<D>]) -> Result<(), Error> {
        let mut moved = BTreeMap::new();
        for item in items {
            if let Item::Heard { source, moves, .. } = item {
                moved.extend(moves.iter().map(|to| ((*source, to.part), to)));
            }
        }
        if moved.is_empty() {
            return Ok(());
        }
        let Some(epoch) = self.epoch else {
            return Err(Error::Lost("something was heard without the lease".to_owned()));
        };
        let moved: Vec<_> = moved.into_iter().map(|((source, _), to)| (source, to)).collect();
        self.storage.move_positions(epoch, &moved)
    }

    /// How far the outbox was written to its topic. Were this lost, the topic itself would tell.
    fn note_relayed(&mut self, positions: &[Position]) -> Result<(), Error> {
        let Some(epoch) = self.epoch.filter(|_| !positions.is_empty()) else { return Ok(()) };
        let noted = self.begin().and_then(|_| {
            let moved: Vec<_> = positions.iter().map(|to| (D::SOURCE, to)).collect();
            self.storage.move_positions(epoch, &moved)?;
            self.storage.commit()
        });
        if noted.is_err() {
            self.undo()?;
        }
        noted
    }

    fn succeeded(&mut self, items: Vec<Item<D>>, decided: Decided<D>, last: Option<i64>) {
        let news: Vec<String> = match self.hints.others {
            Some(_) => decided.effects.iter().filter_map(D::news_of).collect(),
            None => Vec::new(),
        };
        self.hints.tell(last.is_some(), &news, self.epoch.is_some());
        if decided.contradictions > 0 {
            metrics::counter!("cafe_contradictions_total").increment(decided.contradictions);
            tracing::error!(service = %D::SOURCE, count = decided.contradictions, "a peer contradicts itself: see /parked");
        }
        let mut outputs = decided.outputs.into_iter();
        for item in items {
            match item {
                Item::Parked { arrived: None, answer, .. } => {
                    drop_answer(answer, Ok(ParkedOutcome::NotFound));
                }
                item => item.tell(outputs.next()),
            }
        }
        decided.effects.into_iter().for_each(&self.on_commit);
        self.board.change(|status| status.failing = None);
    }

    fn count_lists(&mut self, lists: ListsChanged) {
        if lists.held != 0 {
            self.board.change(|status| status.held += lists.held);
        }
        if lists.parked
            && let Ok(parked) = self.storage.count_parked()
        {
            self.any_parked = parked > 0;
            self.board.change(|status| status.parked = parked);
        }
    }

    /// Drops what was said long ago, and cuts the database's log. While turns fail it also finds out whether they still would, though nobody asks.
    fn prune(&mut self, before: jiff::Timestamp) -> Result<(), Error> {
        if self.epoch.is_none() {
            return Ok(());
        }
        match self.try_prune(before) {
            Ok(through) => {
                self.board.change(|status| status.failing = None);
                if let Some(through) = through {
                    tracing::debug!(service = %D::SOURCE, through, "pruned the outbox");
                }
                Ok(())
            }
            Err(error) => {
                tracing::warn!(service = %D::SOURCE, %error, "the outbox was not pruned");
                self.undo().and(Err(error))
            }
        }
    }

    fn try_prune(&mut self, before: jiff::Timestamp) -> Result<Option<i64>, Error> {
        self.begin()?;
        if self.board.read().failing.is_some() {
            self.storage.touch()?;
        }
        let through = self.storage.prune(before, PRUNE_LIMIT)?;
        if self.storage.is_shared() {
            self.storage.forget_replicas(before)?;
        }
        self.storage.commit()?;
        self.storage.shorten_log()?;
        Ok(through)
    }
}

/// Gives as many as were `expected` the time to come, beside the one that is here.
fn gather<D: Domain>(inbox: &mpsc::Receiver<Work<D>>, expected: usize) {
    let given_up = Instant::now() + GATHER;
    while inbox.len() + 1 < expected && Instant::now() < given_up {
        std::thread::sleep(LOOK);
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "for an unknown reason".to_owned())
}

/// How long a listener waits before it tries a failed batch again.
pub(crate) const RETRY_AFTER: Duration = Duration::from_millis(200);
