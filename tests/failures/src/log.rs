//! What a test's own process logs, for rows that say what the owner reads there. A program that runs by itself writes it to a file.

use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use tracing_subscriber::filter::LevelFilter;

/// Lines of every test of this process, and of its threads.
#[derive(Debug)]
pub struct Log(Mutex<Vec<u8>>);

static LOG: Log = Log(Mutex::new(Vec::new()));
static BEGUN: Once = Once::new();

/// What is logged from the first call on. It is for all tests of a process, because `tracing` remembers across threads which lines
/// are wanted.
pub fn log() -> &'static Log {
    BEGUN.call_once(|| {
        tracing_subscriber::fmt()
            .with_max_level(LevelFilter::TRACE)
            .with_ansi(false)
            .with_writer(|| &LOG)
            .init();
    });
    &LOG
}

impl Log {
    /// All of it.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }

    /// Whether one line has all of these parts. Other tests log too: a part that only this one's lines have tells them apart.
    pub fn says(&self, parts: &[&str]) -> bool {
        self.text().lines().any(|line| parts.iter().all(|part| line.contains(part)))
    }

    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for &Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
