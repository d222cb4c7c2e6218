//! A cafe that outgrows its machine is carried to servers while it trades.

use std::time::{Duration, Instant};

use cafe_failures::{event, owner, tried};
use cafe_system_tests::{Cafe, MOMENT, Outage, Rung, Rush, Service, Site, http, wait_until};
use serde_json::Value;

use crate::ROBOT;

/// Customers a second.
const RATE: u32 = 50;
/// Orders of every kind are on their way when their service goes over.
const TOKENS: [&str; 6] = ["tok_ok", "tok_declined", "tok_ok", "tok_timeout", "tok_ok", "tok_error"];
/// Orders may be refused for so long.
const SEALED_LIMIT: Duration = Duration::from_secs(10);
/// Moves that are killed before one is let go to its end.
const KILLED: u32 = 4;

#[test]
#[ignore = "run by cargo xtask test"]
fn a_cafe_moves_up_while_customers_come_however_often_the_move_is_killed() {
    let cafe = Cafe::up(&ROBOT);
    let site = Rung::Chain.site();
    let rush = Rush::start(&cafe, RATE, &TOKENS);
    rush.wait_for_customers(RATE);
    let before = Instant::now();
    for _ in 0..KILLED {
        let mut mover = moving(&cafe, &site).spawn().expect("the program starts");
        // This is the harm itself, not a wait for anything.
        std::thread::sleep(Duration::from_millis(cafe.draw(0..2_500).into()));
        tried(&owner::MOVE_KILLED);
        mover.kill().expect("it is our child");
        mover.wait().expect("it is our child");
        rush.wait_for_customers(RATE / 2);
    }
    let moved = moving(&cafe, &site).status().expect("the program starts");
    assert!(moved.success(), "the cafe is moved:\n{}", cafe.log());
    let meanwhile = Outage { from: before, to: Instant::now() };
    rush.wait_for_customers(RATE);
    let rushed = rush.stop();
    let refused: Vec<Instant> =
        rushed.posts.iter().filter(|post| post.first != Ok(201)).map(|post| post.at).collect();
    if let (Some(first), Some(last)) = (refused.iter().min(), refused.iter().max()) {
        assert!(*last - *first < SEALED_LIMIT, "refused orders for {:?}", *last - *first);
    }
    rushed.demand_all_well(&cafe, &[meanwhile]);
    let taken = site.sql("SELECT count(*) FROM cafe_order.orders");
    assert_eq!(taken, rushed.posts.len().to_string(), "every order is on the server");
    for service in Service::ALL {
        let log = site.sql(&format!("SELECT log_id FROM cafe_{}.outbox_head", service.name()));
        assert_eq!(log, log_in_file(&cafe, service), "{} went on with its own log", service.name());
    }
}

#[test]
#[ignore = "run by cargo xtask test"]
fn what_is_set_aside_and_what_is_held_behind_it_goes_along() {
    let mut cafe = Cafe::up(&ROBOT);
    cafe.close();
    let barista = rusqlite::Connection::open(cafe.database(Service::Barista)).expect("a closed cafe's file");
    tried(&event::POISON);
    barista.execute_batch(UNREADABLE_THEN_ANOTHER).expect("it can be written");
    drop(barista);
    cafe.open();
    cafe.wait_until_ready();
    let list = || http::get(cafe.port(Service::Order), "/parked", Some(&cafe.staff_key())).unwrap().json();
    let held = || cafe.health(Service::Order)["held"].as_i64();
    let number_of = |list: &Value| list["parked"][0]["id"].as_i64();
    wait_until(MOMENT, "one is set aside", || number_of(&list()));
    wait_until(MOMENT, "one is held", || (held() == Some(1)).then_some(()));
    let before = list();

    let site = Rung::Chain.site();
    assert!(moving(&cafe, &site).status().expect("the program starts").success(), "{}", cafe.log());
    cafe.wait_until_ready();
    assert_eq!((list(), held()), (before.clone(), Some(1)), "as it was in the folder");
    let settle = |how: &str| {
        let mut command = cafe.command("parked");
        let number = number_of(&before).expect("it has a number").to_string();
        command.args([how, &number, "--service", "order"]).status().expect("the program starts").success()
    };
    assert!(!settle("retry"), "it is as unreadable as before");
    assert!(settle("drop"));
    wait_until(MOMENT, "what was held is heard", || (held() == Some(0)).then_some(()));
    assert_eq!(number_of(&list()), None);
    assert_eq!(site.sql("SELECT count(*) FROM cafe_order.held"), "0");
}

/// Of an order: what nobody can read, and then a kind of event that nobody knows.
const UNREADABLE_THEN_ANOTHER: &str = r#"
    INSERT INTO outbox (position, order_id, version, kind, at_ms, body)
    SELECT last + 1, '01980000-0000-7000-8000-000000000001', 1, 'cafe.ticket.queued.v1', 1760000000000, '{"number":7}'
    FROM outbox_head;
    INSERT INTO outbox (position, order_id, version, kind, at_ms, body)
    SELECT last + 2, '01980000-0000-7000-8000-000000000001', 2, 'cafe.ticket.admired.v1', 1760000000001,
        '{"order_id":"01980000-0000-7000-8000-000000000001","store":"main","version":2,"at":"2025-10-09T08:53:20.001Z"}'
    FROM outbox_head;
    UPDATE outbox_head SET last = last + 2;"#;

#[test]
#[ignore = "run by cargo xtask test"]
fn a_cafe_is_not_moved_onto_another_ones_data() {
    let others = Cafe::up_on(Rung::Postgres, &ROBOT);
    let site = others.site().clone();
    drop(others);
    let cafe = Cafe::up(&ROBOT);
    tried(&owner::MOVED_ONTO_ANOTHER);
    let moved = moving(&cafe, &site).status().expect("the program starts");
    assert!(!moved.success());
    assert!(cafe.log().contains("another cafe keeps its data there"), "{}", cafe.log());
    let rush = Rush::start(&cafe, RATE, &["tok_ok"]);
    rush.wait_for_customers(RATE);
    rush.stop().demand_all_well(&cafe, &[]);
}

fn moving(cafe: &Cafe, site: &Site) -> std::process::Command {
    let mut command = cafe.command("move");
    command.args(site.flags());
    command
}

fn log_in_file(cafe: &Cafe, service: Service) -> String {
    let file = rusqlite::Connection::open(cafe.data().join(format!("{}.sqlite", service.name())));
    let read =
        |db: rusqlite::Connection| db.query_row("SELECT log_id FROM outbox_head", [], |row| row.get(0));
    file.and_then(read).expect("the file that was left is whole")
}
