//! The network between a client and a server, and what can happen to it.

use std::net::SocketAddr;
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};
use std::{fmt, io};

use anyhow::{Context, Result};
use rustix::net::sockopt::set_socket_linger;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::port::Port;

/// Further connections wait to be accepted.
const CONNECTIONS_MAX: usize = 512;
/// Connections that wait to be accepted.
const BACKLOG: u32 = 128;
/// Held at most of each direction of a connection.
const CHUNK_BYTES: usize = 64 << 10;

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// What the client says reaches the server; the answers do not come.
    ClientToServer,
    /// What the server says reaches the client; the client is not heard.
    ServerToClient,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Healed,
    Cut,
    Stalled,
    OneWay(Direction),
}

/// A TCP proxy on a free port of the loopback interface. Each change has happened when its function returns. Dropping it resets
/// every connection.
pub struct Proxy {
    port: Port,
    modes: Option<UnboundedSender<Change>>,
    thread: Option<JoinHandle<()>>,
}

/// What is asked for, and who waits for it.
type Change = (Mode, Sender<io::Result<()>>);

impl Proxy {
    /// A proxy that passes everything on to `server`, which need not listen yet: until it does, connections are reset.
    ///
    /// # Errors
    /// If no port is free.
    pub fn to(server: SocketAddr) -> Result<Self> {
        let port = Port::free()?;
        let address = port.address();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (modes, changes) = unbounded_channel();
        let thread = thread::Builder::new().name("proxy".to_owned());
        let thread = thread.spawn(move || runtime.block_on(serve(address, server, changes)))?;
        let proxy = Self { port, modes: Some(modes), thread: Some(thread) };
        proxy.change(Mode::Healed).context("the proxy cannot listen")?;
        Ok(proxy)
    }

    /// Where it listens on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// Resets every connection and refuses new ones.
    pub fn cut(&self) {
        let _ = self.change(Mode::Cut);
    }

    /// Accepts and holds connections, and passes nothing either way, as when packets are dropped.
    pub fn stall(&self) {
        let _ = self.change(Mode::Stalled);
    }

    /// Passes bytes one way only.
    pub fn one_way(&self, direction: Direction) {
        let _ = self.change(Mode::OneWay(direction));
    }

    /// Passes everything again; what was held goes on its way.
    ///
    /// # Panics
    /// If its port cannot be listened on again.
    pub fn heal(&self) {
        self.change(Mode::Healed).expect("the port was kept");
    }

    fn change(&self, mode: Mode) -> io::Result<()> {
        let (done, is_done) = channel();
        let gone = || io::Error::other("the proxy has ended");
        self.modes.as_ref().ok_or_else(gone)?.send((mode, done)).map_err(|_| gone())?;
        is_done.recv().map_err(|_| gone())?
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // Without anyone to ask for changes it ends.
        self.modes = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({})", self.port.number())
    }
}

impl Mode {
    fn passes(self, direction: Direction) -> bool {
        self == Self::Healed || self == Self::OneWay(direction)
    }
}

async fn serve(address: SocketAddr, server: SocketAddr, mut changes: UnboundedReceiver<Change>) {
    let (mode, seen) = watch::channel(Mode::Cut);
    let mut listener = None;
    let mut connections = JoinSet::new();
    loop {
        let has_room = connections.len() < CONNECTIONS_MAX;
        tokio::select! {
            change = changes.recv() => {
                let Some((wanted, done)) = change else { return };
                let outcome = if wanted == Mode::Cut {
                    listener = None;
                    connections.shutdown().await;
                    Ok(())
                } else {
                    listen_unless_listening(address, &mut listener)
                };
                mode.send_replace(wanted);
                let _ = done.send(outcome);
            }
            Some(client) = accept(listener.as_ref()), if has_room => {
                connections.spawn(carry(client, server, seen.clone()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

fn listen_unless_listening(address: SocketAddr, listener: &mut Option<TcpListener>) -> io::Result<()> {
    if listener.is_none() {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        *listener = Some(socket.listen(BACKLOG)?);
    }
    Ok(())
}

async fn accept(listener: Option<&TcpListener>) -> Option<TcpStream> {
    Some(listener?.accept().await.ok()?.0)
}

/// Carries one connection to its end. Sockets that are dropped before both sides have closed are reset.
async fn carry(mut client: TcpStream, server: SocketAddr, mut mode: watch::Receiver<Mode>) -> io::Result<()> {
    reset_when_dropped(&client, true)?;
    let is_reachable = |mode: &Mode| *mode != Mode::Stalled;
    mode.wait_for(is_reachable).await.map_err(io::Error::other)?;
    let mut server = TcpStream::connect(server).await?;
    reset_when_dropped(&server, true)?;
    for stream in [&client, &server] {
        stream.set_nodelay(true)?;
    }
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    tokio::try_join!(
        pass(Direction::ClientToServer, &mut from_client, &mut to_server, mode.clone()),
        pass(Direction::ServerToClient, &mut from_server, &mut to_client, mode),
    )?;
    reset_when_dropped(&client, false)?;
    reset_when_dropped(&server, false)
}

async fn pass(
    direction: Direction,
    from: &mut (impl AsyncReadExt + Unpin),
    to: &mut (impl AsyncWriteExt + Unpin),
    mut mode: watch::Receiver<Mode>,
) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let count = from.read(&mut chunk).await?;
        // Also an end is held back: it is a packet like any other.
        mode.wait_for(|mode| mode.passes(direction)).await.map_err(io::Error::other)?;
        if count == 0 {
            return to.shutdown().await;
        }
        to.write_all(&chunk[..count]).await?;
    }
}

/// With a linger time of zero, closing a socket resets its connection (`tcp(7)`).
fn reset_when_dropped(stream: &TcpStream, reset: bool) -> io::Result<()> {
    Ok(set_socket_linger(stream, reset.then_some(std::time::Duration::ZERO))?)
}
