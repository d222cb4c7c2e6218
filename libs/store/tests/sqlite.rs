//! What only a file does. What every database does is in `conformance/`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::{Path, PathBuf};
use std::sync::Barrier;
use std::thread;

use cafe_store::{Connection, Database, Error, Migration, OpenError, copy_while_in_use};
use tempfile::TempDir;

const FIRST: Migration = Migration {
    name: "test/0001_cups",
    sql: "CREATE TABLE cups (id INTEGER PRIMARY KEY, owner TEXT) STRICT",
};

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cups.sqlite");
    (folder, path)
}

fn add(db: &mut Connection, id: i64, owner: &str) {
    db.execute("INSERT INTO cups (id, owner) VALUES ($1, $2)", &[id.into(), owner.into()]).unwrap();
}

fn owners(db: &mut Connection) -> Result<Vec<String>, Error> {
    db.query("SELECT owner FROM cups ORDER BY id", &[], |row| row.text(0))
}

#[test]
fn a_peer_sees_nothing_yet_then_what_is_committed_and_never_half_a_schema() {
    let (_folder, path) = folder();
    assert!(matches!(Connection::open_peer(&path).err(), Some(Error::Absent(_))));
    let mut db = Connection::open(&path, &[FIRST]).unwrap();
    let mut peer = Connection::open_peer(&path).unwrap();
    db.begin().unwrap();
    add(&mut db, 1, "minji");
    assert!(owners(&mut peer).unwrap().is_empty());
    db.commit().unwrap();
    assert_eq!(owners(&mut peer).unwrap(), ["minji"]);
    assert!(peer.execute("DELETE FROM cups", &[]).is_err(), "a peer cannot write");
}

#[test]
fn what_its_writer_left_in_the_log_can_be_read_by_a_peer_after_it_is_gone() {
    let (_folder, path) = folder();
    let mut db = Connection::open(&path, &[FIRST]).unwrap();
    add(&mut db, 1, "minji");
    drop(db);
    let mut peer = Connection::open_peer(&path).unwrap();
    assert_eq!(owners(&mut peer).unwrap(), ["minji"]);
}

#[test]
fn what_a_power_cut_left_half_written_is_undone_by_a_reader_of_its_own_and_waited_for_by_a_peer() {
    let (folder, path) = folder();
    let mut db = Connection::open_as_it_is(&copied(&folder, &path)).unwrap();
    // As a new file is until it has a write-ahead log: what does not fit into memory is written before it is committed.
    db.batch("PRAGMA cache_size = 1; BEGIN").unwrap();
    add(&mut db, 1, "minji");
    (2..=500).for_each(|id| add(&mut db, id, &"seojun".repeat(100)));
    let cut = folder.path().join("cut.sqlite");
    for suffix in ["", "-journal"] {
        let beside = |path: &Path| PathBuf::from(format!("{}{suffix}", path.display()));
        std::fs::copy(beside(&folder.path().join("copy.sqlite")), beside(&cut)).unwrap();
    }
    let peer = Connection::open_peer(&cut).err();
    assert!(matches!(peer, Some(Error::Busy(_))), "{peer:?}");
    let mut reader = Connection::open_reader(Database::File(cut.clone())).unwrap();
    assert!(owners(&mut reader).unwrap().is_empty());
    assert!(Connection::open_peer(&cut).is_ok());
}

/// A copy of a new database, which has no write-ahead log.
fn copied(folder: &TempDir, path: &Path) -> PathBuf {
    drop(Connection::open(path, &[FIRST]).unwrap());
    let copy = folder.path().join("copy.sqlite");
    copy_while_in_use(path, &copy).unwrap();
    copy
}

#[test]
fn a_copy_made_while_in_use_is_whole_and_stands_alone() {
    let (folder, path) = folder();
    let mut db = Connection::open(&path, &[FIRST]).unwrap();
    (1..=1_000).for_each(|id| add(&mut db, id, "minji"));
    db.begin().unwrap();
    add(&mut db, 1_001, "not yet");
    let copy = folder.path().join("copy.sqlite");
    copy_while_in_use(&path, &copy).unwrap();
    db.commit().unwrap();
    assert!(!folder.path().join("copy.sqlite-wal").exists());
    assert_eq!(owners(&mut Connection::open_reader(&copy).unwrap()).unwrap().len(), 1_000);
}

#[test]
fn a_file_that_is_no_database_and_a_folder_that_is_none_are_refused_with_a_sentence() {
    let (folder, path) = folder();
    std::fs::write(&path, "this is a shopping list, and it is long enough to be looked at").unwrap();
    let refusal = Connection::open(&path, &[FIRST]).err().unwrap().to_string();
    assert!(refusal.contains("cannot be opened") && refusal.contains("a cafe's own file"), "{refusal}");
    let nowhere = folder.path().join("missing/cups.sqlite");
    assert!(matches!(Connection::open(&nowhere, &[FIRST]).err(), Some(OpenError::Unusable { .. })));
}

#[test]
fn a_log_without_its_database_is_not_taken_for_a_new_ones() {
    let (_folder, path) = folder();
    add(&mut Connection::open(&path, &[FIRST]).unwrap(), 1, "minji");
    std::fs::remove_file(&path).unwrap();
    let refusal = Connection::open(&path, &[FIRST]).err().unwrap().to_string();
    assert!(refusal.contains("cups.sqlite-wal"), "{refusal}");
}

#[test]
#[cfg(target_os = "linux")]
fn looking_at_a_file_takes_no_lock_from_whoever_works_with_it() {
    use std::os::unix::fs::MetadataExt;
    let (_folder, path) = folder();
    let _db = Connection::open(&path, &[FIRST]).unwrap();
    let inode = format!(":{} ", std::fs::metadata(&path).unwrap().ino());
    let locks = || {
        std::fs::read_to_string("/proc/locks").unwrap().lines().filter(|line| line.contains(&inode)).count()
    };
    let before = locks();
    assert!(before > 0, "an open database in WAL mode is locked against being closed by others");
    drop(Connection::open_peer(&path).unwrap());
    assert_eq!(locks(), before);
}

#[test]
fn a_log_that_has_grown_is_emptied_once_its_reader_moves_on_and_a_reader_that_does_not_holds_up_nobody() {
    let (_folder, path) = folder();
    let mut db = Connection::open(&path, &[FIRST]).unwrap();
    let mut reader = Connection::open_peer(&path).unwrap();
    reader.batch("BEGIN").unwrap();
    assert!(owners(&mut reader).unwrap().is_empty());
    let owner = "minji".repeat(1_000_000);
    (1..=14).for_each(|id| add(&mut db, id, &owner));
    let log_bytes = || std::fs::metadata(format!("{}-wal", path.display())).unwrap().len();
    let before = std::time::Instant::now();
    db.shorten_log().unwrap();
    assert!(before.elapsed() < std::time::Duration::from_secs(1));
    assert!(log_bytes() > 64 * 1024 * 1024);
    reader.batch("COMMIT").unwrap();
    db.shorten_log().unwrap();
    assert_eq!(log_bytes(), 0);
    assert_eq!(owners(&mut reader).unwrap().len(), 14);
}

/// As replicas of a service do with what they share in their folder.
#[test]
fn those_who_make_a_file_at_the_same_moment_work_on_the_same_one() {
    const ROUNDS: usize = 100;
    const MAKERS: i64 = 4;
    for _ in 0..ROUNDS {
        let (_folder, path) = folder();
        let together = Barrier::new(MAKERS as usize);
        thread::scope(|scope| {
            for id in 1..=MAKERS {
                let (path, together) = (&path, &together);
                scope.spawn(move || {
                    together.wait();
                    add(&mut Connection::open(path, &[FIRST]).unwrap(), id, "minji");
                });
            }
        });
        let mut db = Connection::open(&path, &[FIRST]).unwrap();
        assert_eq!(owners(&mut db).unwrap().len(), MAKERS as usize);
        let sound = db.query_one("PRAGMA integrity_check", &[], |row| row.text(0)).unwrap();
        assert_eq!(sound.as_deref(), Some("ok"));
    }
}
