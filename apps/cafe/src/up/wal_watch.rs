//! Keeps the write-ahead logs from growing without limit.
//!
//! A listener that was stopped inside a read of its peer's database pins the peer's log: nothing behind the listener's read
//! mark can be copied back, so the log only grows. Past the limit, whoever holds the mark is killed and started again.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use cafe_delivery::Place;
use cafe_events::Source;

use super::keeper::{Keeper, Standing};

/// Between two looks at the sizes.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A mark that is held in so many looks in a row, this far apart, and sees the same part of the log each time, pins the log.
const LOOKS: u32 = 5;
const LOOK_AT_LOCKS_EVERY: Duration = Duration::from_millis(200);
/// Bytes of the `-shm` file that `SQLite` locks while a read holds a read mark (`WAL_READ_LOCK(i)`, 3 to 7, from byte
/// `UNIX_SHM_BASE`, 120; see `wal.c` and `os_unix.c`).
const READ_MARKS: std::ops::RangeInclusive<u64> = 123..=127;

/// Where the `-shm` file has the number of the last frame of the log, and how far each read mark sees
/// (<https://sqlite.org/walformat.html>, section 2.1): numbers of 32 bits in the machine's order.
const LAST_FRAME_AT: usize = 16;
const READ_MARKS_AT: usize = 100;
const INDEX_HEADER_BYTES: usize = 136;

/// A process's hold on a read mark, and how far that sees. One that sees another part of the log is another read.
type Hold = (u32, u64, u32);

/// A process that is watched over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Candidate {
    service: Source,
    process: u32,
    answers: bool,
}

/// Watches until it is dropped.
pub(super) async fn run(place: &Place, limit_mb: u64, keepers: &[Keeper]) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        for owner in Source::ALL {
            let database = place.file(owner);
            if size_mb(&beside(&database, "-wal")) >= limit_mb {
                relieve(&database, owner, limit_mb, keepers).await;
            }
        }
    }
}

/// Kills whoever pins the log of `owner`'s database, if anybody does.
async fn relieve(database: &Path, owner: Source, limit_mb: u64, keepers: &[Keeper]) {
    // When this is closed, a process loses every lock that it has on the file: `cafe up` has none.
    let Ok(shared) = File::open(beside(database, "-shm")) else { return };
    let mut held: Option<BTreeSet<Hold>> = None;
    for _ in 0..LOOKS {
        tokio::time::sleep(LOOK_AT_LOCKS_EVERY).await;
        let now = held_back(&shared).unwrap_or_default();
        held = Some(held.map_or_else(|| now.clone(), |before| &before & &now));
    }
    let held = held.unwrap_or_default();
    let candidates: Vec<Candidate> = keepers.iter().filter_map(candidate).collect();
    match culprit(&held, &candidates, owner) {
        Some(culprit) => {
            let keeper = keepers.iter().find(|keeper| keeper.service == culprit.service);
            let why = format!("it pins the log of the {owner} database, which is past {limit_mb} MB");
            keeper.inspect(|keeper| keeper.kill(why));
        }
        None => {
            if let Some((process, ..)) = held.first() {
                tracing::warn!(
                    process,
                    "a process that is not ours pins the log of the {owner} database, past {limit_mb} MB"
                );
            }
        }
    }
}

fn candidate(keeper: &Keeper) -> Option<Candidate> {
    match keeper.standing() {
        Standing::Serving { process: Some(process), answers } => {
            Some(Candidate { service: keeper.service, process, answers })
        }
        _ => None,
    }
}

/// Who is to be killed: a holder that does not answer before one that does, a listener before the owner. Where the system
/// does not tell who holds what, a listener that does not answer.
fn culprit(held: &BTreeSet<Hold>, candidates: &[Candidate], owner: Source) -> Option<Candidate> {
    let holds = |candidate: &&Candidate| held.iter().any(|(process, ..)| *process == candidate.process);
    let worst = candidates
        .iter()
        .filter(holds)
        .min_by_key(|candidate| (candidate.answers, candidate.service == owner));
    let listener = |candidate: &&Candidate| candidate.service.hears().contains(&owner) && !candidate.answers;
    worst.or_else(|| candidates.iter().filter(|_| held.is_empty()).find(listener)).copied()
}

/// Holds on marks that do not see the end of the log: what is behind them cannot be copied back. Whoever sees the end pins nothing,
/// however often a busy service reads.
fn held_back(shared: &File) -> io::Result<BTreeSet<Hold>> {
    let mut header = [0; INDEX_HEADER_BYTES];
    shared.read_exact_at(&mut header, 0)?;
    let locks = std::fs::read_to_string("/proc/locks").unwrap_or_default();
    let number_at =
        |at: usize| u32::from_ne_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    let last = number_at(LAST_FRAME_AT);
    let seen_by = |mark: u64| number_at(READ_MARKS_AT + 4 * (mark - READ_MARKS.start()) as usize);
    let with_end = |(process, mark)| (process, mark, seen_by(mark));
    let inode = shared.metadata()?.ino();
    Ok(holds(&locks, inode).into_iter().map(with_end).filter(|(.., end)| *end < last).collect())
}

/// Reads `/proc/locks`: `1: POSIX  ADVISORY  READ 10273 fe:00:9978039 124 124` is process 10273's hold on byte 124.
fn holds(locks: &str, inode: u64) -> BTreeSet<(u32, u64)> {
    locks.lines().filter_map(|line| marks_held(line, inode)).flatten().collect()
}

fn marks_held(line: &str, inode: u64) -> Option<impl Iterator<Item = (u32, u64)> + use<>> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [_, "POSIX", _, "READ", process, file, first, last] = fields[..] else { return None };
    let of_file = file.rsplit(':').next()?.parse::<u64>().ok()? == inode;
    let process = process.parse().ok()?;
    let (first, last) = (first.parse::<u64>().ok()?, last.parse::<u64>().unwrap_or(u64::MAX));
    let marks = READ_MARKS.filter(move |mark| (first..=last).contains(mark));
    of_file.then(|| marks.map(move |mark| (process, mark)))
}

fn size_mb(file: &Path) -> u64 {
    std::fs::metadata(file).map_or(0, |about| about.len() / (1024 * 1024))
}

fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use cafe_failures::{process, tried};

    use super::*;

    const LOCKS: &str = "1: POSIX  ADVISORY  READ 10273 fe:00:9978039 124 125\n\
                         1: -> POSIX  ADVISORY  WRITE 7 fe:00:9978039 124 124\n\
                         2: POSIX  ADVISORY  READ 10273 fe:00:9978039 128 128\n\
                         3: POSIX  ADVISORY  WRITE 11 fe:00:9978039 120 120\n\
                         4: FLOCK  ADVISORY  WRITE 12 fe:00:9978039 0 EOF\n\
                         5: POSIX  ADVISORY  READ 13 fe:00:44 123 123\n";

    #[test]
    fn read_marks_are_found_among_all_locks() {
        assert_eq!(holds(LOCKS, 9_978_039), BTreeSet::from([(10_273, 124), (10_273, 125)]));
        assert_eq!(holds(LOCKS, 44), BTreeSet::from([(13, 123)]));
        assert!(holds(LOCKS, 45).is_empty() && holds("nonsense\n\n", 1).is_empty());
    }

    #[test]
    fn a_real_reader_of_a_real_database_is_found_once_it_holds_the_log_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sqlite");
        let migration = cafe_store::Migration { name: "a", sql: "CREATE TABLE a (b INTEGER) STRICT" };
        let mut db = cafe_store::Connection::open(&path, &[migration]).unwrap();
        let shared = File::open(beside(&path, "-shm")).unwrap();
        let inode = shared.metadata().unwrap().ino();
        let held_now = || holds(&std::fs::read_to_string("/proc/locks").unwrap(), inode);
        let held_back = || held_back(&shared).unwrap();
        assert!(held_now().is_empty());
        // A log with something in it.
        let mut writer = cafe_store::Connection::open(&path, &[]).unwrap();
        writer.batch("INSERT INTO a VALUES (1)").unwrap();
        db.batch("BEGIN; SELECT * FROM a").unwrap();
        assert_eq!(held_now().len(), 1);
        assert_eq!(held_now().first().unwrap().0, std::process::id());
        assert!(held_back().is_empty(), "it sees the end of the log");
        writer.batch("INSERT INTO a VALUES (2)").unwrap();
        let first = held_back();
        assert_eq!(first.len(), 1);
        db.batch("COMMIT; BEGIN; SELECT * FROM a").unwrap();
        writer.batch("INSERT INTO a VALUES (3)").unwrap();
        assert!(first.is_disjoint(&held_back()), "the next read is another");
    }

    #[test]
    fn the_holder_is_killed_and_a_silent_listener_where_locks_are_not_told() {
        tried(&process::READER_STOPPED);
        let [order, payment, barista] = [
            Candidate { service: Source::Order, process: 1, answers: true },
            Candidate { service: Source::Payment, process: 2, answers: true },
            Candidate { service: Source::Barista, process: 3, answers: false },
        ];
        let all = [order, payment, barista];
        assert_eq!(culprit(&BTreeSet::from([(2, 124, 7)]), &all, Source::Order), Some(payment));
        assert_eq!(culprit(&BTreeSet::from([(1, 124, 7), (2, 124, 7)]), &all, Source::Order), Some(payment));
        assert_eq!(culprit(&BTreeSet::from([(99, 124, 7)]), &all, Source::Payment), None);
        assert_eq!(culprit(&BTreeSet::new(), &all, Source::Payment), Some(barista));
        assert_eq!(culprit(&BTreeSet::new(), &all, Source::Order), None);
    }
}
