//! One listener: reads a speaker's log from where it was heard on, hands it to the writer, and goes on when that is on disk.

#[cfg(test)]
mod cases;

use std::sync::mpsc::{Receiver, sync_channel};

use cafe_clock::Clock;
use cafe_events::Source;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::TurnError;
use crate::carriers::{Carrier, News, Parts};
use crate::domain::Domain;
use crate::status::{Board, Link};
use crate::tables::Position;
use crate::writer::{Batch, RETRY_AFTER, Work};

/// Records read at a time: few enough that the read is short and the turn small.
const READ_LIMIT: usize = 500;

/// Events that are set aside or wait for one that is, at most. Past it something is wrong with whoever speaks, and what it
/// says stays in its log until a person has looked.
const ASIDE_LIMIT: i64 = 100_000;

/// Listens to one source. It reads and says what is to be taken in; `run` has that done.
pub struct Listener {
    own: Source,
    source: Source,
    carrier: Box<dyn Carrier>,
    heard: Parts,
    board: Board,
    clock: Clock,
}

/// What was read and handed to the writer.
pub struct Handed {
    /// What the writer says once it is on disk, or cannot be.
    pub outcome: Receiver<Result<(), TurnError>>,
    /// Up to where the source is heard then.
    heard: Parts,
    /// How many records come after it.
    behind: i64,
}

/// Has everything taken in, until stopped.
pub(crate) fn run<D: Domain>(
    mut listener: Listener,
    writer: &mpsc::Sender<Work<D>>,
    stop: &CancellationToken,
) {
    while !stop.is_cancelled() {
        let Some((batch, handed)) = listener.read() else {
            listener.carrier.wait();
            continue;
        };
        if writer.blocking_send(Work::Hear(batch)).is_err() {
            stop.cancel();
            return;
        }
        match handed.outcome.recv() {
            Ok(Ok(())) => listener.is_taken_in(handed),
            Ok(Err(error)) => {
                tracing::warn!(listener = %D::SOURCE, source = %listener.source, %error, "not taken in; trying again");
                std::thread::sleep(RETRY_AFTER);
            }
            Err(_) => {}
        }
    }
}

impl Listener {
    /// `own` listens to `source`, from where it has `heard` it.
    pub fn new(
        own: Source,
        source: Source,
        carrier: Box<dyn Carrier>,
        heard: Parts,
        board: Board,
        clock: Clock,
    ) -> Self {
        let listener = Self { own, source, carrier, heard, board, clock };
        let position = listener.position();
        listener.board.change(|status| status.links.push(Link::new(source, position)));
        listener
    }

    /// What comes next, for the writer, if anything does.
    pub fn read(&mut self) -> Option<(Batch, Handed)> {
        match self.carrier.read_after(&self.heard, READ_LIMIT) {
            Ok(news) => self.take(news),
            Err(reason) => {
                self.say_silent(Some(reason));
                None
            }
        }
    }

    /// What was handed over is on disk.
    pub fn is_taken_in(&mut self, handed: Handed) {
        self.heard = handed.heard;
        self.carrier.taken_in(&self.heard);
        let position = self.position();
        self.board.link(self.source, |link| {
            (link.position, link.last) = (position, position + handed.behind);
        });
    }

    fn take(&mut self, mut news: News) -> Option<(Batch, Handed)> {
        if let Some(reason) = self.too_many_aside() {
            self.say_silent(Some(reason));
            return None;
        }
        if news.is_another_log {
            tracing::warn!(listener = %self.own, source = %self.source, "another log than before (restored?): hearing it from its oldest event");
        }
        self.report(&news);
        if news.records.is_empty() {
            return None;
        }
        let records = news.records.iter_mut().map(|(arrived, _)| &mut arrived.record);
        let steps = cafe_trace::hearing(self.own, (self.source, self.carrier.system()), records);
        if !steps.is_empty() {
            news.records.iter_mut().for_each(|(arrived, _)| arrived.is_step_of_its_trace());
        }
        let behind = news.behind - news.records.len() as i64;
        let mut heard = self.heard.clone();
        let parts = news.parts.into_iter().filter(|at| !self.heard.contains_key(&at.part));
        let unnoted: Vec<Position> = parts.collect();
        heard.extend(unnoted.iter().map(|at| (at.part, at.clone())));
        heard.extend(news.records.iter().map(|(_, moves)| (moves.part, moves.clone())));
        let (done, outcome) = sync_channel(1);
        let batch = Batch { source: self.source, arrived: news.records, unnoted, done };
        Some((batch, Handed { outcome, heard, behind }))
    }

    fn too_many_aside(&self) -> Option<String> {
        let status = self.board.read();
        (status.parked + status.held >= ASIDE_LIMIT).then(|| {
            format!(
                "{} events are set aside and {} wait behind them; nothing more is heard until some are settled",
                status.parked, status.held
            )
        })
    }

    fn report(&self, news: &News) {
        let now_ms = self.clock.now().as_millisecond();
        let waiting = news.records.first().map(|(arrived, _)| arrived.record.at_ms.min(now_ms));
        let position = self.position();
        self.board.link(self.source, |link| {
            (link.position, link.last) = (position, position + news.behind);
            link.waiting_since_ms = waiting;
            link.silent = None;
        });
    }

    /// The last position that was heard of any part.
    pub fn position(&self) -> i64 {
        self.heard.values().map(|heard| heard.position).max().unwrap_or(0)
    }

    fn say_silent(&self, reason: Option<String>) {
        self.board.link(self.source, |link| link.silent = reason);
    }
}
