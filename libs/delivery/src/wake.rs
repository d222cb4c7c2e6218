//! Nudges after each commit: a datagram to every listener's socket, a hint through the database's server, or a signal within
//! the process. A nudge may be lost; behind each stands a slow poll.

use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use cafe_events::Source;

use crate::Place;

/// Rung by a speaker after each commit.
pub(crate) struct Bell {
    socket: Option<UnixDatagram>,
    listeners: Vec<PathBuf>,
}

/// A nudge within this process. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Signal(Arc<(Mutex<bool>, Condvar)>);

/// What a listener waits on.
pub(crate) enum Ear {
    /// For another process of this machine.
    Socket(Socket),
    /// For this process.
    Signal(Signal),
}

/// Heard by a listener.
pub(crate) struct Socket {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Bell {
    pub(crate) fn new(place: &Place, speaker: Source) -> Self {
        let socket = UnixDatagram::unbound().and_then(|socket| socket.set_nonblocking(true).map(|()| socket));
        let listeners = speaker.heard_by().map(|listener| place.wake_socket(listener, speaker)).collect();
        Self { socket: socket.ok(), listeners }
    }

    /// Never waits and never fails: a listener that is not there, or has nudges enough, polls.
    pub(crate) fn ring(&self) {
        if let Some(socket) = &self.socket {
            for listener in &self.listeners {
                let _ = socket.send_to(&[1], listener);
            }
        }
    }
}

impl Signal {
    pub(crate) fn ring(&self) {
        let (rung, changed) = &*self.0;
        *rung.lock().unwrap_or_else(PoisonError::into_inner) = true;
        changed.notify_all();
    }

    /// Waits until it is rung, `patience` at most; one ring ends one wait.
    pub(crate) fn wait(&self, patience: Duration) {
        let (rung, changed) = &*self.0;
        let rung = rung.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = changed.wait_timeout_while(rung, patience, |rung| !*rung);
        *waited.unwrap_or_else(PoisonError::into_inner).0 = false;
    }
}

impl Ear {
    /// Waits for a nudge, `patience` at most.
    pub(crate) fn wait(&mut self, patience: Duration) {
        match self {
            Self::Socket(socket) => socket.wait(patience),
            Self::Signal(signal) => signal.wait(patience),
        }
    }

    /// Something that ends a wait early.
    pub(crate) fn nudge(&self) -> Box<dyn FnOnce() + Send> {
        match self {
            Self::Socket(socket) => {
                let path = socket.path.clone();
                Box::new(move || nudge(&path))
            }
            Self::Signal(signal) => {
                let signal = signal.clone();
                Box::new(move || signal.ring())
            }
        }
    }
}

impl Socket {
    pub(crate) fn new(place: &Place, listener: Source, speaker: Source) -> io::Result<Self> {
        let path = place.wake_socket(listener, speaker);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        Ok(Self { socket: UnixDatagram::bind(&path)?, path })
    }

    fn wait(&mut self, patience: Duration) {
        let mut nudge = [0; 8];
        let _ = self.socket.set_read_timeout(Some(patience));
        if self.socket.recv(&mut nudge).is_ok() {
            // Nudges that came meanwhile are about the same news.
            let _ = self.socket.set_nonblocking(true);
            while self.socket.recv(&mut nudge).is_ok() {}
            let _ = self.socket.set_nonblocking(false);
        } else if !self.path.exists() {
            // Somebody has cleaned up: nudges go nowhere until the socket has its name again.
            if let Ok(socket) = UnixDatagram::bind(&self.path) {
                self.socket = socket;
            }
        }
    }
}

fn nudge(path: &std::path::Path) {
    if let Ok(socket) = UnixDatagram::unbound() {
        let _ = socket.set_nonblocking(true);
        let _ = socket.send_to(&[1], path);
    }
}
