//! What the simulation keeps in memory is what `SQLite` keeps.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use cafe_barista::Barista;
use cafe_delivery::parts::Storage;
use cafe_events::Source;
use cafe_order::Orders;
use cafe_simulation::choose::Chooser;
use cafe_simulation::config::{Config, is_on_sqlite};
use cafe_simulation::disk::Disk;
use cafe_simulation::memory::{Fate, Memory, Strike};
use cafe_simulation::planted::Planted;
use cafe_simulation::run::run;
use cafe_simulation::settle::settle;
use cafe_simulation::trace::Trace;
use cafe_simulation::twin::Twin;
use cafe_simulation::twin::compare::same_contents;
use cafe_simulation::twin::file::SqliteFile;
use cafe_simulation::twin::rows::Twinned;
use cafe_simulation::world::World;

/// What happens before the rows are looked at.
const LENGTH: usize = 300;

#[test]
fn whatever_goes_wrong_sqlite_has_what_memory_has() {
    let seeds: Vec<u64> = (0..30_000).filter(|seed| is_on_sqlite(*seed)).collect();
    assert_eq!(seeds.len(), 30);
    for seed in seeds {
        let broken = run(seed, None, false).broken;
        assert!(broken.is_empty(), "seed {seed}: {broken:#?}");
    }
}

#[test]
fn a_row_that_only_one_of_them_has_or_has_otherwise_is_found_in_every_table() {
    let days = (0..).filter(|seed| is_on_sqlite(*seed)).map(calm_day);
    let mut days = days.filter(|world| world.barista.disk.platters().now.shelf.tickets.len() > 1);
    let world = days.next().unwrap();
    let common = [
        ("outbox_head", "UPDATE outbox_head SET restored_at_ms = 1"),
        ("outbox", "UPDATE outbox SET at_ms = at_ms + 1 WHERE position = (SELECT MAX(position) FROM outbox)"),
        ("outbox", "DELETE FROM outbox WHERE position = (SELECT MAX(position) FROM outbox)"),
        ("lease", "UPDATE lease SET beats = beats + 1"),
        ("replicas", "INSERT INTO replicas VALUES ('another', 1, 1)"),
        ("positions", "UPDATE positions SET position = position + 1"),
        ("positions.epoch", "UPDATE positions SET epoch = epoch + 1"),
        ("heard", "UPDATE heard SET hashes = '0000000000000000'"),
        ("heard", "INSERT INTO heard VALUES ('an order', 'order', 1, '', 0)"),
        ("held", "INSERT INTO held VALUES ('an order', 'order', 1, 1, '', 1, '', NULL)"),
        ("parked", "INSERT INTO parked VALUES (1, '', 'order', 1, NULL, NULL, '', 1, '', NULL, '', 1)"),
    ];
    let order = [
        ("orders", "DELETE FROM orders WHERE order_id = (SELECT MIN(order_id) FROM orders)"),
        ("orders", "UPDATE orders SET state = (SELECT MAX(state) FROM orders)"),
        ("orders.waiting_since_ms", "UPDATE orders SET waiting_since_ms = 1"),
        ("idempotency_keys", "UPDATE idempotency_keys SET used_at_ms = 1"),
        ("idempotency_keys", "INSERT INTO idempotency_keys VALUES ('main', 'another', '', '', 1)"),
        ("day_numbers", "UPDATE day_numbers SET last = last + 1"),
        ("day_numbers", "INSERT INTO day_numbers VALUES ('main', '2001-01-01', 1, 0)"),
        ("secrets", "INSERT INTO secrets VALUES ('another', '')"),
    ];
    let payment = [
        ("payments", "UPDATE payments SET state = (SELECT MAX(state) FROM payments)"),
        ("payments.lane, due_at_ms, expires_at_ms", "UPDATE payments SET lane = 9"),
        ("payments.lane, due_at_ms, expires_at_ms", "UPDATE payments SET due_at_ms = 9"),
        ("payments.lane, due_at_ms, expires_at_ms", "UPDATE payments SET expires_at_ms = 9"),
    ];
    let barista = [
        ("tickets", "UPDATE tickets SET state = (SELECT MAX(state) FROM tickets)"),
        ("tickets' columns", "UPDATE tickets SET sequence = sequence + 1"),
        ("tickets' columns", "UPDATE tickets SET queued_at_ms = 1"),
        ("tickets' columns", "UPDATE tickets SET open_status = 'another'"),
        ("tickets' columns", "UPDATE tickets SET ready_at_ms = 1"),
        ("queues", "UPDATE queues SET last_sequence = 99"),
        ("queues", "INSERT INTO queues VALUES ('another', 1)"),
    ];
    finds(&world.order.disk, common.iter().chain(&order));
    finds(&world.payment.disk, common.iter().chain(&payment));
    finds(&world.barista.disk, common.iter().chain(&barista));
}

#[test]
fn what_a_fault_comes_to_in_memory_it_comes_to_in_the_file() {
    let unknown = |committed| Strike::Unknown { committed };
    for (strike, power_fails, kept) in [
        (None, false, true),
        (None, true, true),
        (Some(Strike::Full), false, false),
        (Some(Strike::CrashUnsynced), false, true),
        (Some(Strike::CrashUnsynced), true, false),
        (Some(Strike::SyncFails), true, false),
        (Some(unknown(true)), false, true),
        (Some(unknown(false)), false, false),
    ] {
        let disk = disk_with_twin();
        let fate = Fate::default();
        let mut storage = Twin::open(Memory::open(&disk, &fate, false, None));
        take(&mut storage).unwrap();
        if let Some(strike) = strike {
            fate.plan(0, strike);
        }
        assert_eq!(take(&mut storage).is_err(), strike.is_some(), "{strike:?}");
        storage.rollback().unwrap();
        drop(storage);
        if power_fails {
            disk.platters().lose_power();
        }
        let mut storage = Twin::open(Memory::open(&disk, &Fate::default(), false, None));
        let epoch = if kept { 2 } else { 1 };
        assert_eq!(storage.lease().unwrap().epoch, epoch, "{strike:?}");
        take(&mut storage).unwrap();
        assert_eq!(difference(&disk), None, "{strike:?}");
    }
}

#[test]
fn an_older_copy_is_put_back_in_both() {
    let mut order = World::new(Config::of(seed_on_sqlite(), None), Trace::default()).order;
    order.back_up();
    order.lose_power();
    take(&mut Twin::open(Memory::open(&order.disk, &Fate::default(), false, None))).unwrap();
    assert!(order.restore());
    let platters = order.disk.platters();
    let file = platters.file.as_ref().unwrap();
    let mut db = file.open::<Planted<Orders>>().unwrap();
    same_contents(&platters.now, &mut db).unwrap();
    assert!(platters.now.head().restored_at_ms.is_some());
    assert_eq!(file.difference(), None);
}

/// Each statement is found out, and undone again.
fn finds<'a, D: Twinned>(disk: &Disk<D>, statements: impl Iterator<Item = &'a (&'a str, &'a str)>) {
    let platters = disk.platters();
    let mut db = platters.file.as_ref().unwrap().open::<D>().unwrap();
    same_contents(&platters.now, &mut db).unwrap();
    for (table, statement) in statements {
        db.begin().unwrap();
        db.batch(statement).unwrap();
        let found = same_contents(&platters.now, &mut db).expect_err(statement).0;
        db.rollback().unwrap();
        assert!(found.starts_with(table), "{statement}: {found}");
    }
    same_contents(&platters.now, &mut db).unwrap();
}

/// A day with many people and without faults, to its end.
fn calm_day(seed: u64) -> World {
    let config = Config { length: LENGTH, people: 400, faults: 0, customers: 7, ..Config::of(seed, None) };
    let mut world = World::new(config, Trace::default());
    let mut chooser = Chooser::new(seed);
    for _ in 0..LENGTH {
        let transition = chooser.next(&mut world);
        world.happens(&transition);
    }
    assert!(settle(&mut world));
    world
}

fn seed_on_sqlite() -> u64 {
    (0..1_000).find(|seed| is_on_sqlite(*seed)).unwrap()
}

fn disk_with_twin() -> Disk<Barista> {
    let disk = Disk::new("barista-1");
    disk.platters().file = Some(SqliteFile::new::<Barista>("barista-1", None));
    disk
}

fn difference<D: Twinned>(disk: &Disk<D>) -> Option<String> {
    disk.platters().file.as_ref().unwrap().difference()
}

fn take<D: Twinned>(storage: &mut Twin<D>) -> Result<(), cafe_store::Error> {
    storage.begin()?;
    storage.take_lease(Source::Order.name())?;
    storage.commit()
}
