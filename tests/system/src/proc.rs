//! What `/proc` knows about a process.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Seconds of processor time used so far, by the program and for it (`utime + stime`, `proc_pid_stat(5)`). Zero once it is gone.
pub fn cpu_seconds(pid: u32) -> f64 {
    let ticks: u64 =
        stat(pid).map_or(0, |fields| fields[11..13].iter().filter_map(|f| f.parse::<u64>().ok()).sum());
    ticks as f64 / rustix::param::clock_ticks_per_second() as f64
}

/// The letter of its state: `T` when stopped by a signal, `Z` when dead and not yet waited for.
pub fn state(pid: u32) -> Option<char> {
    stat(pid)?.first()?.chars().next()
}

/// Whether it is there and not dead.
pub fn alive(pid: u32) -> bool {
    state(pid).is_some_and(|state| state != 'Z')
}

/// Whether a signal has stopped every thread of it.
pub fn is_stopped(pid: u32) -> bool {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let states: Vec<_> =
        threads.filter_map(|thread| state(thread.file_name().to_str()?.parse().ok()?)).collect();
    !states.is_empty() && states.iter().all(|state| *state == 'T')
}

/// The first process that it started and that still runs.
pub fn first_child(pid: u32) -> Option<u32> {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
    children.split_whitespace().next()?.parse().ok()
}

/// The names of its threads, as far as the system keeps them (15 bytes); none once it is gone.
pub fn threads(pid: u32) -> Vec<String> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let names = threads.filter_map(|thread| fs::read_to_string(thread.path().join("comm")).ok());
    names.map(|name| name.trim().to_owned()).collect()
}

/// Memory in MB: `VmRSS` now, `VmHWM` at its highest (`proc_pid_status(5)`).
pub fn memory_mb(pid: u32, field: &str) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024.0)
}

/// Whether the command line has `word` as one of its arguments, or as the value of a flag (`--data=word`); tells our processes
/// from any other that has got the number.
pub fn has_argument(pid: u32, word: &Path) -> bool {
    let (arguments, word) = (fs::read(format!("/proc/{pid}/cmdline")), word.as_os_str().as_encoded_bytes());
    let is_word = |argument: &[u8]| {
        argument == word
            || argument.strip_suffix(word).is_some_and(|flag| flag.starts_with(b"--") && flag.ends_with(b"="))
    };
    arguments.unwrap_or_default().split(|byte| *byte == 0).any(is_word)
}

/// Any live process that has `word` as one of its arguments.
pub fn with_argument(word: &Path) -> Option<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.find(|pid| has_argument(*pid, word))
}

/// Whether the process holds a read mark in the WAL index of `database`, that is: is inside a read of it.
///
/// `SQLite` takes a shared lock on one of the bytes 123 to 127 of the `-shm` file (its `wal.c`: 120 + `WAL_READ_LOCK(i)`).
pub fn is_inside_read(pid: u32, database: &Path) -> bool {
    let mut shm = database.as_os_str().to_owned();
    shm.push("-shm");
    let Ok(inode) = fs::metadata(shm).map(|file| file.ino().to_string()) else { return false };
    let locks = fs::read_to_string("/proc/locks").unwrap_or_default();
    locks.lines().any(|line| is_read_mark(line, pid, &inode))
}

/// A line of `proc_locks(5)`: `1: POSIX  ADVISORY  READ 1234 fd:00:5678 123 123`.
fn is_read_mark(line: &str, pid: u32, inode: &str) -> bool {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [_, "POSIX", _, "READ", holder, file, from, to] = fields[..] else { return false };
    let is_mark = |byte: &str| byte.parse().is_ok_and(|byte: u32| (123..=127).contains(&byte));
    holder == pid.to_string() && file.rsplit(':').next() == Some(inode) && is_mark(from) && is_mark(to)
}

/// The fields of `/proc/<pid>/stat` after the name, which is in brackets and may contain anything: state first.
fn stat(pid: u32) -> Option<Vec<String>> {
    let line = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = line.rsplit_once(')')?;
    Some(rest.split_whitespace().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_mark_is_told_from_other_locks() {
        let held = "3: POSIX  ADVISORY  READ 77 fd:00:5678 124 124";
        assert!(is_read_mark(held, 77, "5678"));
        assert!(!is_read_mark(held, 78, "5678"));
        assert!(!is_read_mark(held, 77, "678"));
        assert!(!is_read_mark("3: POSIX  ADVISORY  READ 77 fd:00:5678 128 128", 77, "5678"));
        assert!(!is_read_mark("3: POSIX  ADVISORY  WRITE 77 fd:00:5678 124 124", 77, "5678"));
    }

    #[test]
    fn this_process_is_alive_and_has_memory() {
        let me = std::process::id();
        assert!(alive(me));
        // Read in this order: it may grow in between.
        let now = memory_mb(me, "VmRSS").expect("it has memory");
        let most = memory_mb(me, "VmHWM").expect("it has had memory");
        assert!(now > 0.0 && most >= now, "{now} MB now, {most} MB at most");
    }
}
