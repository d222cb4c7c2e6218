//! Writes lines from a thread of its own, so that a terminal that stands still (Ctrl-S, a full pipe) stops nobody.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, mpsc::TrySendError};
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// Lines that wait for a slow terminal; further ones are lost and counted.
const LINES_WAITING: usize = 4_096;
/// How long the end of the program waits for the last lines to be written.
const LAST_LINES_TIMEOUT: Duration = Duration::from_millis(500);

/// Takes lines and never fails.
#[derive(Clone)]
pub(super) struct Lines {
    queue: SyncSender<Job>,
    lost: Arc<AtomicU64>,
}

/// Writes out what is waiting when it is dropped.
pub(crate) struct Flush(SyncSender<Job>);

enum Job {
    Write(Box<[u8]>),
    Flush(Sender<()>),
}

impl Lines {
    pub(super) fn to_standard_error() -> (Self, Flush) {
        let (queue, jobs) = sync_channel(LINES_WAITING);
        let lost = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&lost);
        // Without this thread nothing is logged, and that alone must not keep a service from starting.
        let _ = std::thread::Builder::new().name("log".to_owned()).spawn(move || write_out(&jobs, &counted));
        (Self { queue: queue.clone(), lost }, Flush(queue))
    }
}

fn write_out(jobs: &Receiver<Job>, lost: &AtomicU64) {
    for job in jobs {
        match job {
            Job::Write(line) => {
                let _ = io::stderr().write_all(&line);
                let lines = lost.swap(0, Ordering::Relaxed);
                if lines > 0 {
                    let _ =
                        writeln!(io::stderr(), "({lines} log lines were lost: standard error was not read)");
                }
            }
            Job::Flush(done) => drop(done.send(())),
        }
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> &'a Self {
        self
    }
}

impl Write for &Lines {
    /// The formatter writes a whole line at once.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if let Err(TrySendError::Full(_)) = self.queue.try_send(Job::Write(line.into())) {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Flush {
    fn drop(&mut self) {
        let (done, written) = channel();
        if self.0.try_send(Job::Flush(done)).is_ok() {
            let _ = written.recv_timeout(LAST_LINES_TIMEOUT);
        }
    }
}
