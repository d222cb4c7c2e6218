//! A nudge after each commit: a datagram to every listener's socket. It carries nothing and may be lost; behind it stands a
//! slow poll.

use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::time::Duration;

use cafe_events::Source;

use crate::Place;

/// Rung by a speaker after each commit.
pub(crate) struct Bell {
    socket: Option<UnixDatagram>,
    listeners: Vec<PathBuf>,
}

/// Heard by a listener.
pub(crate) struct Ear {
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

impl Ear {
    pub(crate) fn new(place: &Place, listener: Source, speaker: Source) -> io::Result<Self> {
        let path = place.wake_socket(listener, speaker);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        Ok(Self { socket: UnixDatagram::bind(&path)?, path })
    }

    /// Waits for a nudge, `patience` at most.
    pub(crate) fn wait(&mut self, patience: Duration) {
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

    /// A way to end a wait early.
    pub(crate) fn path(&self) -> PathBuf {
        self.path.clone()
    }
}

/// Ends a wait early.
pub(crate) fn nudge(path: &std::path::Path) {
    if let Ok(socket) = UnixDatagram::unbound() {
        let _ = socket.set_nonblocking(true);
        let _ = socket.send_to(&[1], path);
    }
}
