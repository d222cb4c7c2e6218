//! Everything is heard, once, in its order, and soon.

use std::time::{Duration, Instant};

use cafe_delivery::{Notes, Outbox, mark_restored};
use cafe_events::Source;
use cafe_failures::{disk, event, tried};

use crate::rung::{PARTITIONS, Rung, until};
use crate::toy::{order, said};

on_every_rung!(
    what_a_peer_says_is_heard_once_also_across_restarts,
    news_is_heard_soon_after_its_commit,
    a_log_that_was_restored_is_heard_again_and_changes_nothing,
    a_gap_in_what_is_kept_stops_the_listener_and_is_never_skipped,
    a_long_log_is_heard_from_its_beginning_in_order,
    a_turn_that_cannot_be_committed_is_heard_again,
);
on_kafka_and_a_server!(
    what_a_peer_says_is_heard_once_also_across_restarts,
    news_is_heard_soon_after_its_commit,
    a_log_that_was_restored_is_heard_again_and_changes_nothing,
    a_gap_in_what_is_kept_stops_the_listener_and_is_never_skipped,
);

#[test]
fn of_a_topic_all_partitions_are_noted_with_the_first_that_is_heard() {
    let rung = Rung::mock();
    let (mut payment, barista) = (rung.payment(), rung.barista());
    payment.say(&[said(order(1), 1, "w1")]).unwrap();
    barista.until_words(order(1), &["w1"]);
    let positions = "SELECT part, position FROM positions WHERE source = 'payment' ORDER BY part";
    let mut db = rung.database_of_barista();
    let noted = db.query(positions, &[], |row| Ok((row.int(0)?, row.int(1)?))).unwrap();
    assert_eq!(
        noted.iter().map(|(part, _)| *part).collect::<Vec<_>>(),
        (0..PARTITIONS.into()).collect::<Vec<i64>>()
    );
    assert_eq!(
        noted.iter().filter(|(_, position)| *position == 1).count(),
        1,
        "the others are at their beginning"
    );
    barista.stopped();
}

#[test]
fn news_is_heard_soon_also_between_schemas_of_one_database() {
    news_is_heard_soon_after_its_commit(&Rung::schemas());
}

fn what_a_peer_says_is_heard_once_also_across_restarts(rung: &Rung) {
    let barista = rung.barista();
    // The peer's database appears only later.
    let mut payment = rung.payment();
    payment.say(&[said(order(1), 1, "w1")]).unwrap();
    barista.until_words(order(1), &["w1"]);
    barista.stopped();

    payment.say(&[said(order(1), 2, "w2"), said(order(2), 1, "w1")]).unwrap();
    let barista = rung.barista();
    barista.until_words(order(2), &["w1"]);
    barista.until_words(order(1), &["w1", "w2"]);
    assert_eq!(Outbox::heard_by(&rung.place, Source::Barista, Source::Payment).unwrap(), 3);
    barista.stopped();

    let barista = rung.barista();
    payment.say(&[said(order(3), 1, "w1")]).unwrap();
    barista.until_words(order(3), &["w1"]);
    assert_eq!(barista.words(order(1)), ["w1", "w2"]);
    barista.stopped();
}

fn news_is_heard_soon_after_its_commit(rung: &Rung) {
    let mut payment = rung.payment();
    let barista = rung.barista();
    payment.say(&[said(order(1_000), 1, "w1")]).unwrap();
    barista.until_words(order(1_000), &["w1"]);
    let mut taken = Vec::new();
    for number in 0..31 {
        let before = Instant::now();
        let position = payment.say(&[said(order(number), 1, "w1")]).unwrap();
        while barista.position() < position {
            assert!(before.elapsed() < Duration::from_secs(10), "never heard");
            std::thread::sleep(Duration::from_micros(200));
        }
        taken.push(before.elapsed());
    }
    taken.sort();
    // A poll alone would take 250 ms at the median; the mock answers whoever waits for news only when it has waited enough.
    let limit = Duration::from_millis(if rung.mock.is_some() { 230 } else { 100 });
    assert!(taken[15] < limit, "median {:?}", taken[15]);
    barista.stopped();
}

fn a_log_that_was_restored_is_heard_again_and_changes_nothing(rung: &Rung) {
    tried(&disk::PAYMENT_RESTORED);
    let mut payment = rung.payment();
    payment.say(&[said(order(1), 1, "w1"), said(order(1), 2, "w2")]).unwrap();
    let barista = rung.barista();
    barista.until_words(order(1), &["w1", "w2"]);

    payment.stop_relaying();
    mark_restored(payment.database(), "another-log", cafe_clock::from_ms(5_000)).unwrap();
    payment.relay(Notes::Kept).unwrap();
    payment.say(&[said(order(2), 1, "w1"), said(order(1), 3, "w3")]).unwrap();
    barista.until_words(order(2), &["w1"]);
    barista.until_words(order(1), &["w1", "w2", "w3"]);
    assert_eq!((barista.status().parked, barista.status().held), (0, 0));
    barista.stopped();
}

fn a_gap_in_what_is_kept_stops_the_listener_and_is_never_skipped(rung: &Rung) {
    tried(&event::GAP);
    let mut payment = rung.payment();
    payment.say(&[said(order(1), 1, "w1")]).unwrap();
    let barista = rung.barista();
    barista.until_words(order(1), &["w1"]);
    barista.stopped();

    let noted = || Outbox::heard_by(&rung.place, Source::Payment, Source::Payment).unwrap();
    until("how far it was relayed is noted", || !rung.is_relayed() || noted() == 1);
    payment.stop_relaying();
    payment.say(&[said(order(1), 2, "w2"), said(order(1), 3, "w3")]).unwrap();
    let gone = "DELETE FROM outbox WHERE position <= 2; UPDATE outbox_head SET oldest = 3";
    payment.database().batch(gone).unwrap();
    payment.relay(Notes::Kept).unwrap();
    let barista = rung.barista();
    until("the gap is told", || barista.silent().contains("no longer kept"));
    assert_eq!(barista.status().held, 0, "what comes after it is not heard");
    assert_eq!(barista.say(order(9), "fine"), Ok(1), "its own requests go on");
    barista.stopped();
}

/// More than is read at a time, about few orders.
fn a_long_log_is_heard_from_its_beginning_in_order(rung: &Rung) {
    let mut payment = rung.payment();
    let (orders, versions) = (40, 35);
    for version in 1..=versions {
        let records: Vec<_> =
            (0..orders).map(|number| said(order(number), version, &format!("w{version}"))).collect();
        payment.say(&records).unwrap();
    }
    let barista = rung.barista();
    let expected: Vec<String> = (1..=versions).map(|version| format!("w{version}")).collect();
    for number in 0..orders {
        until("an order is heard to its end", || barista.words(order(number)).len() == expected.len());
        assert_eq!(barista.words(order(number)), expected);
    }
    assert_eq!((barista.status().parked, barista.status().held), (0, 0));
    barista.stopped();
}

fn a_turn_that_cannot_be_committed_is_heard_again(rung: &Rung) {
    let mut payment = rung.payment();
    let barista = rung.barista();
    payment.say(&[said(order(1), 1, "w1")]).unwrap();
    barista.until_words(order(1), &["w1"]);
    let mut elsewhere = rung.database_of_barista();
    elsewhere.batch("ALTER TABLE notes RENAME TO away").unwrap();
    payment.say(&[said(order(1), 2, "w2"), said(order(2), 1, "w1")]).unwrap();
    until("a turn was rolled back", || barista.status().failing.is_some());
    elsewhere.batch("ALTER TABLE away RENAME TO notes").unwrap();
    barista.until_words(order(2), &["w1"]);
    barista.until_words(order(1), &["w1", "w2"]);
    assert_eq!(barista.status().parked, 0);
    barista.stopped();
}
