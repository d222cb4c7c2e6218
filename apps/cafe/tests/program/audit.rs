//! `cafe audit` on what a real cafe has left: sound as it is, and with damage planted.

use std::fs;
use std::path::Path;

use cafe_failures::{disk, tried};
use serde_json::Value;

use crate::support::{Cafe, words};

/// Quick customers: none of their vendors keeps them waiting.
pub(crate) const QUICK: [&str; 10] =
    ["--slow", "0%", "--timeout", "0%", "--late", "0%", "--never", "0%", "--refund-timeout", "0%"];

/// What somebody did to one of the databases, and what an audit must say to that.
struct Damage {
    what: &'static str,
    database: &'static str,
    sql: &'static str,
    found: &'static [&'static str],
}

const DAMAGE: [Damage; 10] = [
    Damage {
        what: "a row of the outbox is deleted",
        database: "barista",
        sql: "DELETE FROM outbox WHERE position = (SELECT MIN(position) FROM outbox WHERE version = 2)",
        found: &["a log has no gaps", "versions run 1..n, in the order of the log", "what was heard is what was said"],
    },
    Damage {
        what: "the last row of the outbox is deleted",
        database: "payment",
        sql: "DELETE FROM outbox WHERE position = (SELECT MAX(position) FROM outbox)",
        found: &["a log has no gaps", "state version n means events 1..n"],
    },
    Damage {
        what: "two versions are swapped",
        database: "barista",
        sql: "CREATE TEMP TABLE victim AS SELECT order_id FROM outbox WHERE version = 2 LIMIT 1;
              UPDATE outbox SET version = -1 WHERE version = 1 AND order_id = (SELECT order_id FROM victim);
              UPDATE outbox SET version = 1 WHERE version = 2 AND order_id = (SELECT order_id FROM victim);
              UPDATE outbox SET version = 2 WHERE version = -1 AND order_id = (SELECT order_id FROM victim)",
        found: &["versions run 1..n, in the order of the log"],
    },
    Damage {
        what: "an event is said otherwise than it was heard",
        database: "payment",
        sql: "UPDATE outbox SET body = replace(body, '\"vendor\":\"simulator\"', '\"vendor\":\"somebody\"')
              WHERE position = (SELECT MIN(position) FROM outbox WHERE body LIKE '%\"vendor\":\"simulator\"%')",
        found: &["what was heard is what was said"],
    },
    Damage {
        what: "a customer is charged twice",
        database: "simulator",
        sql: "INSERT INTO charges (key, charge_id, order_id, amount, currency, declined, charged_at_ms, refunds_answer)
              SELECT key || '0', charge_id || '0', order_id, amount, currency, declined, charged_at_ms, refunds_answer
              FROM charges WHERE declined IS NULL AND charge_id NOT IN (SELECT charge_id FROM refunds) LIMIT 1",
        found: &["a customer is charged at most once per order", "charges - refunds = lines made - goodwill"],
    },
    Damage {
        what: "a charge is taken out of the vendor's record",
        database: "simulator",
        sql: "DELETE FROM charges WHERE key = (SELECT MIN(key) FROM charges WHERE declined IS NULL)",
        found: &["payment's books are the vendor's", "charges - refunds = lines made - goodwill"],
    },
    Damage {
        what: "a ticket is dropped",
        database: "barista",
        sql: "DELETE FROM tickets WHERE order_id = (SELECT MIN(order_id) FROM tickets)",
        found: &["a paid order has exactly one ticket", "state version n means events 1..n"],
    },
    Damage {
        what: "a number is given twice",
        database: "order",
        sql: "UPDATE orders SET state = json_set(state, '$.placed.number', '0001')
              WHERE order_id = (SELECT MAX(order_id) FROM orders)",
        found: &["numbers rise, without repeats within store and day"],
    },
    Damage {
        what: "an order is lost",
        database: "order",
        sql: "DELETE FROM orders WHERE order_id = (SELECT MIN(order_id) FROM orders)",
        found: &["state version n means events 1..n"],
    },
    Damage {
        what: "an event is passed over by its listener",
        database: "barista",
        sql: "DELETE FROM heard WHERE order_id = (SELECT MIN(order_id) FROM tickets)",
        found: &["what is said is heard, or visibly waits", "nothing is made unpaid"],
    },
];

#[test]
fn planted_damage_is_found_and_a_sound_cafe_is_sound() {
    let mut cafe = Cafe::open(&["--robot", "--robot-speed", "1000", "--pay-by", "15s"]);
    let rush =
        cafe.run(&[&["rush", "--orders", "60", "--rate", "60", "--cancel", "20%"], &QUICK[..]].concat());
    assert!(rush.status.success(), "{}\n{}", words(&rush.stdout), words(&rush.stderr));
    cafe.close();

    assert_eq!(audit(&cafe, &cafe.data()), (true, Vec::new()));
    for Damage { what, database, sql, found } in DAMAGE {
        let copy = cafe.path(&what.replace(' ', "-"));
        copy_files(&cafe.data(), &copy);
        let db = rusqlite::Connection::open(copy.join(format!("{database}.sqlite"))).unwrap();
        db.execute_batch(sql).unwrap();
        drop(db);
        let (sound, broken) = audit(&cafe, &copy);
        assert!(!sound, "{what}, and the audit is content");
        for promise in found {
            assert!(
                broken.iter().any(|says| says == promise),
                "{what}: {promise:?} is not among {broken:#?}"
            );
        }
    }
}

#[test]
fn a_cafe_is_sound_while_it_works() {
    let cafe = Cafe::open(&["--robot", "--robot-speed", "1000", "--pay-by", "15s"]);
    let mut rush = cafe.command(&["rush", "--orders", "300", "--rate", "100", "--json"]);
    let mut rush = rush.args(QUICK).stdout(std::process::Stdio::null()).spawn().unwrap();
    let mut audits = 0;
    while rush.try_wait().unwrap().is_none() {
        let report = cafe.run(&["audit", "--json"]);
        let nothing_yet = words(&report.stderr).contains("holds no cafe");
        assert!(
            report.status.success() || nothing_yet,
            "{}\n{}",
            words(&report.stdout),
            words(&report.stderr)
        );
        audits += 1;
    }
    assert!(rush.wait().unwrap().success());
    assert!(audits > 0);
    let over_http = cafe.run(&["audit", "--http"]);
    assert!(over_http.status.success(), "{}\n{}", words(&over_http.stdout), words(&over_http.stderr));
    assert!(words(&over_http.stdout).contains("only the data folder shows it"));
}

#[test]
fn a_cafe_whose_payments_alone_were_restored_is_sound_while_they_are_found_again() {
    tried(&disk::PAYMENT_RESTORED);
    let flags = ["--robot", "--robot-speed", "1000", "--pay-by", "15s"];
    let mut cafe = Cafe::open(&flags);
    assert!(cafe.run(&["backup", "copy"]).status.success());
    let rush = cafe.run(&[&["rush", "--orders", "40", "--rate", "100"], &QUICK[..]].concat());
    assert!(rush.status.success(), "{}\n{}", words(&rush.stdout), words(&rush.stderr));
    cafe.close();
    assert!(cafe.run(&["restore", "copy", "--service", "payment"]).status.success());

    cafe.open_with(&flags);
    for place in [&["audit", "--http"][..], &["audit"]] {
        let report = cafe.run(place);
        assert!(report.status.success(), "{}\n{}", words(&report.stdout), words(&report.stderr));
    }
    let again = cafe.run(&[&["rush", "--orders", "20", "--rate", "100"], &QUICK[..]].concat());
    assert!(again.status.success(), "{}\n{}", words(&again.stdout), words(&again.stderr));
}

#[test]
fn a_service_that_does_not_answer_is_said_to_be_unseen() {
    let cafe = Cafe::open(&[]);
    cafe.order();
    let [order, payment] = ["order", "payment"].map(|service| cafe.port(service).to_string());
    let ports = ["--order-port", &order, "--payment-port", &payment, "--barista-port", "1"];
    let report =
        cafe.bare_command(&["audit", "--http", "--data"]).arg(cafe.data()).args(ports).output().unwrap();
    let said = words(&report.stdout);
    assert!(report.status.success(), "{said}\n{}", words(&report.stderr));
    assert!(said.contains("127.0.0.1:1/tickets") && said.contains("cannot be reached"), "{said}");
    assert!(!said.contains("kept         5  nothing is made unpaid"), "{said}");
}

/// Whether an audit is content, and the promises that it found broken.
fn audit(cafe: &Cafe, data: &Path) -> (bool, Vec<String>) {
    let report = cafe.bare_command(&["audit", "--json", "--data"]).arg(data).output().unwrap();
    let found: Value = serde_json::from_slice(&report.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}{}", words(&report.stdout), words(&report.stderr)));
    let promises = found["audit"]["promises"].as_array().unwrap().iter();
    let broken =
        promises.filter(|promise| promise["broken"].as_array().is_some_and(|broken| !broken.is_empty()));
    (report.status.success(), broken.map(|promise| promise["says"].as_str().unwrap().to_owned()).collect())
}

fn copy_files(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}
