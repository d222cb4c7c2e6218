//! One listener: reads a speaker's log from where it was heard on, hands it to the writer, and goes on when that is on disk.

use std::sync::mpsc::sync_channel;

use cafe_clock::Clock;
use cafe_events::Source;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::carriers::{Carrier, News, Parts};
use crate::domain::Tables;
use crate::status::Board;
use crate::tables::Position;
use crate::turn::Arrived;
use crate::writer::{Batch, RETRY_AFTER, Work};

/// Records read at a time: few enough that the read is short and the turn small.
const READ_LIMIT: usize = 500;

/// Events that are set aside or wait for one that is, at most. Past it something is wrong with whoever speaks, and what it
/// says stays in its log until a person has looked.
const ASIDE_LIMIT: i64 = 100_000;

pub(crate) struct Listener<D: Tables> {
    pub(crate) source: Source,
    pub(crate) carrier: Box<dyn Carrier>,
    pub(crate) heard: Parts,
    pub(crate) writer: mpsc::Sender<Work<D>>,
    pub(crate) board: Board,
    pub(crate) clock: Clock,
    pub(crate) stop: CancellationToken,
}

impl<D: Tables> Listener<D> {
    /// Listens until stopped.
    pub(crate) fn run(mut self) {
        while !self.stop.is_cancelled() {
            match self.carrier.read_after(&self.heard, READ_LIMIT) {
                Ok(news) => self.take(news),
                Err(reason) => {
                    self.say_silent(Some(reason));
                    self.carrier.wait();
                }
            }
        }
    }

    fn take(&mut self, mut news: News) {
        if let Some(reason) = self.too_many_aside() {
            self.say_silent(Some(reason));
            self.carrier.wait();
            return;
        }
        if news.is_another_log {
            tracing::warn!(listener = %D::SOURCE, source = %self.source, "another log than before (restored?): hearing it from its oldest event");
        }
        self.report(&news);
        if news.records.is_empty() {
            self.carrier.wait();
            return;
        }
        let records = news.records.iter_mut().map(|(arrived, _)| &mut arrived.record);
        let steps = cafe_trace::hearing(D::SOURCE, (self.source, self.carrier.system()), records);
        if !steps.is_empty() {
            news.records.iter_mut().for_each(|(arrived, _)| arrived.is_step_of_its_trace());
        }
        let behind = news.behind - news.records.len() as i64;
        let mut heard = self.heard.clone();
        heard.extend(news.records.iter().map(|(_, moves)| (moves.part, moves.clone())));
        if self.hand_over(news.records) {
            self.heard = heard;
            self.carrier.taken_in(&self.heard);
            let position = self.position();
            self.board.link(self.source, |link| {
                (link.position, link.last) = (position, position + behind);
            });
        }
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
    fn hand_over(&self, arrived: Vec<(Arrived, Position)>) -> bool {
        let (done, outcome) = sync_channel(1);
        let batch = Batch { source: self.source, arrived, done };
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
    fn position(&self) -> i64 {
        self.heard.values().map(|heard| heard.position).max().unwrap_or(0)
    }

    fn say_silent(&self, reason: Option<String>) {
        self.board.link(self.source, |link| link.silent = reason);
    }
}
