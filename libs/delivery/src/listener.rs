//! One listener: reads a peer's log from its position on, hands it to the writer, and goes on when that is on disk.

use std::sync::mpsc::sync_channel;

use cafe_clock::Clock;
use cafe_events::{Record, Source};
use cafe_store::Error;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::domain::Tables;
use crate::status::Board;
use crate::tables::{Head, Position};
use crate::turn::Arrived;
use crate::writer::{Batch, RETRY_AFTER, Work};

/// Records read at a time: few enough that the read is short and the turn small.
const READ_LIMIT: i64 = 500;

/// Events that are set aside or wait for one that is, at most. Past it something is wrong with whoever speaks, and what it
/// says stays in its log until a person has looked.
const ASIDE_LIMIT: i64 = 100_000;

/// How a log is read, whatever it is kept in. The same on every rung: `direct.rs` reads a peer's file.
pub(crate) trait Carrier: Send {
    /// At most `limit` records after `position` of the log `log_id`. Where the log has another name now, or ends before the
    /// position (it was restored from an older copy), reading starts at its oldest record.
    fn read_after(&mut self, log_id: &str, position: i64, limit: i64) -> Result<News, Error>;

    /// Waits until there may be news.
    fn wait(&mut self);
}

/// What a carrier has read.
#[derive(Debug)]
pub(crate) struct News {
    /// The log's head at that time.
    pub(crate) head: Head,
    /// The position after which was read.
    pub(crate) from: i64,
    /// In order, without gaps.
    pub(crate) records: Vec<Record>,
}

pub(crate) struct Listener<D: Tables, C> {
    pub(crate) source: Source,
    pub(crate) carrier: C,
    pub(crate) position: Position,
    pub(crate) writer: mpsc::Sender<Work<D>>,
    pub(crate) board: Board,
    pub(crate) clock: Clock,
    pub(crate) stop: CancellationToken,
}

impl<D: Tables, C: Carrier> Listener<D, C> {
    /// Listens until stopped.
    pub(crate) fn run(mut self) {
        while !self.stop.is_cancelled() {
            match self.carrier.read_after(&self.position.log_id, self.position.position, READ_LIMIT) {
                Ok(news) => self.take(news),
                Err(error) => {
                    // Nothing there yet, or busy: the peer starts, recovers, or is being replaced.
                    self.say_silent(Some(error.to_string()));
                    self.carrier.wait();
                }
            }
        }
    }

    fn take(&mut self, mut news: News) {
        if let Some(reason) = self.gap(&news).or_else(|| self.too_many_aside()) {
            self.say_silent(Some(reason));
            self.carrier.wait();
            return;
        }
        if self.position.log_id != news.head.log_id && !self.position.log_id.is_empty() {
            tracing::warn!(listener = %D::SOURCE, source = %self.source, "another log than before (restored?): hearing it from its oldest event");
        }
        self.report(&news);
        let Some(last) = news.records.last() else {
            self.carrier.wait();
            return;
        };
        let position = Position {
            log_id: news.head.log_id.clone(),
            position: last.position,
            epoch: self.position.epoch,
        };
        let _heard = cafe_trace::hearing(D::SOURCE, self.source, &mut news.records);
        let arrived = news.records.into_iter().map(|record| Arrived::new(self.source, record)).collect();
        if self.hand_over(arrived, position.clone()) {
            self.board.link(self.source, |link| link.position = position.position);
            self.position = position;
        }
    }

    /// Something was said that can no longer be heard: pruned before it was heard here, or lost. Stop, never skip.
    fn gap(&self, news: &News) -> Option<String> {
        let same_log = self.position.log_id == news.head.log_id;
        let pruned = same_log && news.from < news.head.oldest - 1;
        let missing = news
            .records
            .iter()
            .map(|record| record.position)
            .zip(news.from + 1..)
            .find(|(is, due)| is != due);
        let expected = (news.head.last - news.from).min(READ_LIMIT);
        if !pruned && missing.is_none() && news.records.len() as i64 == expected {
            return None;
        }
        let first = missing.map_or(news.from + 1 + news.records.len() as i64, |(_, due)| due);
        Some(format!(
            "event {first} of {} is no longer kept and was never heard here; restore a newer copy of this service",
            self.source
        ))
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

    /// True once the batch is on disk.
    fn hand_over(&self, arrived: Vec<Arrived>, position: Position) -> bool {
        let (done, outcome) = sync_channel(1);
        let batch = Batch { arrived, position, done };
        if self.writer.blocking_send(Work::Hear(batch)).is_err() {
            self.stop.cancel();
            return false;
        }
        match outcome.recv() {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                tracing::warn!(listener = %D::SOURCE, source = %self.source, %error, "not taken in; trying again");
                std::thread::sleep(RETRY_AFTER);
                false
            }
            Err(_) => false,
        }
    }

    fn report(&self, news: &News) {
        let waiting = news.records.first().map(|record| record.at_ms.min(self.clock.now().as_millisecond()));
        self.board.link(self.source, |link| {
            link.position = news.from;
            link.last = news.head.last;
            link.waiting_since_ms = waiting;
            link.silent = None;
        });
    }

    fn say_silent(&self, reason: Option<String>) {
        self.board.link(self.source, |link| link.silent = reason);
    }
}
