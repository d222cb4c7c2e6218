//! Making the simulator fail while it runs: the file `<data>/simulator.outage` holds one word.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The file's name within the data folder.
pub const FILE: &str = "simulator.outage";
/// The file is read this often at most, in real time.
const READ_EVERY: Duration = Duration::from_millis(100);

/// How the simulator fails, for every token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outage {
    /// `error`: it answers every call with an error and does nothing.
    Error,
    /// `silent`: it does what is asked, but no answer comes, nor to a look-up.
    Silent,
    /// `slow`: every answer takes 5 s.
    Slow,
    /// `late`: no charge is answered; each is found only after 30 s.
    Late,
}

/// The file, read now and then.
#[derive(Clone, Debug)]
pub(super) struct OutageFile {
    path: PathBuf,
    read: Arc<Mutex<Option<Read>>>,
}

#[derive(Clone, Copy, Debug)]
struct Read {
    at: Instant,
    outage: Option<Outage>,
}

impl OutageFile {
    pub(super) fn new(data: &Path) -> Self {
        Self { path: data.join(FILE), read: Arc::default() }
    }

    /// How it fails at the moment, if it does. No file, or another word in it, is no outage.
    pub(super) fn now(&self) -> Option<Outage> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = read.filter(|before| before.at.elapsed() < READ_EVERY) {
            return before.outage;
        }
        let word = std::fs::read_to_string(&self.path).unwrap_or_default();
        let outage = match word.trim() {
            "error" => Some(Outage::Error),
            "silent" => Some(Outage::Silent),
            "slow" => Some(Outage::Slow),
            "late" => Some(Outage::Late),
            _ => None,
        };
        *read = Some(Read { at: Instant::now(), outage });
        outage
    }
}
