//! Two who write at once.

use std::time::{Duration, Instant};

use cafe_failures::{disk, tried};
use cafe_store::{Connection, Error, Param};

use crate::home::{Home, add};

on_both!(
    nothing_is_lost_between_two_who_lock_a_row_count_and_write,
    whoever_waits_for_a_locked_row_is_told_so_soon_and_gets_it_afterwards,
    a_row_that_is_not_there_is_no_lock,
    readers_do_not_wait_for_a_locked_row,
    what_is_asked_later_is_answered_as_of_the_lock,
    an_answer_is_read_once_and_does_not_outlive_its_transaction,
);

const COUNT: &str = "SELECT ml FROM cups WHERE id = 1";
const SET: &str = "UPDATE cups SET ml = $1 WHERE id = 1";
const TIMES: i64 = 40;

fn lock(db: &mut Connection) -> Result<Option<i64>, Error> {
    db.begin()?;
    db.lock_later(COUNT);
    db.query_one(COUNT, &[], |row| row.int(0))
}

fn counted(db: &mut Connection) -> Result<(), Error> {
    let count = lock(db)?.unwrap();
    db.execute_later(SET, &[Param::Int(count + 1)])?;
    db.commit()
}

fn with_a_cup(home: &Home) -> Connection {
    let mut db = home.open();
    add(&mut db, 1, "minji").unwrap();
    db.execute(SET, &[Param::Int(1)]).unwrap();
    db
}

fn nothing_is_lost_between_two_who_lock_a_row_count_and_write(home: &Home) {
    let mut db = with_a_cup(home);
    let count_up = || {
        let mut db = Connection::open_as_it_is(&home.database).unwrap();
        let mut done = 0;
        while done < TIMES {
            match counted(&mut db) {
                Ok(()) => done += 1,
                Err(Error::Busy(_)) => db.rollback().unwrap(),
                Err(error) => panic!("{error}"),
            }
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(count_up);
        scope.spawn(count_up);
    });
    assert_eq!(db.query_one(COUNT, &[], |row| row.int(0)).unwrap(), Some(1 + 2 * TIMES));
}

fn whoever_waits_for_a_locked_row_is_told_so_soon_and_gets_it_afterwards(home: &Home) {
    tried(&disk::LOCK_HELD);
    let mut db = with_a_cup(home);
    let mut second = Connection::open_as_it_is(&home.database).unwrap();
    assert_eq!(lock(&mut db).unwrap(), Some(1));
    let before = Instant::now();
    let refused = lock(&mut second);
    assert!(matches!(refused, Err(Error::Busy(_))), "{refused:?}");
    let limit = Duration::from_secs(if home.is_file() { 3 } else { 1 });
    assert!(before.elapsed() < limit, "{:?}", before.elapsed());
    second.rollback().unwrap();
    // A server ends a transaction in which nothing is done for a second: what was waited for was not ours to lose.
    db.rollback().unwrap();
    assert_eq!(lock(&mut second).unwrap(), Some(1));
    second.rollback().unwrap();
}

fn a_row_that_is_not_there_is_no_lock(home: &Home) {
    let mut db = home.open();
    assert_eq!(lock(&mut db).unwrap(), None);
    db.rollback().unwrap();
}

fn readers_do_not_wait_for_a_locked_row(home: &Home) {
    let mut db = with_a_cup(home);
    let mut peer = home.peer();
    lock(&mut db).unwrap();
    db.execute(SET, &[Param::Int(9)]).unwrap();
    let before = Instant::now();
    assert_eq!(peer.query_one(COUNT, &[], |row| row.int(0)).unwrap(), Some(1));
    assert!(before.elapsed() < Duration::from_millis(300), "{:?}", before.elapsed());
    db.commit().unwrap();
    assert_eq!(peer.query_one(COUNT, &[], |row| row.int(0)).unwrap(), Some(9));
}

fn what_is_asked_later_is_answered_as_of_the_lock(home: &Home) {
    let mut db = with_a_cup(home);
    db.begin().unwrap();
    db.lock_later(COUNT);
    db.ask_later(COUNT);
    // Somebody is quicker: nothing was asked yet of a server, and a file is ours from the beginning.
    if !home.is_file() {
        let mut other = Connection::open_as_it_is(&home.database).unwrap();
        other.execute(SET, &[Param::Int(7)]).unwrap();
    }
    let drinks = db.query("SELECT id FROM cups WHERE id = $1", &[Param::Int(1)], |row| row.int(0)).unwrap();
    assert_eq!(drinks, [1]);
    let expected = if home.is_file() { 1 } else { 7 };
    assert_eq!(db.answer(|row| row.int(0)).unwrap(), [expected]);
    db.rollback().unwrap();
}

fn an_answer_is_read_once_and_does_not_outlive_its_transaction(home: &Home) {
    let mut db = with_a_cup(home);
    db.begin().unwrap();
    db.ask_later(COUNT);
    assert_eq!(db.answer(|row| row.int(0)).unwrap(), [1]);
    assert_eq!(db.answer(|row| row.int(0)).unwrap(), Vec::<i64>::new());
    db.ask_later(COUNT);
    db.rollback().unwrap();
    assert_eq!(db.answer(|row| row.int(0)).unwrap(), Vec::<i64>::new());
    db.begin().unwrap();
    db.ask_later(COUNT);
    db.execute(SET, &[Param::Int(2)]).unwrap();
    db.rollback().unwrap();
    assert_eq!(db.answer(|row| row.int(0)).unwrap(), Vec::<i64>::new());
}
