//! What only a server does: go away, come back, fall silent, answer too late.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use cafe_failures::{database, tried};
use cafe_rig::{Direction, Postgres, Proxy};
use cafe_store::{Connection, Database, Error, Server};

use crate::home::{CUPS, add, owners, schema_at};

/// Whoever asked is told within a second that it is not to be had.
const SOON: Duration = Duration::from_secs(1);

fn opened(url: &str) -> (Database, Connection) {
    let database = schema_at(url);
    let db = Connection::open(&database, &[CUPS]).unwrap();
    (database, db)
}

/// Ends every session that speaks for a service, and waits until they are gone.
fn end_sessions(postgres: &Postgres) {
    let ours = "application_name LIKE 'cafe %'";
    postgres.psql(&format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {ours}")).unwrap();
    let left = || postgres.psql(&format!("SELECT COUNT(*) FROM pg_stat_activity WHERE {ours}")).unwrap();
    let limit = Instant::now() + Duration::from_secs(10);
    while left() != "0" {
        assert!(Instant::now() < limit, "sessions do not end");
    }
}

/// The outcome, if it came soon.
fn soon<T>(work: impl FnOnce() -> T) -> T {
    let before = Instant::now();
    let outcome = work();
    assert!(before.elapsed() < SOON, "it took {:?}", before.elapsed());
    outcome
}

fn is_busy<T>(outcome: &Result<T, Error>) -> bool {
    matches!(outcome, Err(Error::Busy(_)))
}

#[test]
fn a_connection_that_was_lost_between_transactions_is_replaced_and_within_one_is_told() {
    tried(&database::NO_CONNECTIONS);
    let postgres = Postgres::start().unwrap();
    let (_, mut db) = opened(&postgres.url());
    end_sessions(&postgres);
    add(&mut db, 1, "minji").unwrap();
    end_sessions(&postgres);
    db.begin().unwrap();
    add(&mut db, 2, "seojun").unwrap();
    db.commit().unwrap();

    db.begin().unwrap();
    add(&mut db, 3, "lost").unwrap();
    end_sessions(&postgres);
    assert!(is_busy(&add(&mut db, 4, "too late")));
    assert!(
        is_busy(&add(&mut db, 5, "out of any transaction that was begun")),
        "it is over until it is undone"
    );
    db.rollback().unwrap();
    assert_eq!(owners(&mut db).unwrap(), ["minji", "seojun"]);
}

#[test]
fn a_server_that_was_killed_is_busy_until_it_is_back() {
    tried(&database::KILLED);
    let postgres = Postgres::start().unwrap();
    let (_, mut db) = opened(&postgres.url());
    add(&mut db, 1, "minji").unwrap();
    postgres.kill().unwrap();
    for _ in 0..2 {
        assert!(is_busy(&soon(|| add(&mut db, 2, "seojun"))));
    }
    soon(|| db.rollback().unwrap());
    postgres.restart().unwrap();
    add(&mut db, 2, "seojun").unwrap();
    assert_eq!(owners(&mut db).unwrap(), ["minji", "seojun"]);
}

#[test]
fn an_answer_that_does_not_come_is_not_waited_for() {
    tried(&database::FROZEN);
    let postgres = Postgres::start().unwrap();
    let (_, mut db) = opened(&postgres.url());
    add(&mut db, 1, "minji").unwrap();
    postgres.freeze().unwrap();
    assert!(is_busy(&soon(|| owners(&mut db))));
    assert!(is_busy(&soon(|| owners(&mut db))), "nor is a new connection's first");
    postgres.thaw().unwrap();
    assert_eq!(owners(&mut db).unwrap(), ["minji"]);

    db.begin().unwrap();
    add(&mut db, 2, "seojun").unwrap();
    postgres.freeze().unwrap();
    let committed = soon(|| db.commit());
    assert!(matches!(committed, Err(Error::Unknown(_))), "{committed:?}");
    soon(|| db.rollback().unwrap());
    postgres.thaw().unwrap();
    add(&mut db, 3, "next").unwrap();
    let left = owners(&mut db).unwrap();
    assert!(
        left == ["minji", "seojun", "next"] || left == ["minji", "next"],
        "as a whole or not at all: {left:?}"
    );
}

#[test]
fn a_lock_that_somebody_else_holds_for_long_is_not_waited_for() {
    tried(&database::LOCKED);
    let postgres = Postgres::start().unwrap();
    let (database, mut db) = opened(&postgres.url());
    add(&mut db, 1, "minji").unwrap();
    let mut holder = Connection::open_as_it_is(&database).unwrap();
    holder.begin().unwrap();
    let cup = "SELECT id FROM cups WHERE id = 1";
    holder.lock_later(cup);
    holder.query_one(cup, &[], |row| row.int(0)).unwrap();
    db.begin().unwrap();
    let update = "UPDATE cups SET owner = 'seojun' WHERE id = 1";
    assert!(is_busy(&soon(|| db.execute(update, &[]))));
    db.rollback().unwrap();
    // Who locks and then does nothing is put out by the server.
    let limit = Instant::now() + Duration::from_secs(5);
    while is_busy(&db.execute(update, &[])) {
        assert!(Instant::now() < limit, "a sleeper holds up everyone");
    }
    assert!(is_busy(&owners(&mut holder)));
}

#[test]
fn a_server_out_of_connections_is_busy() {
    tried(&database::NO_CONNECTIONS);
    let postgres =
        Postgres::with(&[("max_connections", "4"), ("superuser_reserved_connections", "0")]).unwrap();
    let (database, mut db) = opened(&postgres.url());
    let mut others = Vec::new();
    let refused = loop {
        match Connection::open_reader(&database) {
            Ok(other) => others.push(other),
            Err(error) => break error,
        }
        assert!(others.len() < 4);
    };
    assert!(matches!(refused, Error::Busy(_)), "{refused:?}");
    add(&mut db, 1, "minji").unwrap();
    others.clear();
    let limit = Instant::now() + Duration::from_secs(5);
    while Connection::open_reader(&database).is_err() {
        assert!(Instant::now() < limit, "their places are not free again");
    }
}

struct Wire {
    postgres: Postgres,
    proxy: Proxy,
}

impl Wire {
    fn new() -> Self {
        let postgres = Postgres::start().unwrap();
        let proxy = Proxy::to(SocketAddr::from(([127, 0, 0, 1], postgres.port()))).unwrap();
        Self { postgres, proxy }
    }

    fn opened(&self) -> (Database, Connection) {
        opened(&self.postgres.url_via(&self.proxy))
    }

    fn count(&self, database: &Database) -> String {
        let schema = database.server().unwrap().schema();
        self.postgres.psql(&format!("SELECT COUNT(*) FROM {schema}.cups")).unwrap()
    }
}

#[test]
fn a_commit_whose_answer_is_lost_is_unknown() {
    tried(&database::COMMIT_UNANSWERED);
    let wire = Wire::new();
    let (database, mut db) = wire.opened();
    db.begin().unwrap();
    add(&mut db, 1, "minji").unwrap();
    wire.proxy.one_way(Direction::ClientToServer);
    let committed = soon(|| db.commit());
    assert!(matches!(committed, Err(Error::Unknown(_))), "{committed:?}");
    assert_eq!(wire.count(&database), "1", "it was");
    wire.proxy.heal();
    db.rollback().unwrap();
    assert_eq!(owners(&mut db).unwrap(), ["minji"]);
}

/// With nothing asked in the transaction, everything could go out together with its commit.
#[test]
fn what_was_committed_is_not_tried_again_on_another_connection_nor_told_to_be_undone() {
    tried(&database::COMMIT_UNANSWERED);
    let wire = Wire::new();
    let (database, mut db) = wire.opened();
    let name = database.server().unwrap().schema().trim_start_matches("cafe_");
    let directly = Database::Server(Server::of_service(&wire.postgres.url(), name).unwrap());
    let mut directly = Connection::open_reader(&directly).unwrap();
    let insert = "INSERT INTO cups (owner) VALUES ($1)";
    db.prepare(insert).unwrap();
    db.begin().unwrap();
    db.execute_later(insert, &["minji".into()]).unwrap();
    wire.proxy.one_way(Direction::ClientToServer);
    let committed = std::thread::scope(|scope| {
        let waits = scope.spawn(|| {
            let limit = Instant::now() + SOON / 2;
            while owners(&mut directly).unwrap().is_empty() && Instant::now() < limit {}
            wire.proxy.cut();
        });
        let committed = db.commit();
        waits.join().unwrap();
        committed
    });
    match wire.count(&database).as_str() {
        "0" => assert!(is_busy(&committed)),
        "1" => assert!(matches!(committed, Err(Error::Unknown(_))), "it was: {committed:?}"),
        more => panic!("it was committed {more} times"),
    }
}
