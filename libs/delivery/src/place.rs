//! Where a cafe keeps its files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use cafe_events::Source;
use cafe_store::{Connection, Database, Server, ServerError};
use serde::{Deserialize, Serialize};

use crate::tables;

/// Where a cafe keeps everything.
#[derive(Clone, Debug)]
pub struct Place {
    /// The folder of its files.
    pub data: PathBuf,
    /// Where each service's database is, if not in the folder.
    servers: BTreeMap<Source, Server>,
    /// Which Kafka carries a service's events, if any does.
    kafka: BTreeMap<Source, KafkaSettings>,
    /// Which of them `cafe move` has brought there.
    moved: BTreeSet<Source>,
    /// Which of several processes of a service on this folder.
    replica: Option<String>,
}

/// What a cafe uses beyond its data folder; nothing by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rungs {
    /// The address of a `PostgreSQL` server, as [`Server::of_service`] reads it.
    pub database: Option<String>,
    /// The Kafka that carries events.
    pub kafka: Option<KafkaSettings>,
    /// A name for each of several processes of a service on one folder.
    pub replica: Option<String>,
}

/// Where a service's database was moved to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// The server's address, as [`Server::of_service`] reads it.
    pub database: String,
    /// The Kafka that carries the service's events from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kafka: Option<KafkaSettings>,
}

impl Moved {
    /// What a database says of where it was moved to.
    pub(crate) fn of(db: &mut Connection) -> Option<Self> {
        serde_json::from_str(&tables::moved_to(db)?).ok()
    }
}

/// How Kafka is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KafkaSettings {
    /// `host:port`, separated by commas.
    pub brokers: String,
    /// Settings of librdkafka by name, such as `security.protocol`.
    pub options: Vec<(String, String)>,
}

/// Why a place cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// The folder.
    #[error("the data folder {path} cannot be used: {error}; name one that this user can write with --data")]
    Unusable {
        /// Which folder.
        path: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// Another process holds the lock.
    #[error("{what} already runs on {path}{holder}; stop it first, or name another folder with --data")]
    InUse {
        /// What runs, such as `the order service`.
        what: String,
        /// The data folder.
        path: String,
        /// ` (process 123)`, where known.
        holder: String,
    },
}

/// A lock on a part of a data folder. It ends with the process, however it dies.
#[derive(Debug)]
pub struct Held(#[expect(dead_code, reason = "held open; the lock ends when it closes")] File);

impl Place {
    /// A cafe in the folder `data`, which may not exist yet.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            servers: BTreeMap::new(),
            kafka: BTreeMap::new(),
            moved: BTreeSet::new(),
            replica: None,
        }
    }

    /// A cafe that uses more than its folder.
    ///
    /// # Errors
    /// The address of the database's server cannot be used.
    pub fn on(data: impl Into<PathBuf>, rungs: &Rungs) -> Result<Self, ServerError> {
        let mut place = Self::new(data);
        for source in Source::ALL {
            if let Some(address) = &rungs.database {
                place.servers.insert(source, Server::of_service(address, source.name())?);
            }
            if let Some(kafka) = &rungs.kafka {
                place.kafka.insert(source, kafka.clone());
            }
            place.follow(source);
        }
        Ok(Self { replica: rungs.replica.clone(), ..place })
    }

    /// Whether the service's database is where `cafe move` has left word that it is.
    pub fn was_moved(&self, source: Source) -> bool {
        self.moved.contains(&source)
    }

    /// Goes where `cafe move` has left word that the service's database is now.
    fn follow(&mut self, source: Source) {
        let file = self.file(source);
        if self.servers.contains_key(&source) || !file.exists() {
            return;
        }
        let Some(moved) = Connection::open_reader(&file).ok().and_then(|mut db| Moved::of(&mut db)) else {
            return;
        };
        if let Ok(server) = Server::of_service(&moved.database, source.name()) {
            self.servers.insert(source, server);
            self.moved.insert(source);
            if let Some(kafka) = moved.kafka {
                self.kafka.entry(source).or_insert(kafka);
            }
        }
    }

    /// The service's database.
    pub fn database(&self, source: Source) -> Database {
        match self.servers.get(&source) {
            Some(server) => Database::Server(server.clone()),
            None => Database::File(self.file(source)),
        }
    }

    /// The file of the service's database, where it is kept in the folder.
    pub fn file(&self, source: Source) -> PathBuf {
        self.data.join(format!("{source}.sqlite"))
    }

    /// Which Kafka carries the service's events, if any does.
    pub fn kafka(&self, source: Source) -> Option<&KafkaSettings> {
        self.kafka.get(&source)
    }

    /// What a service's files in [`Place::run`] are called: each replica has its own.
    pub fn name_of(&self, source: Source) -> String {
        match &self.replica {
            Some(replica) => format!("{source}-{replica}"),
            None => source.to_string(),
        }
    }

    /// The folder of locks, process ids and sockets.
    pub fn run(&self) -> PathBuf {
        self.data.join("run")
    }

    /// The socket that `listener` waits on for news from `speaker`.
    pub(crate) fn wake_socket(&self, listener: Source, speaker: Source) -> PathBuf {
        // One folder has one name here, however it was given to each service.
        let run = self.run().canonicalize().unwrap_or_else(|_| self.run());
        let plain = run.join(format!("{listener}-hears-{speaker}.wake"));
        if plain.as_os_str().len() <= LONGEST_SOCKET_PATH {
            return plain;
        }
        let hash = cafe_events::content_hash("wake", &plain.to_string_lossy());
        std::env::temp_dir().join(format!("cafe-{hash:016x}.wake"))
    }

    /// Makes the folders.
    pub fn prepare(&self) -> Result<(), PlaceError> {
        std::fs::create_dir_all(self.run()).map_err(|error| self.unusable(error))
    }

    /// Takes the lock `name` for `what`; only one process at a time holds it.
    pub fn lock(&self, name: &str, what: &str) -> Result<Held, PlaceError> {
        self.prepare()?;
        let path = self.run().join(format!("{name}.lock"));
        let mut file = File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path)
            .map_err(|error| self.unusable(error))?;
        match lock_patiently(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let _ = file.read_to_string(&mut holder);
                let holder = holder.trim();
                return Err(PlaceError::InUse {
                    what: what.to_owned(),
                    path: self.data.display().to_string(),
                    holder: if holder.is_empty() { String::new() } else { format!(" (process {holder})") },
                });
            }
            Err(TryLockError::Error(error)) => return Err(self.unusable(error)),
        }
        let written = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()));
        written.map_err(|error| self.unusable(error))?;
        Ok(Held(file))
    }

    /// Whether some process holds the lock `name`.
    pub fn is_locked(&self, name: &str) -> bool {
        let path: &Path = &self.run().join(format!("{name}.lock"));
        File::open(path).is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    fn unusable(&self, error: std::io::Error) -> PlaceError {
        PlaceError::Unusable { path: self.data.display().to_string(), error }
    }
}

/// Somebody who only looks whether the lock is held ([`Place::is_locked`]) holds it for a moment.
fn lock_patiently(file: &File) -> Result<(), TryLockError> {
    const TRIES: u32 = 5;
    const PAUSE: Duration = Duration::from_millis(10);
    for _ in 1..TRIES {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
            outcome => return outcome,
        }
    }
    file.try_lock()
}

/// A Unix socket's path has at most 108 bytes on Linux (`unix(7)`), 104 elsewhere.
const LONGEST_SOCKET_PATH: usize = 100;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::*;

    #[test]
    fn a_speaker_and_a_listener_that_call_a_deep_folder_by_different_names_meet_at_one_socket() {
        let folder = tempfile::tempdir().unwrap();
        let deep = Place::new(folder.path().join("a deep folder".repeat(8)));
        deep.prepare().unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&deep.data, &link).unwrap();
        let socket = |place: &Place| place.wake_socket(Source::Order, Source::Payment);
        assert_eq!(socket(&deep), socket(&Place::new(link)));
        assert!(socket(&deep).as_os_str().len() <= LONGEST_SOCKET_PATH);
    }
}
