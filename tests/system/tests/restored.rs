//! Yesterday's copy of one service is put back, and the books are right again.

use std::collections::BTreeMap;
use std::time::Duration;

use cafe_failures::{Fault, disk, tried};
use cafe_system_tests::{Cafe, Rush, Service, wait_until};

/// Some are declined: what was not charged must not be charged by a payment service that has forgotten it.
const TOKENS: [&str; 4] = ["tok_ok", "tok_declined", "tok_ok", "tok_error"];
const RATE: u32 = 100;
const SETTLED: Duration = Duration::from_mins(1);

#[test]
#[ignore = "run by cargo xtask test"]
fn yesterdays_copy_of_order_is_put_back() {
    put_back_yesterdays_copy_of(Service::Order, &disk::ORDER_RESTORED);
}

#[test]
#[ignore = "run by cargo xtask test"]
fn yesterdays_copy_of_payment_is_put_back() {
    put_back_yesterdays_copy_of(Service::Payment, &disk::PAYMENT_RESTORED);
}

#[test]
#[ignore = "run by cargo xtask test"]
fn yesterdays_copy_of_barista_is_put_back() {
    put_back_yesterdays_copy_of(Service::Barista, &disk::BARISTA_RESTORED);
}

fn put_back_yesterdays_copy_of(service: Service, fault: &Fault) {
    let mut cafe = Cafe::up(&["--robot", "--robot-speed", "1000"]);
    let copy = cafe.data().with_file_name("yesterday");
    let rush = Rush::start(&cafe, RATE, &TOKENS);
    rush.wait_for_customers(RATE);
    // Taken at work, in the middle of orders.
    let backup = cafe.command("backup").arg(&copy).status().expect("the program starts");
    assert!(backup.success(), "the backup is made:\n{}", cafe.log());
    rush.wait_for_customers(RATE);
    rush.stop().demand_all_well(&cafe, &[]);
    let (before, tickets) =
        (statuses(&cafe, Service::Order, "orders"), statuses(&cafe, Service::Barista, "tickets"));
    cafe.close();

    tried(fault);
    let restore = cafe.command("restore").arg(&copy).args(["--service", service.name()]).status();
    assert!(restore.expect("the program starts").success(), "the copy is put back:\n{}", cafe.log());
    cafe.open();
    cafe.wait_until_ready();
    // What happened since is heard again from the others; customers come meanwhile.
    let rush = Rush::start(&cafe, RATE, &TOKENS);
    rush.wait_for_customers(RATE);
    rush.stop().demand_prompt_answers(&[]);
    cafe.settle(SETTLED);
    wait_until(SETTLED, "every order is as it was", || {
        as_before(&before, &statuses(&cafe, Service::Order, "orders"), service).then_some(())
    });
    wait_until(SETTLED, "what was made is made", || {
        let now = statuses(&cafe, Service::Barista, "tickets");
        tickets.iter().all(|(id, status)| now.get(id) == Some(status)).then_some(())
    });
    cafe.audit();
}

/// A restored order service learns of an order it has forgotten from its payment; one that was never paid is gone.
fn as_before(before: &Statuses, now: &Statuses, restored: Service) -> bool {
    before.iter().all(|(id, status)| match now.get(id) {
        Some(now) => now == status,
        None => restored == Service::Order && status != "picked_up",
    })
}

type Statuses = BTreeMap<String, String>;

/// Of every row of a list, by the order's id.
fn statuses(cafe: &Cafe, service: Service, list: &str) -> Statuses {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let id = |row: &serde_json::Value| text(row.get("order_id").unwrap_or(&row["id"]));
    cafe.all(service, list).iter().map(|row| (id(row), text(&row["status"]))).collect()
}
