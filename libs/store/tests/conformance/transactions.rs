//! What is committed, what is not, and who sees it.

use cafe_store::Error;

use crate::home::{Home, add, owners};

on_both!(
    an_undone_transaction_leaves_nothing_and_without_one_there_is_nothing_to_undo,
    a_peer_sees_what_is_committed_and_nothing_before,
    a_reading_transaction_sees_one_state_throughout_and_writes_nothing,
    what_was_committed_is_there_for_the_next_who_opens_it,
    after_a_failed_statement_the_transaction_is_undone_as_a_whole_and_the_next_one_works,
    an_empty_transaction_commits,
);

fn an_undone_transaction_leaves_nothing_and_without_one_there_is_nothing_to_undo(home: &Home) {
    let mut db = home.open();
    db.rollback().unwrap();
    db.begin().unwrap();
    add(&mut db, 1, "minji").unwrap();
    assert_eq!(owners(&mut db).unwrap(), ["minji"], "it sees its own writes");
    db.rollback().unwrap();
    db.rollback().unwrap();
    assert!(owners(&mut db).unwrap().is_empty());
    add(&mut db, 1, "seojun").unwrap();
    assert_eq!(owners(&mut home.peer()).unwrap(), ["seojun"], "without a transaction it is there at once");
}

fn a_peer_sees_what_is_committed_and_nothing_before(home: &Home) {
    let early = cafe_store::Connection::open_peer(&home.database).and_then(|mut db| owners(&mut db));
    assert!(matches!(early, Err(Error::Absent(_) | Error::Busy(_))), "{early:?}");
    let mut db = home.open();
    let mut peer = home.peer();
    db.begin().unwrap();
    add(&mut db, 1, "minji").unwrap();
    assert!(owners(&mut peer).unwrap().is_empty());
    db.commit().unwrap();
    assert_eq!(owners(&mut peer).unwrap(), ["minji"]);
}

fn a_reading_transaction_sees_one_state_throughout_and_writes_nothing(home: &Home) {
    let mut db = home.open();
    let mut peer = home.peer();
    peer.begin_reading().unwrap();
    assert!(owners(&mut peer).unwrap().is_empty());
    add(&mut db, 1, "minji").unwrap();
    assert!(owners(&mut peer).unwrap().is_empty(), "as it was at its first look");
    assert!(add(&mut peer, 2, "seojun").is_err());
    peer.rollback().unwrap();
    assert_eq!(owners(&mut peer).unwrap(), ["minji"]);
}

fn what_was_committed_is_there_for_the_next_who_opens_it(home: &Home) {
    let mut db = home.open();
    db.begin().unwrap();
    add(&mut db, 1, "minji").unwrap();
    db.commit().unwrap();
    db.begin().unwrap();
    add(&mut db, 2, "seojun").unwrap();
    drop(db);
    assert_eq!(owners(&mut home.open()).unwrap(), ["minji"], "whoever goes before the commit leaves nothing");
}

fn after_a_failed_statement_the_transaction_is_undone_as_a_whole_and_the_next_one_works(home: &Home) {
    let mut db = home.open();
    db.begin().unwrap();
    add(&mut db, 1, "minji").unwrap();
    assert!(matches!(add(&mut db, 1, "again"), Err(Error::Refused(_))));
    db.rollback().unwrap();
    db.begin().unwrap();
    add(&mut db, 2, "seojun").unwrap();
    db.commit().unwrap();
    assert_eq!(owners(&mut db).unwrap(), ["seojun"]);
}

fn an_empty_transaction_commits(home: &Home) {
    let mut db = home.open();
    for _ in 0..2 {
        db.begin().unwrap();
        db.commit().unwrap();
    }
    add(&mut db, 1, "minji").unwrap();
    assert_eq!(owners(&mut home.peer()).unwrap(), ["minji"]);
}
