//! A process that is watched: a child of ours, or one that an earlier `up` left behind.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal};
use tokio::process::Child;
use tokio_util::sync::CancellationToken;

/// Running, or ended and not yet noticed.
#[derive(Debug)]
pub(super) enum Process {
    /// Started here.
    Child(Child),
    /// Started by an earlier `up`.
    Adopted(Stranger),
}

/// A process that is not a child of ours.
#[derive(Debug)]
pub(super) struct Stranger {
    id: u32,
    /// Stands for this very process: its number may be given to another.
    descriptor: Arc<OwnedFd>,
    ended: CancellationToken,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    Code(i32),
    Signal(i32),
    /// It was not our child, so the system does not tell.
    Untold,
}

/// This very program, also when the file it was started from has been replaced since.
pub(super) fn this_program() -> PathBuf {
    let running = Path::new("/proc/self/exe");
    let identity = |path: &Path| std::fs::metadata(path).map(|about| (about.dev(), about.ino())).ok();
    let unchanged = |path: &PathBuf| identity(path).is_some() && identity(path) == identity(running);
    std::env::current_exe().ok().filter(unchanged).unwrap_or_else(|| running.to_owned())
}

impl Process {
    /// Starts a child in a process group of its own: Ctrl-C on the terminal is for `up`, which ends its children in order.
    pub(super) fn start(program: &Path, arguments: &[OsString]) -> io::Result<Self> {
        let mut command = std::process::Command::new(program);
        command.arg0("cafe").args(arguments).process_group(0).stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            // Everything that is set is among the arguments.
            if name.to_string_lossy().starts_with("CAFE_") && name != "CAFE_LOG" {
                command.env_remove(name);
            }
        }
        // The allocator of the GNU C library keeps a heap per thread otherwise.
        command.env("MALLOC_ARENA_MAX", "2");
        tokio::process::Command::from(command).spawn().map(Self::Child)
    }

    /// Takes over a process that is not a child of ours.
    pub(super) fn adopt(id: u32) -> io::Result<Self> {
        let descriptor = Arc::new(pidfd_open(pid(id)?, PidfdFlags::empty())?);
        let ended = CancellationToken::new();
        let (watched, end) = (Arc::clone(&descriptor), ended.clone());
        std::thread::Builder::new().name(format!("end of {id}")).spawn(move || {
            // It is readable once the process has ended (`pidfd_open(2)`).
            while poll(&mut [PollFd::new(&watched, PollFlags::IN)], None) == Err(Errno::INTR) {}
            end.cancel();
        })?;
        Ok(Self::Adopted(Stranger { id, descriptor, ended }))
    }

    /// The process id; none once a child's end was noticed.
    pub(super) fn id(&self) -> Option<u32> {
        match self {
            Self::Child(child) => child.id(),
            Self::Adopted(stranger) => Some(stranger.id),
        }
    }

    /// Completes as soon as the process has ended.
    pub(super) async fn exited(&mut self) -> Exit {
        match self {
            Self::Child(child) => child.wait().await.map_or(Exit::Untold, Exit::of),
            Self::Adopted(stranger) => {
                stranger.ended.cancelled().await;
                Exit::Untold
            }
        }
    }

    pub(super) fn signal(&self, signal: Signal) {
        // It may have ended this moment, which is what signals are for.
        let _ = match self {
            Self::Child(child) => child.id().map_or(Ok(()), |id| Ok(kill_process(pid(id)?, signal)?)),
            Self::Adopted(stranger) => {
                pidfd_send_signal(&stranger.descriptor, signal).map_err(io::Error::from)
            }
        };
    }

    /// Asks it to end, and kills it if it has not done so after `patience`.
    pub(super) async fn stop(&mut self, patience: Duration) -> Exit {
        self.signal(Signal::TERM);
        // One that was frozen could not hear it.
        self.signal(Signal::CONT);
        if let Ok(exit) = tokio::time::timeout(patience, self.exited()).await {
            return exit;
        }
        self.kill().await
    }

    pub(super) async fn kill(&mut self) -> Exit {
        self.signal(Signal::KILL);
        self.exited().await
    }
}

impl Exit {
    fn of(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Code(code),
            (None, Some(signal)) => Self::Signal(signal),
            (None, None) => Self::Untold,
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "ended with exit code {code}"),
            Self::Signal(signal) => write!(f, "was ended by signal {signal}"),
            Self::Untold => f.write_str("ended"),
        }
    }
}

fn pid(id: u32) -> io::Result<Pid> {
    i32::try_from(id)
        .ok()
        .and_then(Pid::from_raw)
        .ok_or_else(|| io::Error::other(format!("{id} is not a process id")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Process {
        Process::start(Path::new("/bin/sh"), &["-c".into(), script.into()]).unwrap()
    }

    #[tokio::test]
    async fn the_end_of_a_child_and_of_a_stranger_is_noticed() {
        let mut child = shell("read never; exit 7");
        assert_eq!(child.exited().await, Exit::Code(7));

        let mut child = shell("exec sleep 600");
        let mut stranger = Process::adopt(child.id().unwrap()).unwrap();
        stranger.signal(Signal::KILL);
        assert_eq!(stranger.exited().await, Exit::Untold);
        assert_eq!(child.exited().await, Exit::Signal(9));
    }

    #[tokio::test]
    async fn one_that_will_not_end_is_killed_and_a_frozen_one_ends_when_asked() {
        let mut deaf = shell("trap '' TERM; while :; do sleep 0.05; done");
        while !ignores_term(deaf.id().unwrap()) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(deaf.stop(Duration::from_millis(100)).await, Exit::Signal(9));

        let mut frozen = shell("exec sleep 600");
        frozen.signal(Signal::STOP);
        assert_eq!(frozen.stop(Duration::from_secs(20)).await, Exit::Signal(15));
    }

    fn ignores_term(id: u32) -> bool {
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
        u64::from_str_radix(ignored.trim(), 16).unwrap() & (1 << (Signal::TERM.as_raw() - 1)) != 0
    }
}
