//! Answering HTTP/1.1 on a socket, within limits, until told to stop.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{Request, StatusCode};
use axum::response::Response;
use axum::routing::RouterIntoService;
use cafe_clock::Ids;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::Problem;
use crate::bind::Listeners;
use crate::guard::{Guard, is_for_watchers};
use crate::lingering::Lingering;
use crate::nearness::{OverLoopback, is_loopback};
use crate::problem::MEDIA_TYPE;

/// What a service takes on at most.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections open at once, open event streams included. Further ones are answered 503 and closed.
    pub connections: usize,
    /// Of these, how many only callers on this machine get: who fills a service from elsewhere must not have it look dead to
    /// whoever watches over it.
    pub kept_for_this_machine: usize,
    /// Requests being answered at once. Further ones are answered 503. An event stream counts until its first byte.
    pub in_flight: usize,
    /// How long a request's head may take to arrive, and so how long a connection may be idle.
    pub head: Duration,
    /// How long a stop waits for answers that are on their way.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            kept_for_this_machine: 64,
            in_flight: 2048,
            head: Duration::from_secs(20),
            drain: Duration::from_secs(5),
        }
    }
}

impl Limits {
    /// A place for one more connection. Only the loop that accepts takes them, so there are not fewer after the look.
    fn slot(&self, slots: &Arc<Semaphore>, is_near: bool) -> Option<OwnedSemaphorePermit> {
        let has_room = is_near || slots.available_permits() > self.kept_for_this_machine;
        if has_room { Arc::clone(slots).try_acquire_owned().ok() } else { None }
    }
}

/// Answers requests by `router` on every socket of `listeners` until `stop`, then lets the answers on their way finish.
///
/// Adds what every service has: a place in a trace, a log line and metrics per request, the limits, problems for unknown
/// addresses and methods, and a 500 problem where a handler panics. Traces that begin here are named by `ids`.
///
/// # Errors
/// When the socket cannot be used. A connection that fails is no error.
pub async fn serve(
    listeners: impl Into<Listeners>,
    router: Router,
    ids: Ids,
    stop: CancellationToken,
) -> io::Result<()> {
    serve_within(listeners, router, ids, stop, Limits::default()).await
}

/// As [`serve`], within other limits.
pub async fn serve_within(
    listeners: impl Into<Listeners>,
    router: Router,
    ids: Ids,
    stop: CancellationToken,
    limits: Limits,
) -> io::Result<()> {
    allow_open_files(limits.connections);
    let door = Door::open(listeners.into())?;
    let server = Server::new(router, ids, &stop, limits);
    server.tasks.spawn(crate::metrics_page::keep_sorting(stop.clone()));
    let slots = Arc::new(Semaphore::new(limits.connections));
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            accepted = door.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                wait_after(&error).await;
                continue;
            }
        };
        let is_near = is_loopback(peer);
        match limits.slot(&slots, is_near) {
            Some(slot) => server.take(stream, is_near, slot),
            None => server.turn_away(stream),
        }
    }
    drop(door);
    server.drain(limits.drain).await;
    Ok(())
}

/// The sockets that connections come in by.
struct Door {
    told: TcpListener,
    own: Option<TcpListener>,
}

impl Door {
    fn open(listeners: Listeners) -> io::Result<Self> {
        let (told, own) = listeners.sockets();
        let open = |socket: std::net::TcpListener| {
            socket.set_nonblocking(true)?;
            TcpListener::from_std(socket)
        };
        Ok(Self { told: open(told)?, own: own.map(open).transpose()? })
    }

    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let Some(own) = &self.own else { return self.told.accept().await };
        tokio::select! {
            accepted = self.told.accept() => accepted,
            accepted = own.accept() => accepted,
        }
    }
}

/// The connections of a service.
struct Server {
    http: http1::Builder,
    service: TowerToHyperService<RouterIntoService<Incoming>>,
    tasks: TaskTracker,
    turned_away: Arc<Semaphore>,
    stop: CancellationToken,
    cut: CancellationToken,
}

/// How many callers are told at once that there are too many; further ones are closed without a word.
const TURNED_AWAY_AT_ONCE: usize = 64;

impl Server {
    fn new(router: Router, ids: Ids, stop: &CancellationToken, limits: Limits) -> Self {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(limits.head);
        let router = router
            .fallback(no_such_address)
            .method_not_allowed_fallback(no_such_method)
            .layer(Guard::new(limits.in_flight, ids));
        Self {
            http,
            service: TowerToHyperService::new(router.into_service()),
            tasks: TaskTracker::new(),
            turned_away: Arc::new(Semaphore::new(TURNED_AWAY_AT_ONCE)),
            stop: stop.clone(),
            cut: CancellationToken::new(),
        }
    }

    /// Answers on a connection until it closes, or the service stops.
    fn take(&self, stream: TcpStream, is_near: bool, slot: OwnedSemaphorePermit) {
        let (stop, cut) = (self.stop.clone(), self.cut.clone());
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection was gone before it was used");
        }
        let io = TokioIo::new(Lingering::new(stream, stop.clone()));
        let service = Connected { service: self.service.clone(), is_near };
        let connection = self.http.serve_connection(io, service);
        self.tasks.spawn(async move {
            let mut connection = std::pin::pin!(connection);
            let outcome = tokio::select! {
                biased;
                () = stop.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    tokio::select! {
                        outcome = connection => outcome,
                        () = cut.cancelled() => Ok(()),
                    }
                }
                outcome = connection.as_mut() => outcome,
            };
            if let Err(error) = outcome {
                tracing::debug!(%error, "a connection ended early");
            }
            drop(slot);
        });
    }

    /// Says that there are too many connections, without reading what is asked.
    fn turn_away(&self, mut stream: TcpStream) {
        let Ok(place) = Arc::clone(&self.turned_away).try_acquire_owned() else { return };
        tracing::warn!("a connection was turned away: there are too many");
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            if stream.write_all(&too_many_connections()).await.is_ok() {
                let _ = Lingering::new(stream, stop).shutdown().await;
            }
            drop(place);
        });
    }

    async fn drain(self, limit: Duration) {
        self.tasks.close();
        if tokio::time::timeout(limit, self.tasks.wait()).await.is_err() {
            tracing::warn!(connections = self.tasks.len(), "cut off what was not answered in time");
            self.cut.cancel();
            self.tasks.wait().await;
        }
    }
}

/// What answers on one connection.
struct Connected {
    service: TowerToHyperService<RouterIntoService<Incoming>>,
    is_near: bool,
}

impl Service<Request<Incoming>> for Connected {
    type Response = Response;
    type Error = Infallible;
    type Future = <TowerToHyperService<RouterIntoService<Incoming>> as Service<Request<Incoming>>>::Future;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        // Marked only where somebody looks for it: a mark is an allocation, and this is on the path of every request.
        if self.is_near && is_for_watchers(request.uri().path()) {
            request.extensions_mut().insert(OverLoopback);
        }
        self.service.call(request)
    }
}

/// An answer to a caller whose request is not read.
fn too_many_connections() -> Vec<u8> {
    let json = Problem::busy().json();
    let head = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: {MEDIA_TYPE}\r\ncontent-length: {}\r\n\
         retry-after: 1\r\nconnection: close\r\n\r\n",
        json.len()
    );
    [head.into_bytes(), json].concat()
}

async fn no_such_address() -> Problem {
    Problem::not_found("No such address; /openapi.json lists them all.")
}

async fn no_such_method() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method-not-allowed",
        "This address does not take that method.",
    )
    .detail("The header `Allow` lists those it takes.")
}

/// Out of file descriptors or memory, accepting fails at once, again and again, until something closes.
async fn wait_after(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        tracing::warn!(%error, "no connection can be accepted for the moment");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A shell's limit of open files is often 1,024, less than the connections that are let in.
fn allow_open_files(connections: usize) {
    use rustix::process::{Resource, getrlimit, setrlimit};
    /// For databases, logs and peers.
    const OTHERS: u64 = 256;
    let wanted = connections as u64 + OTHERS;
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < wanted) {
        limit.current = Some(limit.maximum.map_or(wanted, |maximum| maximum.min(wanted)));
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            tracing::warn!(%error, wanted, "the limit of open files stays low");
        }
    }
}
