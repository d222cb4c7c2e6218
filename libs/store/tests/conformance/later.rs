//! Writes whose answer nobody waits for: they happen in their order, before whatever is asked next, or not at all.

use cafe_store::{Error, Param};

use crate::home::{ADD, Home, INSERT, OWNER, add, committed, cup, owners};

on_both!(
    writes_happen_in_their_order_and_before_what_is_asked_next,
    a_write_that_fails_is_told_at_the_latest_at_the_commit_and_undoes_everything,
    a_write_that_fails_is_told_at_the_latest_by_the_next_question,
    what_was_to_be_written_in_an_undone_transaction_is_forgotten,
    a_value_of_the_wrong_kind_is_told_at_the_latest_at_the_commit,
);

const RENAME: &str = "UPDATE cups SET owner = $2 WHERE id = $1";
const DELETE: &str = "DELETE FROM cups WHERE owner = $1";

fn writes_happen_in_their_order_and_before_what_is_asked_next(home: &Home) {
    let mut db = home.open();
    committed(&mut db, |db| {
        db.execute_later(INSERT, &[Param::Int(1), "first".into()])?;
        db.execute_later(RENAME, &[Param::Int(1), "renamed".into()])?;
        let mut put = db.put(&ADD);
        put.row(&cup(2, "first"))?;
        put.done()?;
        db.execute_later(DELETE, &["first".into()])?;
        db.execute_later(INSERT, &[Param::Int(2), "again".into()])?;
        assert_eq!(owners(db)?, ["renamed", "again"]);
        db.execute_later(DELETE, &["again".into()])?;
        assert_eq!(db.execute(RENAME, &[Param::Int(2), "nobody".into()])?, 0);
        db.execute_later(DELETE, &["renamed".into()])?;
        let mut find = db.find(&OWNER, |row| row.text(0));
        find.key(&[Param::Int(1)])?;
        assert_eq!(find.done()?, [None]);
        db.execute_later(INSERT, &[Param::Int(3), "last".into()])
    });
    assert_eq!(owners(&mut home.peer()).unwrap(), ["last"]);
}

fn a_write_that_fails_is_told_at_the_latest_at_the_commit_and_undoes_everything(home: &Home) {
    let mut db = home.open();
    for asks_first in [false, true] {
        db.begin().unwrap();
        if asks_first {
            assert!(owners(&mut db).unwrap().is_empty());
        }
        let outcome = (|| {
            db.execute_later(INSERT, &[Param::Int(1), "minji".into()])?;
            db.execute_later(INSERT, &[Param::Int(1), "again".into()])?;
            db.execute_later(INSERT, &[Param::Int(2), "seojun".into()])?;
            db.commit()
        })();
        assert!(matches!(outcome, Err(Error::Refused(_))), "{outcome:?}");
        db.rollback().unwrap();
        assert!(owners(&mut home.peer()).unwrap().is_empty());
    }
}

fn a_write_that_fails_is_told_at_the_latest_by_the_next_question(home: &Home) {
    let mut db = home.open();
    add(&mut db, 1, "minji").unwrap();
    db.begin().unwrap();
    let outcome =
        db.execute_later(INSERT, &[Param::Int(1), "again".into()]).and_then(|()| owners(&mut db).map(drop));
    assert!(
        matches!(outcome, Err(Error::Refused(_))),
        "why it failed, not that what followed did: {outcome:?}"
    );
    db.rollback().unwrap();
    assert_eq!(owners(&mut db).unwrap(), ["minji"]);
}

fn what_was_to_be_written_in_an_undone_transaction_is_forgotten(home: &Home) {
    let mut db = home.open();
    db.begin().unwrap();
    db.execute_later(INSERT, &[Param::Int(1), "minji".into()]).unwrap();
    db.rollback().unwrap();
    db.begin().unwrap();
    db.execute_later(INSERT, &[Param::Int(2), "seojun".into()]).unwrap();
    db.commit().unwrap();
    assert_eq!(owners(&mut db).unwrap(), ["seojun"]);
}

fn a_value_of_the_wrong_kind_is_told_at_the_latest_at_the_commit(home: &Home) {
    let mut db = home.open();
    db.begin().unwrap();
    let outcome = db.execute_later(INSERT, &["one".into(), "minji".into()]).and_then(|()| db.commit());
    assert!(matches!(outcome, Err(Error::Refused(_))), "{outcome:?}");
    db.rollback().unwrap();
    add(&mut db, 1, "minji").unwrap();
}
