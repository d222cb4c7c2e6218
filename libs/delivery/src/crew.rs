//! What a process does once it leads: a thread for each service that it listens to, and one that writes the outbox to its topic.

use std::collections::BTreeMap;
use std::time::Instant;

use cafe_clock::Clock;
use cafe_events::Source;
use cafe_store::{Connection, Error};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::carriers::direct::Direct;
use crate::carriers::kafka::listen;
use crate::carriers::kafka::relay::Relay;
use crate::carriers::{Carrier, Parts};
use crate::desk::{StartError, thread};
use crate::domain::Tables;
use crate::lease::{BEAT, Candidate, Leading};
use crate::listener::{self, Listener};
use crate::place::Place;
use crate::status::Board;
use crate::tables;
use crate::wake::{Ear, Signal, Socket};
use crate::writer::Work;

/// Those who wait for the lead.
pub(crate) struct Crew<D: Tables> {
    pub(crate) place: Place,
    pub(crate) writer: mpsc::Sender<Work<D>>,
    pub(crate) board: Board,
    pub(crate) clock: Clock,
    pub(crate) stop: CancellationToken,
    pub(crate) runtime: Handle,
    /// Rung when there is something to relay.
    pub(crate) relay: Option<Signal>,
    /// What is heard through the database's server.
    pub(crate) signals: BTreeMap<Source, Signal>,
    pub(crate) lead: watch::Sender<bool>,
}

/// Gets the lease and keeps it, where there are replicas.
pub(crate) struct Keeper<D: Tables> {
    pub(crate) db: Connection,
    pub(crate) replica: String,
    pub(crate) crew: Crew<D>,
    pub(crate) leading: Leading,
    /// Cancelled when the writer has ended.
    pub(crate) closed: CancellationToken,
}

impl<D: Tables> Crew<D> {
    /// Begins to listen and to relay, under the lease of this epoch.
    pub(crate) fn lead(&self, db: &mut Connection, epoch: i64) -> Result<(), StartError> {
        for source in D::SOURCE.hears() {
            self.listen(db, *source, epoch)?;
        }
        self.relay(db)?;
        self.lead.send_replace(true);
        Ok(())
    }

    fn listen(&self, db: &mut Connection, source: Source, epoch: i64) -> Result<(), StartError> {
        if self.place.kafka(D::SOURCE).is_none() {
            tables::join_parts(db, source, epoch)?;
        }
        let heard: Parts =
            tables::positions(db, source)?.into_iter().map(|position| (position.part, position)).collect();
        let (board, clock) = (self.board.clone(), self.clock.clone());
        let listener = Listener::new(D::SOURCE, source, self.carrier(source)?, heard, board, clock);
        let (writer, stop) = (self.writer.clone(), self.stop.clone());
        Ok(thread(&format!("hears-{source}"), &self.stop, move || listener::run(listener, &writer, &stop))?)
    }

    fn carrier(&self, source: Source) -> Result<Box<dyn Carrier>, StartError> {
        if let Some(kafka) = self.place.kafka(D::SOURCE) {
            return Ok(Box::new(listen::reader(kafka, D::SOURCE, source)));
        }
        let ear = match self.signals.get(&source) {
            Some(signal) => Ear::Signal(signal.clone()),
            None => Ear::Socket(Socket::new(&self.place, D::SOURCE, source)?),
        };
        self.wake_at_stop(&ear);
        Ok(Box::new(Direct::new(source, self.place.database(source), ear)))
    }

    fn relay(&self, db: &mut Connection) -> Result<(), StartError> {
        let (Some(kafka), Some(signal)) = (self.place.kafka(D::SOURCE), &self.relay) else { return Ok(()) };
        let relay = Relay {
            kafka: kafka.clone(),
            source: D::SOURCE,
            database: self.place.database(D::SOURCE),
            relayed: tables::positions(db, D::SOURCE)?,
            signal: signal.clone(),
            board: self.board.clone(),
            stop: self.stop.clone(),
        };
        self.wake_at_stop(&Ear::Signal(signal.clone()));
        let writer = self.writer.clone();
        // What is not noted is found out again from the topic.
        let note = move |positions| drop(writer.try_send(Work::Relayed(positions)));
        Ok(thread("relay", &self.stop, move || relay.run(note))?)
    }
}

impl<D: Tables> Crew<D> {
    fn wake_at_stop(&self, ear: &Ear) {
        let (nudge, stop) = (ear.nudge(), self.stop.clone());
        self.runtime.spawn(async move {
            stop.cancelled().await;
            nudge();
        });
    }
}

impl<D: Tables> Keeper<D> {
    /// Until the writer has ended: a lease that is left early would be taken while this process still writes.
    pub(crate) fn run(mut self) {
        let mut candidate = Candidate::default();
        let mut leads = None;
        while !self.closed.is_cancelled() {
            let outcome = match leads {
                Some(epoch) => self.keep(epoch),
                None if self.crew.stop.is_cancelled() => Ok(()),
                None => self.try_for(&mut candidate).map(|epoch| leads = epoch),
            };
            if let Err(error) = outcome {
                tracing::warn!(service = %D::SOURCE, %error, "the lease cannot be seen to at the moment");
            }
            std::thread::sleep(BEAT);
        }
    }

    fn keep(&mut self, epoch: i64) -> Result<(), Error> {
        let at = Instant::now();
        if tables::beat(&mut self.db, epoch)? {
            self.leading.note(at);
        } else if !self.crew.stop.is_cancelled() {
            // The writer would find it out with its next turn; this process may have none for long.
            self.give_up(format!("another process has taken over as the {} service", D::SOURCE));
        }
        Ok(())
    }

    /// By way of the writer, so that this process ends with its reason, and is started again. A writer that has ended needs none.
    fn give_up(&self, reason: String) {
        let _ = self.crew.writer.blocking_send(Work::GiveUp(reason));
    }

    fn try_for(&mut self, candidate: &mut Candidate) -> Result<Option<i64>, Error> {
        let at = Instant::now();
        let Some(epoch) = candidate.look::<D>(&mut self.db, &self.replica, at)? else { return Ok(None) };
        tracing::info!(service = %D::SOURCE, epoch, "this process leads");
        self.leading.note(at);
        let told = self.crew.writer.blocking_send(Work::Lead(epoch)).is_ok();
        let begun = if told {
            self.crew.lead(&mut self.db, epoch).map_err(|error| error.to_string())
        } else {
            Ok(())
        };
        if let Err(reason) = begun {
            // Whoever leads and does not listen is of no use.
            self.give_up(format!("this process leads and cannot begin: {reason}"));
        }
        Ok(Some(epoch))
    }
}
