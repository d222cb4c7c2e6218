//! What a service knows of its own delivery; read by health, metrics and the watch-dog.

use std::sync::{Arc, Mutex, PoisonError};

use cafe_events::Source;
use serde::Serialize;

/// How delivery stands.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Status {
    /// One per service that is listened to.
    pub links: Vec<Link>,
    /// Events that wait for an earlier version.
    pub held: i64,
    /// Events that were set aside and wait for a person.
    pub parked: i64,
    /// How the outbox gets to its topic, where events are carried by a broker.
    pub relay: Option<RelayStatus>,
    /// Why turns cannot be committed at the moment.
    pub failing: Option<String>,
    /// Why this process answers nothing more.
    pub stopped: Option<String>,
}

/// How the listening to one service stands.
#[derive(Clone, Debug, Serialize)]
pub struct Link {
    /// Who is listened to.
    pub source: Source,
    /// The last position taken in.
    pub position: i64,
    /// The last position seen in the source's log.
    pub last: i64,
    /// When the oldest event that was seen but is not taken in was said, milliseconds since the Unix epoch.
    pub waiting_since_ms: Option<i64>,
    /// Why nothing can be heard at the moment (the source has no log yet), or ever (a gap).
    pub silent: Option<String>,
}

/// How the writing of the outbox to its topic stands.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RelayStatus {
    /// The last position that is in the topic.
    pub position: i64,
    /// The last position of the outbox.
    pub last: i64,
    /// Why nothing can be written at the moment.
    pub silent: Option<String>,
}

impl Status {
    /// Why nothing can be written, and up to where there is something to write, if that is known.
    pub(crate) fn relay_says(&mut self, last: Option<i64>, silent: Option<String>) {
        let relay = self.relay.get_or_insert_default();
        relay.last = last.unwrap_or(relay.last);
        relay.silent = silent;
    }
}

impl RelayStatus {
    /// How many events wait for the topic.
    pub fn behind(&self) -> i64 {
        (self.last - self.position).max(0)
    }
}

impl Link {
    pub(crate) fn new(source: Source, position: i64) -> Self {
        Self { source, position, last: position, waiting_since_ms: None, silent: None }
    }

    /// How many events are waiting.
    pub fn behind(&self) -> i64 {
        (self.last - self.position).max(0)
    }
}

/// Shared by whoever reports.
#[derive(Clone, Debug, Default)]
pub struct Board(Arc<Mutex<Status>>);

impl Board {
    /// As it is now.
    pub fn read(&self) -> Status {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Status)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(crate) fn link(&self, source: Source, change: impl FnOnce(&mut Link)) {
        self.change(|status| {
            if let Some(link) = status.links.iter_mut().find(|link| link.source == source) {
                change(link);
            }
        });
    }
}
