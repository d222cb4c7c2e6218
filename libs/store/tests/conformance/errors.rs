//! What fails is told apart by what to do about it.

use cafe_store::{Connection, Error};

use crate::home::{Home, add, owners};

on_both!(
    what_a_constraint_forbids_is_refused,
    a_table_or_place_that_is_not_there_yet_is_absent,
    a_full_disk_is_told_as_such_and_loses_nothing,
    an_error_names_what_went_wrong,
);

fn what_a_constraint_forbids_is_refused(home: &Home) {
    let mut db = home.open();
    add(&mut db, 1, "minji").unwrap();
    for forbidden in [
        "INSERT INTO cups (id, owner) VALUES (1, 'twice')",
        "INSERT INTO cups (id, owner, ml) VALUES (2, 'seojun', -1)",
        "INSERT INTO cups (id, owner) VALUES (2, NULL)",
        "INSERT INTO cups (id, owner, ml) VALUES (2, 'seojun', 'much')",
        "INSERT INTO cups (id, owner, handle) VALUES (2, 'seojun', 1)",
        "UPDATE cups SET owner = NULL",
        "SELEKT 1",
    ] {
        let outcome = db.execute(forbidden, &[]);
        assert!(matches!(outcome, Err(Error::Refused(_))), "{forbidden}: {outcome:?}");
    }
    assert_eq!(owners(&mut db).unwrap(), ["minji"]);
}

fn a_table_or_place_that_is_not_there_yet_is_absent(home: &Home) {
    let look = |db: &mut Connection| db.query("SELECT 1 FROM saucers", &[], |row| row.int(0));
    let nothing = Connection::open_reader(&home.database).and_then(|mut db| look(&mut db));
    assert!(matches!(nothing, Err(Error::Absent(_))), "{nothing:?}");
    let mut db = home.open();
    let no_table = look(&mut db);
    assert!(matches!(no_table, Err(Error::Absent(_))), "{no_table:?}");
}

fn a_full_disk_is_told_as_such_and_loses_nothing(home: &Home) {
    let mut db = home.open();
    add(&mut db, 1, "minji").unwrap();
    db.begin().unwrap();
    add(&mut db, 2, "seojun").unwrap();
    let full = if home.is_file() {
        // No page more than there are.
        db.batch("PRAGMA max_page_count = 1").unwrap();
        add(&mut db, 3, &"long".repeat(100_000))
    } else {
        // As a server tells it (`53100`, <https://www.postgresql.org/docs/current/errcodes-appendix.html>).
        db.batch("DO $$ BEGIN RAISE 'no space left on device' USING ERRCODE = 'disk_full'; END $$")
    };
    assert!(matches!(full, Err(Error::Full(_))), "{full:?}");
    db.rollback().unwrap();
    assert_eq!(owners(&mut db).unwrap(), ["minji"]);
    if home.is_file() {
        db.batch("PRAGMA max_page_count = 1000000").unwrap();
    }
    add(&mut db, 2, "seojun").unwrap();
}

fn an_error_names_what_went_wrong(home: &Home) {
    let mut db = home.open();
    let error = db.query("SELECT handle FROM cups", &[], |row| row.int(0)).unwrap_err().to_string();
    assert!(error.contains("handle"), "{error}");
    let error = add(&mut db, 1, "minji").and_then(|()| add(&mut db, 1, "twice")).unwrap_err().to_string();
    assert!(error.contains("cups"), "{error}");
}
