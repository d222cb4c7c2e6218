//! Many rows at once.

use cafe_store::{Error, Param};

use crate::home::{ADD, ADD_OR_CHANGE, Home, INSERT, OWNER, SHELF, add, committed, cup, owners};

on_both!(
    rows_that_are_put_are_there_and_conflict_as_described,
    one_row_in_conflict_undoes_all_that_are_put,
    no_rows_and_no_keys_are_nothing,
    rows_are_found_in_the_order_of_their_keys,
    a_key_of_two_columns_is_one_key,
    each_question_has_its_own_answer,
    more_than_a_connection_buffers_goes_both_ways,
    a_row_that_does_not_fit_its_columns_is_refused,
);

fn rows_that_are_put_are_there_and_conflict_as_described(home: &Home) {
    let mut db = home.open();
    committed(&mut db, |db| {
        let mut put = db.put(&ADD);
        for id in 1..=600 {
            put.row(&cup(id, "minji"))?;
        }
        put.done()?;
        let mut put = db.put(&ADD_OR_CHANGE);
        put.row(&[Param::Int(600), "seojun".into(), "chipped".into(), Param::Int(200)])?;
        put.row(&cup(601, "new"))?;
        put.done()
    });
    let all = owners(&mut db).unwrap();
    let some = [598, 599, 600].map(|at| all[at].as_str());
    assert_eq!((all.len(), some), (601, ["minji", "seojun", "new"]));
}

fn one_row_in_conflict_undoes_all_that_are_put(home: &Home) {
    let mut db = home.open();
    add(&mut db, 2, "minji").unwrap();
    db.begin().unwrap();
    let mut put = db.put(&ADD);
    let put = put.row(&cup(1, "a")).and_then(|()| put.row(&cup(2, "b"))).and_then(|()| put.done());
    let outcome = put.and_then(|()| db.commit());
    assert!(matches!(outcome, Err(Error::Refused(_))), "{outcome:?}");
    db.rollback().unwrap();
    assert_eq!(owners(&mut db).unwrap(), ["minji"]);
}

fn no_rows_and_no_keys_are_nothing(home: &Home) {
    let mut db = home.open();
    db.begin().unwrap();
    db.put(&ADD).done().unwrap();
    assert!(db.find(&OWNER, |row| row.text(0)).done().unwrap().is_empty());
    let none: [[Param<'_>; 1]; 0] = [];
    assert!(
        db.query_each("SELECT owner FROM cups WHERE id = $1", &none, |row| row.text(0)).unwrap().is_empty()
    );
    db.commit().unwrap();
}

fn rows_are_found_in_the_order_of_their_keys(home: &Home) {
    let mut db = home.open();
    for (id, owner) in [(1, "a"), (2, "b"), (3, "c")] {
        add(&mut db, id, owner).unwrap();
    }
    db.begin().unwrap();
    // What is on its way is found as well.
    let mut put = db.put(&ADD);
    put.row(&[Param::Int(4), "d".into(), "cracked".into(), Param::Null]).unwrap();
    put.done().unwrap();
    let mut find = db.find(&OWNER, |row| Ok((row.text(0)?, row.opt_text(1)?)));
    for id in [3, 9, 4, 1, 3] {
        find.key(&[Param::Int(id)]).unwrap();
    }
    let found = find.done().unwrap();
    let whole = |owner: &str, note: Option<&str>| Some((owner.to_owned(), note.map(str::to_owned)));
    assert_eq!(
        found,
        [whole("c", None), None, whole("d", Some("cracked")), whole("a", None), whole("c", None)]
    );
    db.rollback().unwrap();
}

fn a_key_of_two_columns_is_one_key(home: &Home) {
    let mut db = home.open();
    let sql = "INSERT INTO shelves (store, place, cups) VALUES ($1, $2, $3)";
    for (store, place, cups) in [("main", 1, 10), ("main", 2, 20), ("pier", 1, 30)] {
        db.execute(sql, &[store.into(), Param::Int(place), Param::Int(cups)]).unwrap();
    }
    let mut find = db.find(&SHELF, |row| row.int(0));
    for (store, place) in [("pier", 1), ("pier", 2), ("main", 2)] {
        find.key(&[store.into(), Param::Int(place)]).unwrap();
    }
    assert_eq!(find.done().unwrap(), [Some(30), None, Some(20)]);
}

fn each_question_has_its_own_answer(home: &Home) {
    let mut db = home.open();
    db.begin().unwrap();
    add(&mut db, 1, "a").unwrap();
    db.execute_later(INSERT, &[Param::Int(2), "b".into()]).unwrap();
    let asked: Vec<[Param<'_>; 2]> =
        [(2, "b"), (1, "b"), (1, "a")].map(|(id, owner)| [Param::Int(id), owner.into()]).to_vec();
    let sql = "SELECT id FROM cups WHERE id = $1 AND owner = $2";
    assert_eq!(db.query_each(sql, &asked, |row| row.int(0)).unwrap(), [Some(2), None, Some(1)]);
    let refused = db.query_each(sql, &asked, |_| Err::<i64, _>(Error::Refused("unreadable".to_owned())));
    assert!(matches!(refused, Err(Error::Refused(_))));
    db.commit().unwrap();
    assert_eq!(owners(&mut db).unwrap(), ["a", "b"]);
}

/// Were answers not read while questions are sent, both sides would wait for each other.
fn more_than_a_connection_buffers_goes_both_ways(home: &Home) {
    let mut db = home.open();
    let owner = "minji".repeat(1_000);
    let asked: Vec<[Param<'_>; 1]> = (0..1_000).map(|id| [Param::Int(id)]).collect();
    committed(&mut db, |db| {
        for id in 0..1_000 {
            db.execute_later(INSERT, &[Param::Int(id), (&owner).into()])?;
        }
        let found = db.query_each("SELECT owner FROM cups WHERE id = $1", &asked, |row| row.text(0))?;
        assert!(found.iter().all(|found| found.as_deref() == Some(&owner)));
        Ok(())
    });
    assert_eq!(owners(&mut db).unwrap().len(), 1_000);
}

fn a_row_that_does_not_fit_its_columns_is_refused(home: &Home) {
    let mut db = home.open();
    db.begin().unwrap();
    let five = [Param::Int(1), "a".into(), Param::Null, Param::Null, Param::Null];
    assert!(matches!(db.put(&ADD).row(&five), Err(Error::Refused(_))));
    db.rollback().unwrap();
    db.begin().unwrap();
    let text_for_number = ["one".into(), "a".into(), Param::Null, Param::Null];
    assert!(matches!(db.put(&ADD).row(&text_for_number), Err(Error::Refused(_))));
    db.rollback().unwrap();
    assert!(owners(&mut db).unwrap().is_empty());
}
