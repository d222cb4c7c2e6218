//! What is stored comes back, and is compared in the same way.

use cafe_store::Param;

use crate::home::{ADD, CUPS, Home, INSERT, add, committed};

on_both!(
    values_come_back_as_they_were_given_whichever_way_they_were_written,
    values_are_bound_by_their_number_not_by_first_appearance,
    texts_are_compared_byte_by_byte,
    a_key_that_is_not_given_is_given_by_the_database,
    a_value_that_is_not_what_was_asked_for_is_refused_and_not_made_up,
    statements_are_prepared_without_being_run,
);

const TEXTS: [&str; 9] = [
    "",
    "it's \"quoted\"",
    "back\\slash",
    "$1; DROP TABLE cups",
    "아메리카노",
    "🥤",
    "tab\tnew\nline",
    "%_",
    "é",
];
/// Beyond what a double can hold, either way.
const NUMBERS: [i64; 5] = [(1 << 53) + 1, i64::MAX, 1, 4_294_967_297, i64::MAX - 1];

fn values_come_back_as_they_were_given_whichever_way_they_were_written(home: &Home) {
    let mut db = home.open();
    let expected: Vec<_> =
        (0..).zip(TEXTS).map(|(id, text)| (id, text, NUMBERS[id as usize % NUMBERS.len()])).collect();
    let sql = "INSERT INTO cups (id, owner, note, ml) VALUES ($1, $2, $3, $4)";
    let nothing = [i64::MIN.into(), "nothing".into(), Param::Null, Param::Null];
    committed(&mut db, |db| {
        for (id, text, ml) in &expected {
            let values = [(*id).into(), (*text).into(), (*text).into(), (*ml).into()];
            match id % 3 {
                0 => db.execute(sql, &values).map(drop)?,
                1 => db.execute_later(sql, &values)?,
                _ => {
                    let mut put = db.put(&ADD);
                    put.row(&values)?;
                    put.done()?;
                }
            }
        }
        db.execute_later(sql, &nothing)
    });
    let read = db.query("SELECT id, owner, note, ml FROM cups ORDER BY id", &[], |row| {
        Ok((row.int(0)?, row.text(1)?, row.opt_text(2)?, row.opt_int(3)?))
    });
    let mut read = read.unwrap().into_iter();
    assert_eq!(read.next(), Some((i64::MIN, "nothing".to_owned(), None, None)));
    for (id, text, ml) in expected {
        assert_eq!(read.next(), Some((id, text.to_owned(), Some(text.to_owned()), Some(ml))));
    }
}

fn values_are_bound_by_their_number_not_by_first_appearance(home: &Home) {
    let mut db = home.open();
    db.execute("INSERT INTO cups (owner, id) VALUES ($2, $1)", &[Param::Int(7), Param::Text("minji")])
        .unwrap();
    let ids = db.query("SELECT id FROM cups WHERE owner = $1", &["minji".into()], |row| row.int(0)).unwrap();
    assert_eq!(ids, [7]);
    let too_many = db.execute("DELETE FROM cups WHERE id = $1", &[Param::Int(7), Param::Int(8)]);
    assert!(too_many.is_err());
    assert_eq!(db.execute("DELETE FROM cups WHERE id >= $1 AND id <= $1", &[Param::Int(7)]).unwrap(), 1);
}

fn texts_are_compared_byte_by_byte(home: &Home) {
    let mut db = home.open();
    let mut texts = ["b", "B", "a", "Z", "é", "e", "~", "가", "🥤", "\u{ffff}", "_", " ", "10", "9"];
    for (id, text) in (0..).zip(texts) {
        add(&mut db, id, text).unwrap();
    }
    texts.sort_unstable();
    let ordered = db.query("SELECT owner FROM cups ORDER BY owner", &[], |row| row.text(0)).unwrap();
    assert_eq!(ordered, texts);
    let past = "SELECT COUNT(*), MAX(owner) FROM cups WHERE owner > $1";
    let past = db.query_one(past, &["a".into()], |row| Ok((row.int(0)?, row.text(1)?))).unwrap();
    let expected = texts.iter().filter(|text| **text > "a").count() as i64;
    assert_eq!(past, Some((expected, texts[texts.len() - 1].to_owned())));
}

fn a_key_that_is_not_given_is_given_by_the_database(home: &Home) {
    let mut db = home.open();
    let sql = "INSERT INTO cups (owner) VALUES ($1) RETURNING id";
    let mut ids = ["a", "b", "c"].map(|owner| {
        let id = db.query_one(sql, &[owner.into()], |row| row.int(0)).unwrap();
        id.unwrap()
    });
    let given = ids;
    ids.sort_unstable();
    assert!(ids == given && ids[0] != ids[1] && ids[1] != ids[2], "{given:?}");
}

fn a_value_that_is_not_what_was_asked_for_is_refused_and_not_made_up(home: &Home) {
    let mut db = home.open();
    add(&mut db, 1, "minji").unwrap();
    assert!(db.query("SELECT note FROM cups", &[], |row| row.text(0)).is_err(), "NULL is no text");
    assert!(db.query("SELECT ml FROM cups", &[], |row| row.int(0)).is_err(), "NULL is no number");
    assert!(db.query("SELECT owner FROM cups", &[], |row| row.int(0)).is_err(), "a text is no number");
    assert!(db.query("SELECT id FROM cups", &[], |row| row.text(0)).is_err(), "a number is no text");
    assert!(db.execute(INSERT, &["two".into(), "seojun".into()]).is_err());
    let count = db.query_one("SELECT COUNT(*) FROM cups", &[], |row| row.int(0)).unwrap();
    assert_eq!(count, Some(1));
}

fn statements_are_prepared_without_being_run(home: &Home) {
    let mut db = home.open();
    db.prepare(INSERT).unwrap();
    db.prepare_put(&ADD).unwrap();
    db.prepare("DELETE FROM cups").unwrap();
    assert!(db.prepare("INSERT INTO cups (id, size) VALUES ($1, $2)").is_err());
    assert!(db.prepare("SELECT 1 FROM saucers").is_err());
    drop(db);
    let mut db = cafe_store::Connection::open(&home.database, &[CUPS]).unwrap();
    let count = db.query_one("SELECT COUNT(*) FROM cups", &[], |row| row.int(0)).unwrap();
    assert_eq!(count, Some(0));
}
