//! A running service's desk: where requests are handed in and answered once they are on disk.

use std::sync::Arc;
use std::time::Duration;

use cafe_clock::{Clock, Ids, from_ms};
use cafe_events::Source;
use cafe_store::{Connection, Error, Migration, OpenError, Readers};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::direct::Direct;
use crate::domain::Tables;
use crate::ledger::Parked;
use crate::listener::Listener;
use crate::place::{Held, Place, PlaceError};
use crate::status::{Board, Link, Status};
use crate::tables::{self, Position};
use crate::turn::ParkedOutcome;
use crate::wake::{Bell, Ear, nudge};
use crate::writer::{End, Work, Writer};

/// Requests and batches that may wait for the writer; past it the answer is an early 503.
pub const INBOX_LIMIT: usize = 4_096;
/// How long what was said is kept.
pub const RETENTION: Duration = Duration::from_hours(35 * 24);
/// Reads beside the writer at a time.
const READERS: usize = 4;
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
            Error::Lost(_) => Self::OutcomeUnknown,
            Error::Refused(reason) => Self::Failed(reason.clone()),
        }
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
    restored_at_ms: Option<i64>,
}

impl<D: Tables> Clone for Desk<D> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

/// Opens a service's database, takes its lock, and starts its writer and its listeners. `stop` ends the listeners; it is
/// cancelled from here if the writer must not go on.
///
/// `on_commit` runs on the writer's thread after each commit: it must not wait.
pub fn start<D: Tables>(
    domain: D,
    place: &Place,
    clock: Clock,
    ids: &Ids,
    on_commit: impl Fn(D::Effect) + Send + 'static,
    stop: CancellationToken,
) -> Result<Desk<D>, StartError> {
    let lock = place.lock(D::SOURCE.name(), &format!("the {} service", D::SOURCE))?;
    let (mut db, head) = open::<D>(place, &clock, ids)?;
    let positions = take_over(&mut db, D::SOURCE)?;
    let (held, parked) = (tables::count_held(&mut db)?, tables::count_parked(&mut db)?);
    let board = Board::default();
    board.change(|status| {
        (status.held, status.parked) = (held, parked);
        status.links = positions.iter().map(|(source, position)| link(*source, position)).collect();
    });

    let (writer, inbox) = mpsc::channel(INBOX_LIMIT);
    let (ending, ended) = watch::channel(None);
    for (source, position) in &positions {
        let ear = Ear::new(place, D::SOURCE, *source)?;
        wake_at_stop(&ear, &stop);
        let listener = Listener {
            source: *source,
            carrier: Direct::new(*source, place.database(*source), ear),
            position: position.clone(),
            writer: writer.clone(),
            board: board.clone(),
            clock: clock.clone(),
            stop: stop.clone(),
        };
        thread(&format!("hears-{source}"), &stop, move || listener.run())?;
    }
    let bell = Bell::new(place, D::SOURCE);
    let any_parked = parked > 0;
    let on_commit = Box::new(on_commit);
    let at_work = Writer {
        domain,
        db,
        clock: clock.clone(),
        board: board.clone(),
        bell,
        positions,
        on_commit,
        any_parked,
    };
    thread("writer", &stop, move || write(at_work, inbox, &ending, lock))?;
    prune_regularly(writer.clone(), clock, stop);

    let readers = Readers::new(&place.database(D::SOURCE), READERS);
    Ok(Desk {
        shared: Arc::new(Shared { writer, readers, board, ended, restored_at_ms: head.restored_at_ms }),
    })
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

fn open<D: Tables>(
    place: &Place,
    clock: &Clock,
    ids: &Ids,
) -> Result<(Connection, tables::Head), StartError> {
    let migrations: Vec<Migration> = crate::MIGRATIONS.iter().chain(D::MIGRATIONS).copied().collect();
    let mut db = Connection::open(&place.database(D::SOURCE), &migrations)?;
    tables::name_log(&mut db, &ids.uuid(clock.now()).to_string())?;
    let head = tables::head(&mut db)?;
    Ok((db, head))
}

fn take_over(db: &mut Connection, listener: Source) -> Result<Vec<(Source, Position)>, Error> {
    listener.hears().iter().map(|source| Ok((*source, tables::take_over(db, *source)?))).collect()
}

fn link(source: Source, position: &Position) -> Link {
    Link {
        source,
        position: position.position,
        last: position.position,
        waiting_since_ms: None,
        silent: None,
    }
}

fn write<D: Tables>(
    writer: Writer<D>,
    inbox: mpsc::Receiver<Work<D>>,
    ending: &watch::Sender<Option<End>>,
    lock: Held,
) {
    let end = writer.run(inbox);
    drop(lock);
    ending.send_replace(Some(end));
}

/// A thread that the service cannot do without: when it ends, by a panic too, the service stops and is started again.
fn thread(name: &str, stop: &CancellationToken, work: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    let stop = stop.clone();
    let work = move || {
        let _stops = stop.drop_guard();
        work();
    };
    std::thread::Builder::new().name(name.to_owned()).spawn(work).map(drop)
}

fn wake_at_stop(ear: &Ear, stop: &CancellationToken) {
    let (path, stop) = (ear.path(), stop.clone());
    tokio::spawn(async move {
        stop.cancelled().await;
        nudge(&path);
    });
}

fn prune_regularly<D: Tables>(writer: mpsc::Sender<Work<D>>, clock: Clock, stop: CancellationToken) {
    tokio::spawn(async move {
        while stop.run_until_cancelled(tokio::time::sleep(PRUNE_EVERY)).await.is_some() {
            let before = from_ms(clock.now().as_millisecond() - RETENTION.as_millis() as i64);
            if writer.send(Work::Prune(before)).await.is_err() {
                return;
            }
        }
    });
}
