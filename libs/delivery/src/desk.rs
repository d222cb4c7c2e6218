//! A running service's desk: where requests are handed in and answered once they are on disk.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cafe_clock::{Clock, Ids, from_ms};
use cafe_events::Source;
use cafe_store::{Connection, Error, Migration, OpenError, Readers};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::crew::{Crew, Keeper};
use crate::domain::{Elsewhere, Hooks, Tables};
use crate::hints::{Hearing, Hints, Others};
use crate::lease::{self, Leading};
use crate::ledger::Parked;
use crate::place::{Held, Place, PlaceError};
use crate::status::{Board, Status};
use crate::tables;
use crate::turn::ParkedOutcome;
use crate::wake::{Bell, Signal};
use crate::writer::{End, Work, Writer};

/// Requests and batches that may wait for the writer; past it the answer is an early 503.
pub const INBOX_LIMIT: usize = 4_096;
/// How long what was said is kept.
pub const RETENTION: Duration = Duration::from_hours(35 * 24);
/// Reads beside the writer at a time.
const READERS: usize = 4;
/// How long a database that is busy when a service starts is tried again, and the pause before each time.
const OPENING_PATIENCE: Duration = Duration::from_secs(20);
const OPENING_PAUSE: Duration = Duration::from_millis(200);
/// How often old records are dropped, a bounded number at a time: often enough to keep up with a chain's busiest day.
const PRUNE_EVERY: Duration = Duration::from_secs(1);

/// Why a turn did not answer. Nothing has happened, but for [`TurnError::OutcomeUnknown`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TurnError {
    /// Too much waits already.
    #[error("too busy at the moment")]
    Busy,
    /// No room on the disk.
    #[error("no room left on the disk")]
    DiskFull,
    /// It may or may not have been committed; ask again with the same key.
    #[error("it cannot be known whether this was committed")]
    OutcomeUnknown,
    /// The service is stopping.
    #[error("the service is stopping")]
    Stopped,
    /// This input fails, and would again.
    #[error("this cannot be committed: {0}")]
    Failed(String),
}

impl From<&Error> for TurnError {
    fn from(error: &Error) -> Self {
        match error {
            Error::Busy(_) | Error::Absent(_) => Self::Busy,
            Error::Full(_) => Self::DiskFull,
            Error::Lost(_) | Error::Unknown(_) => Self::OutcomeUnknown,
            Error::Refused(reason) => Self::Failed(reason.clone()),
        }
    }
}

impl TurnError {
    /// The same for what was not even begun.
    pub(crate) fn undone(self) -> Self {
        if self == Self::OutcomeUnknown { Self::Busy } else { self }
    }
}

/// Why a service cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its folder, or its lock.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// Its database.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// `cafe move` was interrupted before the service could go on at the new place.
    #[error("this service is being moved there and is not yet: run `cafe move` again, to its end")]
    HalfMoved,
    /// Its database, after opening.
    #[error(transparent)]
    Store(#[from] Error),
    /// A thread or a socket.
    #[error("{0}")]
    System(#[from] std::io::Error),
}

/// A handle on a running service; clones share it.
pub struct Desk<D: Tables> {
    shared: Arc<Shared<D>>,
}

struct Shared<D: Tables> {
    writer: mpsc::Sender<Work<D>>,
    readers: Readers,
    board: Board,
    ended: watch::Receiver<Option<End>>,
    leads: watch::Receiver<bool>,
    leading: Leading,
    restored_at_ms: Option<i64>,
}

impl<D: Tables> Clone for Desk<D> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

/// Opens a service's database, takes its lock if it is a file, and starts its writer. Where it is the only process of the
/// service, or becomes the one that leads, it starts its listeners. `stop` ends the listeners; it is cancelled from here if the
/// writer must not go on.
pub fn start<D: Tables>(
    domain: D,
    place: &Place,
    clock: Clock,
    ids: &Ids,
    hooks: Hooks<D::Effect>,
    stop: CancellationToken,
) -> Result<Desk<D>, StartError> {
    let database = place.database(D::SOURCE);
    let lock = if database.file().is_some() {
        Some(place.lock(D::SOURCE.name(), &format!("the {} service", D::SOURCE))?)
    } else {
        place.prepare()?;
        None
    };
    let replica = ids.uuid(clock.now()).to_string();
    let mut opened = aside(|| patiently(|| Opened::new::<D>(place, &replica)))?;
    let board = Board::default();
    board.change(|status| (status.held, status.parked) = (opened.held, opened.parked));

    let (writer, inbox) = mpsc::channel(INBOX_LIMIT);
    let (ending, ended) = watch::channel(None);
    let (lead, leads) = watch::channel(false);
    let closed = CancellationToken::new();
    let relay = place.kafka(D::SOURCE).map(|_| Signal::default());
    let (hints, signals) = hints::<D>(place, &replica, relay.clone(), hooks.on_elsewhere);
    let crew = Crew {
        place: place.clone(),
        writer: writer.clone(),
        board: board.clone(),
        clock: clock.clone(),
        stop: stop.clone(),
        runtime: tokio::runtime::Handle::current(),
        relay,
        signals,
        lead,
    };
    let on_commit = hooks.on_commit;
    let parked = opened.parked;
    let mut at_work =
        Writer::new(domain, opened.db, clock.clone(), board.clone(), replica.clone(), parked, on_commit);
    at_work.hints = hints;
    let leading = if at_work.storage.is_shared() { Leading::among_others() } else { Leading::alone() };
    if let Some(db) = opened.keeper.take() {
        let keeper = Keeper { db, replica, crew, leading: leading.clone(), closed: closed.clone() };
        thread("lease", &stop, move || keeper.run())?;
    } else {
        let epoch = lease::take::<D>(&mut at_work.storage, &replica, None)?;
        crew.lead(&mut at_work.storage, epoch.unwrap_or_default())?;
        at_work.epoch = epoch;
    }
    thread("writer", &stop, move || write(at_work, inbox, &ending, &closed, lock))?;
    prune_regularly(writer.clone(), clock, stop);

    let readers = Readers::new(&database, READERS);
    let restored_at_ms = opened.head.restored_at_ms;
    Ok(Desk { shared: Arc::new(Shared { writer, readers, board, ended, leads, leading, restored_at_ms }) })
}

impl<D: Tables> Desk<D> {
    /// Has a request decided. The answer comes when everything it rests on is on disk.
    pub async fn ask(
        &self,
        request: D::Request,
        traceparent: Option<String>,
    ) -> Result<D::Answer, TurnError> {
        let (_turn, traceparent) = cafe_trace::Step::turn(D::SOURCE, traceparent);
        let (answer, answered) = oneshot::channel();
        self.hand_in(Work::Ask { request, traceparent, answer })?;
        self.unless_ended(answered).await
    }

    /// Connections that read beside the writer.
    pub fn readers(&self) -> &Readers {
        &self.shared.readers
    }

    /// How delivery stands.
    pub fn status(&self) -> Status {
        self.shared.board.read()
    }

    /// Waits until this process leads: it listens to others, and works on what is due. Where there are no replicas it does from
    /// the start. It ends rather than follow another.
    pub async fn leads(&self) {
        let mut leads = self.shared.leads.clone();
        if leads.wait_for(|leads| *leads).await.is_err() {
            // It never will.
            std::future::pending::<()>().await;
        }
    }

    /// False if another process may lead by now. What is done outside of the database is not begun then.
    pub fn is_leading(&self) -> bool {
        *self.shared.leads.borrow() && self.shared.leading.is_fresh(std::time::Instant::now())
    }

    /// When this service's database was restored from an older copy, if it ever was.
    pub fn restored_at(&self) -> Option<jiff::Timestamp> {
        self.shared.restored_at_ms.map(from_ms)
    }

    /// Set-aside events with a number above `after`, at most `limit`.
    pub async fn parked(&self, after: i64, limit: u32) -> Result<Vec<Parked>, Error> {
        self.readers().read(move |db| tables::parked_page(db, after, i64::from(limit))).await
    }

    /// Takes in a set-aside event again.
    pub async fn retry_parked(&self, id: i64) -> Result<ParkedOutcome, TurnError> {
        self.settle_parked(id, false).await
    }

    /// Forgets a set-aside event; its order goes on without it.
    pub async fn drop_parked(&self, id: i64) -> Result<ParkedOutcome, TurnError> {
        self.settle_parked(id, true).await
    }

    /// Ends the writer after everything that was handed in is on disk. An error says why it had to end before.
    pub async fn stopped(&self) -> Result<(), String> {
        // The inbox may be full, or closed already.
        let _ = self.shared.writer.send(Work::Close).await;
        self.ended().await
    }

    /// Waits until the writer has ended, whoever ended it.
    pub async fn ended(&self) -> Result<(), String> {
        let mut ended = self.shared.ended.clone();
        let end = ended.wait_for(Option::is_some).await;
        match end.as_deref() {
            Ok(Some(End::Closed)) => Ok(()),
            Ok(Some(End::Failed(reason))) => Err(reason.clone()),
            Ok(None) | Err(_) => Err("the writer ended without a word".to_owned()),
        }
    }

    async fn settle_parked(&self, id: i64, drop: bool) -> Result<ParkedOutcome, TurnError> {
        let (answer, answered) = oneshot::channel();
        self.hand_in(Work::Parked { id, drop, answer })?;
        self.unless_ended(answered).await
    }

    fn hand_in(&self, work: Work<D>) -> Result<(), TurnError> {
        self.shared.writer.try_send(work).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => TurnError::Busy,
            mpsc::error::TrySendError::Closed(_) => TurnError::Stopped,
        })
    }

    /// A writer that ends without answering may or may not have committed.
    async fn unless_ended<T>(
        &self,
        answered: oneshot::Receiver<Result<T, TurnError>>,
    ) -> Result<T, TurnError> {
        answered.await.unwrap_or(Err(TurnError::OutcomeUnknown))
    }
}

/// A service's database as it was found.
struct Opened {
    db: Connection,
    /// For the lease, where there may be other replicas.
    keeper: Option<Connection>,
    head: tables::Head,
    held: i64,
    parked: i64,
}

impl Opened {
    fn new<D: Tables>(place: &Place, log_id: &str) -> Result<Self, StartError> {
        let database = place.database(D::SOURCE);
        let migrations: Vec<Migration> = crate::MIGRATIONS.iter().chain(D::MIGRATIONS).copied().collect();
        let mut db = Connection::open(&database, &migrations)?;
        if db.is_shared() && tables::is_being_moved_here(&mut db)? {
            if !place.was_moved(D::SOURCE) {
                return Err(StartError::HalfMoved);
            }
            tables::end_moving(&mut db)?;
        }
        tables::name_log(&mut db, log_id)?;
        let head = tables::head(&mut db)?;
        let (held, parked) = (tables::count_held(&mut db)?, tables::count_parked(&mut db)?);
        let keeper = if db.is_shared() { Some(Connection::open_reader(&database)?) } else { None };
        Ok(Self { db, keeper, head, held, parked })
    }
}

/// When a service's database was restored from an older copy, if there is one and it was.
pub fn restored_at(place: &Place, source: Source) -> Result<Option<jiff::Timestamp>, StartError> {
    let database = place.database(source);
    if database.file().is_some_and(|file| !file.exists()) {
        return Ok(None);
    }
    let head = aside(|| {
        patiently(|| Ok(Connection::open_reader(&database).and_then(|mut db| tables::head(&mut db))?))
    });
    match head {
        Ok(head) => Ok(head.restored_at_ms.map(from_ms)),
        Err(StartError::Store(Error::Absent(_))) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A server that is slow when a service starts is no reason not to start: it may be starting too, or others with it.
fn patiently<T>(mut open: impl FnMut() -> Result<T, StartError>) -> Result<T, StartError> {
    let started = std::time::Instant::now();
    loop {
        match open() {
            Err(StartError::Store(Error::Busy(_))) if started.elapsed() < OPENING_PATIENCE => {
                std::thread::sleep(OPENING_PAUSE);
            }
            opened => return opened,
        }
    }
}

/// Opening waits for the disk or for a server: on a thread of its own, because this one may be an asynchronous task's.
fn aside<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        scope.spawn(work).join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Whom a commit is told to, and what wakes this process's listeners and relay.
fn hints<D: Tables>(
    place: &Place,
    replica: &str,
    relay: Option<Signal>,
    on_elsewhere: Box<dyn Fn(Elsewhere<'_>) + Send>,
) -> (Hints, BTreeMap<Source, Signal>) {
    let database = place.database(D::SOURCE);
    let Some(server) = database.server() else {
        let bell = place.kafka(D::SOURCE).is_none().then(|| Bell::new(place, D::SOURCE));
        return (Hints { bell, relay, others: None }, BTreeMap::new());
    };
    let mut signals: BTreeMap<Source, Signal> =
        relay.iter().map(|relay| (D::SOURCE, relay.clone())).collect();
    if place.kafka(D::SOURCE).is_none() {
        signals.extend(D::SOURCE.hears().iter().map(|source| (*source, Signal::default())));
    }
    let hearing =
        Hearing { own: D::SOURCE, replica: replica.to_owned(), signals: signals.clone(), on_elsewhere };
    let peer = |source: &Source| Some((*source, place.database(*source).server()?.clone()));
    let peers = D::SOURCE.hears().iter().filter_map(peer).collect();
    let others = Others::new(hearing.start(server, &peers), D::SOURCE, replica);
    (Hints { bell: None, relay, others: Some(others) }, signals)
}

fn write<D: Tables>(
    writer: Writer<D, Connection>,
    inbox: mpsc::Receiver<Work<D>>,
    ending: &watch::Sender<Option<End>>,
    closed: &CancellationToken,
    lock: Option<Held>,
) {
    let end = writer.run(inbox);
    closed.cancel();
    drop(lock);
    ending.send_replace(Some(end));
}

/// A thread that the service cannot do without: when it ends, by a panic too, the service stops and is started again.
pub(crate) fn thread(
    name: &str,
    stop: &CancellationToken,
    work: impl FnOnce() + Send + 'static,
) -> std::io::Result<()> {
    let stop = stop.clone();
    let work = move || {
        let _stops = stop.drop_guard();
        work();
    };
    std::thread::Builder::new().name(name.to_owned()).spawn(work).map(drop)
}

fn prune_regularly<D: Tables>(writer: mpsc::Sender<Work<D>>, clock: Clock, stop: CancellationToken) {
    tokio::spawn(async move {
        while stop.run_until_cancelled(tokio::time::sleep(PRUNE_EVERY)).await.is_some() {
            let before = cafe_clock::before(clock.now(), RETENTION);
            if writer.send(Work::Prune(before)).await.is_err() {
                return;
            }
        }
    });
}
