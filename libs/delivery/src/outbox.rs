//! An outbox without a service behind it: a stand-in for a peer, and the way to say something by hand.

use std::cell::RefCell;
use std::thread::JoinHandle;

use cafe_clock::{Clock, Ids};
use cafe_events::{Record, Source};
use cafe_store::{Connection, Error, Notices, Param};
use tokio_util::sync::CancellationToken;

use crate::carriers::kafka::relay::Relay;
use crate::hints::{Hints, Others};
use crate::place::KafkaSettings;
use crate::status::{Board, RelayStatus};
use crate::tables::{self, Position};
use crate::wake::{Bell, Signal};
use crate::{MIGRATIONS, Place, StartError};

/// The outbox of a service that does not run.
pub struct Outbox {
    db: Connection,
    place: Place,
    source: Source,
    hints: Hints,
    relay: Option<Relaying>,
}

/// A relay at work.
struct Relaying {
    stop: CancellationToken,
    signal: Signal,
    board: Board,
    thread: Option<JoinHandle<()>>,
}

/// What a relay that was stopped leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notes {
    /// Up to where it has written.
    Kept,
    /// Nothing new, as if it was killed after it had sent and before it could note.
    Lost,
}

impl Outbox {
    /// Opens the outbox in the service's own database, making it if there is none. Where Kafka carries events, it is relayed.
    ///
    /// # Panics
    /// On a server, outside of an asynchronous runtime.
    pub fn open(place: &Place, source: Source, clock: &Clock, ids: &Ids) -> Result<Self, StartError> {
        place.prepare()?;
        let database = place.database(source);
        let mut db = Connection::open(&database, MIGRATIONS)?;
        tables::name_log(&mut db, &ids.uuid(clock.now()).to_string())?;
        let mut hints = Hints { bell: None, relay: None, others: None };
        match database.server() {
            Some(server) => {
                let (_, notifier) = Notices::start(server, Vec::new());
                hints.others = Some(Others::new(notifier, source, "an outbox by hand"));
            }
            None => hints.bell = Some(Bell::new(place, source)),
        }
        let mut outbox = Self { db, place: place.clone(), source, hints, relay: None };
        outbox.relay(Notes::Kept)?;
        Ok(outbox)
    }

    /// Appends records in order, wakes whoever listens, and answers the last position.
    pub fn say(&mut self, records: &[Record]) -> Result<i64, Error> {
        self.db.begin()?;
        let last = tables::lock(&mut self.db)?.last;
        let last = tables::append(&mut self.db, last, records)?;
        self.db.commit()?;
        self.hints.tell(true, &[], true);
        Ok(last.unwrap_or(0))
    }

    /// Its database, for whatever may happen to one.
    pub fn database(&mut self) -> &mut Connection {
        &mut self.db
    }

    /// Relays, if Kafka carries events; what was relaying before is stopped.
    pub fn relay(&mut self, notes: Notes) -> Result<(), StartError> {
        self.stop_relaying();
        if let Some(kafka) = self.place.kafka(self.source).cloned() {
            let relaying = Relaying::start(&self.place, self.source, kafka, notes)?;
            self.hints.relay = Some(relaying.signal.clone());
            self.relay = Some(relaying);
        }
        Ok(())
    }

    /// Stops relaying, when what is under way is acknowledged or given up.
    pub fn stop_relaying(&mut self) {
        self.hints.relay = None;
        self.relay = None;
    }

    /// How the relay stands, if there is one.
    pub fn relay_status(&self) -> Option<RelayStatus> {
        self.relay.as_ref().and_then(|relay| relay.board.read().relay)
    }

    /// How far `listener` has heard this outbox, by the positions in its own database.
    pub fn heard_by(place: &Place, listener: Source, speaker: Source) -> Result<i64, Error> {
        let mut db = Connection::open_peer(place.database(listener))?;
        let sql = "SELECT MAX(position) FROM positions WHERE source = $1";
        let heard = db.query_one(sql, &[Param::from(speaker.name())], |row| row.opt_int(0))?;
        Ok(heard.flatten().unwrap_or(0))
    }
}

impl Relaying {
    fn start(place: &Place, source: Source, kafka: KafkaSettings, notes: Notes) -> Result<Self, StartError> {
        let mut db = Connection::open_as_it_is(place.database(source))?;
        let (stop, signal, board) = (CancellationToken::new(), Signal::default(), Board::default());
        let relay = Relay {
            kafka,
            source,
            database: place.database(source),
            relayed: tables::positions(&mut db, source)?,
            signal: signal.clone(),
            board: board.clone(),
            stop: stop.clone(),
        };
        let db = RefCell::new(db);
        let note = move |positions: Vec<Position>| {
            if notes == Notes::Kept && note(&mut db.borrow_mut(), source, &positions).is_err() {
                // The topic tells the next one.
                let _ = db.borrow_mut().rollback();
            }
        };
        let thread = std::thread::Builder::new().name("relay".to_owned()).spawn(move || relay.run(note))?;
        Ok(Self { stop, signal, board, thread: Some(thread) })
    }
}

impl Drop for Relaying {
    fn drop(&mut self) {
        self.stop.cancel();
        self.signal.ring();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn note(db: &mut Connection, source: Source, positions: &[Position]) -> Result<(), Error> {
    db.begin()?;
    tables::move_positions(db, 0, positions.iter().map(|position| (source, position)))?;
    db.commit()
}
