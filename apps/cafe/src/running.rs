//! What a running service leaves in `<data>/run`: its process id, and how it was started.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use cafe_delivery::{Lock, Place};
use cafe_events::Source;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How a service was started. Whoever reads it knows whether it is the service that is wanted now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Running {
    pub(crate) process: u32,
    pub(crate) program: Program,
    /// What decides how it behaves, as flags.
    pub(crate) arguments: Vec<String>,
    /// Where it is called on this machine.
    pub(crate) address: SocketAddr,
    /// Where it listens; none in what an older program wrote, which listened at `address` alone.
    #[serde(default)]
    pub(crate) listens_at: Option<SocketAddr>,
    /// Started by `cafe up`, rather than alone.
    pub(crate) watched: bool,
    pub(crate) started_at: Timestamp,
}

/// Which build of the program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Program {
    pub(crate) version: String,
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
    pub(crate) modified_at: Timestamp,
}

/// The files of this process; they go when it ends by itself, and say nothing when it was killed: the lock is gone then.
#[derive(Debug)]
pub(crate) struct Announced {
    _lock: Lock,
    files: [PathBuf; 2],
}

impl Running {
    /// Writes down that this process is `service`, unless another is.
    pub(crate) fn announce(&self, place: &Place, service: Source) -> anyhow::Result<Announced> {
        let name = place.name_of(service);
        let lock = place.lock(&lock_name(&name), &format!("the {service} service"))?;
        let files = [place.run().join(format!("{name}.pid")), record(place, &name)];
        let contents = [format!("{}\n", self.process), serde_json::to_string_pretty(self)?];
        for (file, content) in files.iter().zip(contents) {
            replace(file, &content).with_context(|| format!("{} cannot be written", file.display()))?;
        }
        Ok(Announced { _lock: lock, files })
    }

    /// The process that is `service` now.
    pub(crate) fn find(place: &Place, service: Source) -> Option<Self> {
        let name = place.name_of(service);
        let written = std::fs::read_to_string(record(place, &name)).ok()?;
        let running = serde_json::from_str(&written).ok()?;
        place.is_locked(&lock_name(&name)).then_some(running)
    }
}

/// An argument as the record has it: a folder's name need not be UTF-8, the record is.
pub(crate) fn written(argument: impl AsRef<OsStr>) -> String {
    argument.as_ref().to_string_lossy().into_owned()
}

/// Keeps `service` from running for as long as the answer is held.
pub(crate) fn exclude(place: &Place, service: Source) -> anyhow::Result<[Lock; 2]> {
    let what = format!("the {service} service");
    Ok([place.lock(&lock_name(service.name()), &what)?, place.lock(service.name(), &what)?])
}

impl Program {
    /// The program that is running this.
    pub(crate) fn this() -> anyhow::Result<Self> {
        let path = std::env::current_exe().context("the program's own file cannot be found")?;
        let about = std::fs::metadata(&path).with_context(|| format!("{} is gone", path.display()))?;
        let modified_at = Timestamp::try_from(about.modified()?)?;
        Ok(Self { version: env!("CARGO_PKG_VERSION").to_owned(), path, bytes: about.len(), modified_at })
    }
}

impl Drop for Announced {
    fn drop(&mut self) {
        for file in &self.files {
            let _ = std::fs::remove_file(file);
        }
    }
}

/// Whoever holds this lock is the service's process, from before it opens the database until its very end.
fn lock_name(name: &str) -> String {
    format!("{name}-process")
}

fn record(place: &Place, name: &str) -> PathBuf {
    place.run().join(format!("{name}.json"))
}

/// Nobody ever reads half of it.
fn replace(file: &Path, content: &str) -> std::io::Result<()> {
    let unfinished = file.with_extension(format!("new-{}", std::process::id()));
    std::fs::write(&unfinished, content)?;
    std::fs::rename(unfinished, file)
}
