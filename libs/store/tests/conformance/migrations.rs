//! A schema that grows.

use std::sync::Barrier;

use cafe_failures::{owner, tried};
use cafe_store::{Connection, Migration, OpenError};

use crate::home::{CUPS, Home, add, owners};

on_both!(
    a_migration_runs_once_on_a_database_that_has_rows,
    an_older_program_works_on_beside_what_a_newer_one_has_added,
    an_older_program_stays_out_after_what_it_would_do_wrong,
    a_migration_that_fails_leaves_nothing_of_itself,
);

const SIZES: Migration = Migration {
    name: "test/0002_sizes",
    sql: "ALTER TABLE cups ADD COLUMN size TEXT NOT NULL DEFAULT 'small';
          CREATE TABLE sizes (size TEXT PRIMARY KEY, ml INTEGER NOT NULL) STRICT;
          INSERT INTO sizes (size, ml) VALUES ('small', 200)",
};

fn count(db: &mut Connection, table: &str) -> i64 {
    let count = db.query_one(&format!("SELECT COUNT(*) FROM {table}"), &[], |row| row.int(0));
    count.unwrap().unwrap()
}

fn a_migration_runs_once_on_a_database_that_has_rows(home: &Home) {
    add(&mut home.open(), 1, "minji").unwrap();
    for _ in 0..2 {
        let mut db = Connection::open(&home.database, &[CUPS, SIZES]).unwrap();
        assert_eq!(owners(&mut db).unwrap(), ["minji"]);
        let sizes = db.query("SELECT size FROM cups", &[], |row| row.text(0)).unwrap();
        assert_eq!((sizes, count(&mut db, "sizes")), (vec!["small".to_owned()], 1));
    }
}

fn an_older_program_works_on_beside_what_a_newer_one_has_added(home: &Home) {
    tried(&owner::OTHER_VERSION);
    let mut newer = Connection::open(&home.database, &[CUPS, SIZES]).unwrap();
    let mut older = Connection::open(&home.database, &[CUPS]).unwrap();
    add(&mut older, 1, "minji").unwrap();
    add(&mut newer, 2, "jun").unwrap();
    assert_eq!(owners(&mut older).unwrap(), ["minji", "jun"]);
    let sizes = newer.query("SELECT size FROM cups", &[], |row| row.text(0)).unwrap();
    assert_eq!(sizes, ["small", "small"]);
}

fn an_older_program_stays_out_after_what_it_would_do_wrong(home: &Home) {
    let decisive = Migration { name: "test/0002_sizes!", ..SIZES };
    add(&mut Connection::open(&home.database, &[CUPS, decisive]).unwrap(), 1, "minji").unwrap();
    let older = Connection::open(&home.database, &[CUPS]).err();
    let Some(OpenError::Newer { unknown, .. }) = older else { panic!("{older:?}") };
    assert_eq!(unknown, decisive.name);
    assert_eq!(owners(&mut home.peer()).unwrap(), ["minji"], "its rows can still be read");
}

fn a_migration_that_fails_leaves_nothing_of_itself(home: &Home) {
    add(&mut home.open(), 1, "minji").unwrap();
    let wrong = Migration {
        sql: "ALTER TABLE cups ADD COLUMN size TEXT; INSERT INTO cups (id, owner) VALUES (1, 'twice')",
        ..SIZES
    };
    assert!(Connection::open(&home.database, &[CUPS, wrong]).is_err());
    let mut db = Connection::open(&home.database, &[CUPS, SIZES]).unwrap();
    assert_eq!((owners(&mut db).unwrap().len(), count(&mut db, "sizes")), (1, 1));
}

/// A file is opened under its service's lock, by one process; on a server replicas start when they like.
#[test]
fn replicas_that_start_at_once_on_a_server_migrate_it_once() {
    let home = Home::server();
    let together = Barrier::new(6);
    let open = || {
        together.wait();
        let mut db = Connection::open(&home.database, &[CUPS, SIZES]).unwrap();
        assert_eq!((count(&mut db, "cups"), count(&mut db, "sizes")), (0, 1));
    };
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(open);
        }
    });
    assert_eq!(count(&mut home.peer(), "migrations"), 2);
}
