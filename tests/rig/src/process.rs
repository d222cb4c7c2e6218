//! Servers as processes: each ends with its owner, however that ends.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use rustix::process::{Pid, Signal, kill_process};

use crate::machine::User;
use crate::wait::wait_for;

/// From SIGKILL to the end, on a machine that is busy.
pub(crate) const KILLED: Duration = Duration::from_secs(20);
/// Shown of the log of a process that failed.
const LINES_SHOWN: usize = 30;

/// What is started, and how.
pub(crate) struct Launch<'a> {
    pub(crate) program: &'a Path,
    pub(crate) arguments: Vec<OsString>,
    /// Another user than this process's.
    pub(crate) user: Option<&'a User>,
    /// Sent to it when this process ends without having ended it.
    pub(crate) last_signal: &'a str,
    pub(crate) folder: &'a Path,
    pub(crate) log: PathBuf,
}

/// A server that runs, or has ended and was not asked for since. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
}

/// Refuses to start a server whose owner was gone before the kernel knew whom to tell: `$0` is the owner's process id.
const UNLESS_ORPHANED: &str = r#"[ "$PPID" = "$0" ] && exec "$@""#;

impl Process {
    /// Starts it in a process group of its own, so that Ctrl-C is for its owner alone.
    pub(crate) fn start(launch: &Launch<'_>) -> Result<Self> {
        let prefix = launch.user.map(User::prefix);
        let mut line: Vec<&OsStr> = prefix.iter().flatten().map(OsStr::new).collect();
        // A change of user makes the kernel forget the signal, so that is by itself and first.
        let owner = std::process::id().to_string();
        line.extend(["setpriv", "--pdeathsig", launch.last_signal].map(OsStr::new));
        line.extend(["sh", "-c", UNLESS_ORPHANED, &owner].map(OsStr::new));
        line.push(launch.program.as_os_str());
        line.extend(launch.arguments.iter().map(OsString::as_os_str));

        let log = File::options().create(true).append(true).open(&launch.log)?;
        let mut command = Command::new(line[0]);
        command.args(&line[1..]).current_dir(launch.folder).process_group(0);
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = spawn(command).with_context(|| format!("{} does not start", launch.program.display()))?;
        Ok(Self { child, log: launch.log.clone() })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// An error with the end of its log if it has ended by itself.
    pub(crate) fn demand_running(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => Err(anyhow!("it ended with {status}; its log's end:\n{}", tail(&self.log))),
        }
    }

    pub(crate) fn signal(&self, what: Signal) {
        signal(self.id(), what);
    }

    /// Asks it to end with `what`; one that has not after `patience` is left to be killed.
    pub(crate) fn stop(&mut self, what: Signal, patience: Duration) -> Result<()> {
        self.signal(what);
        wait_for(patience, "the server ends", || Ok(self.child.try_wait()?)).map(drop)
    }

    /// `kill -9`, and waits for its end.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            eprintln!("the end of {}:\n{}", self.log.display(), tail(&self.log));
        }
    }
}

/// Sends a signal; a process that has gone meanwhile has no need of it.
fn signal(id: u32, what: Signal) {
    if let Some(pid) = Pid::from_raw(id.cast_signed()) {
        let _ = kill_process(pid, what);
    }
}

pub(crate) fn signal_all(ids: &[u32], what: Signal) {
    for id in ids {
        signal(*id, what);
    }
}

/// The processes that it has started and that are still there.
pub(crate) fn children(id: u32) -> Vec<u32> {
    let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
    children.split_whitespace().filter_map(|child| child.parse().ok()).collect()
}

/// Every process of this machine.
pub(crate) fn all() -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// The process group that it is in.
pub(crate) fn group_of(id: u32) -> Option<u32> {
    let line = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    line.rsplit_once(") ")?.1.split(' ').nth(2)?.parse().ok()
}

/// Whether a path stands in its command line.
pub(crate) fn mentions(id: u32, path: &Path) -> bool {
    let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&line).contains(&*path.to_string_lossy())
}

/// The letter of its state (`proc_pid_stat(5)`): `T` when stopped, `Z` when dead; none once it is gone.
pub(crate) fn state(id: u32) -> Option<char> {
    let line = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    line.rsplit_once(") ")?.1.chars().next()
}

/// Whether it is gone, or dead and nobody has asked yet what it died of.
pub(crate) fn is_gone(id: u32) -> bool {
    state(id).is_none_or(|state| state == 'Z')
}

/// Stops processes where they stand, and waits until they have.
pub(crate) fn freeze(ids: &[u32]) -> Result<()> {
    signal_all(ids, Signal::STOP);
    let has_stopped = |id: &u32| is_gone(*id) || state(*id) == Some('T');
    wait_for(KILLED, "the processes have stopped", || Ok(ids.iter().all(has_stopped).then_some(())))
}

/// Kills stopped processes if this one ends before it has let them go on. Their parent's end would not: they cannot notice it.
#[derive(Debug)]
pub(crate) struct Keeper(Child);

impl Keeper {
    pub(crate) fn of(ids: &[u32]) -> Result<Self> {
        let mut shell = Command::new("sh");
        // The other end of its input closes when this process ends.
        shell.args(["-c", r#"read -r line; kill -KILL "$@""#, "keeper"]).process_group(0);
        shell.args(ids.iter().map(u32::to_string)).stdin(Stdio::piped()).stderr(Stdio::null());
        Ok(Self(spawn(shell)?))
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

type Order = (Command, Sender<io::Result<Child>>);

/// Starts a command from a thread that lives as long as this process: the kernel sends a child its last signal when the
/// *thread* ends that started it (`PR_SET_PDEATHSIG(2const)`), and a test's thread ends with the test.
fn spawn(command: Command) -> io::Result<Child> {
    static LAUNCHER: OnceLock<Sender<Order>> = OnceLock::new();
    let launcher = LAUNCHER.get_or_init(|| {
        let (orders, taken) = channel();
        thread::spawn(move || launch_all(&taken));
        orders
    });
    let (answer, answered) = channel();
    let gone = || io::Error::other("the launcher has ended");
    launcher.send((command, answer)).map_err(|_| gone())?;
    answered.recv().map_err(|_| gone())?
}

fn launch_all(orders: &Receiver<Order>) {
    for (mut command, answer) in orders {
        let _ = answer.send(command.spawn());
    }
}

/// The last lines of a log.
fn tail(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES_SHOWN)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stopped_processes_are_killed_when_their_owner_is_and_left_alone_when_it_lets_them_be() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let sleeper = Process::start(&Launch {
            program: Path::new("sleep"),
            arguments: vec!["600".into()],
            user: None,
            last_signal: "KILL",
            folder: folder.path(),
            log: folder.path().join("log"),
        })?;
        freeze(&[sleeper.id()])?;
        drop(Keeper::of(&[sleeper.id()])?);
        assert_eq!(state(sleeper.id()), Some('T'));

        let mut keeper = Keeper::of(&[sleeper.id()])?;
        // What the end of this process would do.
        drop(keeper.0.stdin.take());
        wait_for(KILLED, "the keeper has killed it", || Ok(is_gone(sleeper.id()).then_some(())))
    }
}
