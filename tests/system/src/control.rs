//! What the machine itself does while a cafe is measured: a program that does nothing but sync a small file says when it
//! could not.

use std::fs::File;
use std::io::{Seek, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::Outage;

/// Between two syncs.
const PAUSE: Duration = Duration::from_millis(20);
/// A pause and a sync take a thirtieth of this on a machine that works.
const STALLED: Duration = Duration::from_millis(300);

/// Syncs until it is asked.
#[derive(Debug)]
pub(crate) struct Control {
    started: Instant,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Outage>>,
}

impl Control {
    /// Begins, on the disk that temporary folders are on, as everything of a test is.
    pub(crate) fn start() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let mut file = tempfile::tempfile().expect("a temporary file can be made");
        let thread = std::thread::spawn(move || {
            let mut stalls = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                let from = Instant::now();
                std::thread::sleep(PAUSE);
                sync(&mut file);
                if from.elapsed() > STALLED {
                    stalls.push(Outage { from, to: Instant::now() });
                }
            }
            stalls
        });
        Self { started: Instant::now(), stop, thread }
    }

    /// When the machine stood still.
    ///
    /// # Panics
    /// If it did so for more than a tenth of the time: then nothing can be said of a program that ran on it.
    pub(crate) fn stalls(self) -> Vec<Outage> {
        self.stop.store(true, Ordering::Relaxed);
        let stalls = self.thread.join().expect("the control ends well");
        let (lost, all) = (stalls.iter().map(Outage::length).sum::<Duration>(), self.started.elapsed());
        if !stalls.is_empty() {
            println!("the machine stood still {} times, {lost:?} of {all:?} in all", stalls.len());
        }
        assert!(
            lost * 10 < all,
            "this machine stood still for {lost:?} of {all:?}: nothing can be told on it"
        );
        stalls
    }
}

fn sync(file: &mut File) {
    let synced = file.rewind().and_then(|()| file.write_all(&[0; 4096])).and_then(|()| file.sync_data());
    synced.expect("a temporary file can be written");
}
