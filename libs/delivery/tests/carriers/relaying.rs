//! What is said gets to its topic, all of it, once, whatever happens to the relay or to the topic.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use cafe_delivery::message::{self, Standing};
use cafe_delivery::{Notes, Outbox};
use cafe_events::{Record, Source, partition_of};
use cafe_failures::{kafka, tried};
use cafe_rig::kcat;
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::rung::{PARTITIONS, PATIENCE, Rung, until};
use crate::topic::{Written, written};
use crate::toy::{order, said};

const ORDERS: u128 = 12;

fn round(version: u32) -> Vec<Record> {
    (0..ORDERS).map(|number| said(order(number), version, &format!("w{version}"))).collect()
}

fn until_relayed(payment: &Outbox, position: i64) {
    until(&format!("it is relayed up to {position}"), || {
        payment.relay_status().is_some_and(|relay| relay.position >= position && relay.silent.is_none())
    });
}

/// Each partition holds its records in order, each once, and each names the one before it.
fn demand_whole(topic: &[Written], parts: i64, last: i64) {
    let mut before: BTreeMap<i32, i64> = BTreeMap::new();
    for message in topic {
        let previous = before.insert(message.part, message.position()).unwrap_or(0);
        assert_eq!(message.previous(), previous, "{message:?}");
        assert!(message.position() > previous, "{message:?}");
        assert_eq!(i64::from(message.part), partition_of(&message.key, parts), "{message:?}");
    }
    let mut positions: Vec<_> = topic.iter().map(Written::position).collect();
    positions.sort_unstable();
    assert_eq!(positions, (1..=last).collect::<Vec<_>>());
}

#[test]
fn each_record_is_written_once_also_by_relays_that_were_killed_before_they_noted_it() {
    tried(&kafka::RELAY_KILLED);
    let rung = Rung::mock();
    let mut payment = rung.payment();
    let mut last = 0;
    for version in 1..=4 {
        last = payment.say(&round(version)).unwrap();
        until_relayed(&payment, last);
        payment.relay(if version % 2 == 0 { Notes::Kept } else { Notes::Lost }).unwrap();
    }
    payment.stop_relaying();
    last = payment.say(&round(5)).unwrap().max(last);
    payment.relay(Notes::Lost).unwrap();
    until_relayed(&payment, last);
    demand_whole(&written(&rung, PARTITIONS).unwrap(), i64::from(PARTITIONS), last);
}

#[test]
fn two_relays_at_once_write_some_twice_and_nothing_takes_effect_twice_or_never() {
    tried(&kafka::RELAY_KILLED);
    let rung = Rung::mock();
    let mut payment = rung.payment();
    let other = rung.payment();
    let barista = rung.barista();
    for version in 1..=10 {
        payment.say(&round(version)).unwrap();
    }
    let expected: Vec<String> = (1..=10).map(|version| format!("w{version}")).collect();
    for number in 0..ORDERS {
        until("an order is heard to its end", || barista.words(order(number)).len() == expected.len());
        assert_eq!(barista.words(order(number)), expected);
    }
    until_relayed(&other, 10 * ORDERS as i64);
    assert_eq!((barista.status().parked, barista.status().held), (0, 0));
    barista.stopped();
}

#[test]
fn while_brokers_are_away_things_are_said_and_wait_and_afterwards_each_is_written_once() {
    tried(&kafka::ALL_KILLED);
    let rung = Rung::mock();
    let mut payment = rung.payment();
    let barista = rung.barista();
    payment.say(&round(1)).unwrap();
    barista.until_words(order(0), &["w1"]);
    let mock = rung.mock.as_ref().unwrap();
    mock.broker_down(1).unwrap();
    let last = (2..=50).map(|version| payment.say(&round(version)).unwrap()).last().unwrap();
    until("it is told", || payment.relay_status().is_some_and(|relay| relay.silent.is_some()));
    assert_eq!(barista.say(order(99), "fine"), Ok(1));
    mock.broker_up(1).unwrap();
    until_relayed(&payment, last);
    let expected: Vec<String> = (1..=50).map(|version| format!("w{version}")).collect();
    for number in 0..ORDERS {
        until("an order is heard to its end", || barista.words(order(number)).len() == expected.len());
        assert_eq!(barista.words(order(number)), expected);
    }
    demand_whole(&written(&rung, PARTITIONS).unwrap(), i64::from(PARTITIONS), last);
    barista.stopped();
}

/// The second also for a listener that was away, and was not as far as the last that was written before.
#[test]
fn a_topic_that_loses_its_end_or_is_deleted_and_made_again_is_filled_again_and_nothing_happens_twice() {
    tried(&kafka::TAIL_LOST);
    tried(&kafka::TOPICS_DELETED);
    let rung = Rung::kafka();
    let kafka = rung.kafka.clone().unwrap();
    let mut payment = rung.payment();
    let barista = rung.barista();
    payment.say(&round(1)).unwrap();
    until_all_have(&barista, &["w1"]);
    let part = partition_of(&order(0).to_string(), i64::from(PARTITIONS)) as i32;
    assert!(kafka.lose_tail("payment", part, 1).unwrap() >= 1);
    let last = payment.say(&round(2)).unwrap();
    until_all_have(&barista, &["w1", "w2"]);
    until("what was lost is written again", || is_complete(&rung, last));
    barista.stopped();

    let last = payment.say(&round(3)).unwrap();
    until_relayed(&payment, last);
    kafka.delete_topic("payment").unwrap();
    kafka.create_topic("payment", PARTITIONS, &[]).unwrap();
    let last = payment.say(&round(4)).unwrap();
    until("all of it is written to the new topic", || is_complete(&rung, last));
    let barista = rung.barista();
    until_all_have(&barista, &["w1", "w2", "w3", "w4"]);
    barista.stopped();
}

/// A relay that has written on, after brokers had lost what it wrote before, may die before it sees so.
#[test]
fn what_was_lost_before_the_end_of_a_topic_is_seen_by_the_relay_that_comes_next() {
    let rung = Rung::mock();
    let mut payment = rung.payment();
    let part_of = |number: u128| partition_of(&order(number).to_string(), i64::from(PARTITIONS));
    let other = (1..100).find(|number| part_of(*number) != part_of(0)).unwrap();
    let first = payment.say(&[said(order(0), 1, "w1")]).unwrap();
    until_relayed(&payment, first);
    let log_id = written(&rung, PARTITIONS).unwrap()[0].headers["ce_cafelog"].as_str().into();
    payment.stop_relaying();
    let records = [said(order(other), 1, "w1"), said(order(other), 2, "w2")];
    assert_eq!(payment.say(&records).unwrap(), 3);
    write(&rung, part_of(other) as i32, &records[1], &Standing { log_id, position: 3, previous: 2 });

    payment.relay(Notes::Kept).unwrap();
    until("what was lost is written again", || is_complete(&rung, 3));
    let barista = rung.barista();
    barista.until_words(order(other), &["w1", "w2"]);
    barista.stopped();
}

/// As a relay writes it.
fn write(rung: &Rung, part: i32, record: &Record, standing: &Standing) {
    let producer: BaseProducer =
        ClientConfig::new().set("bootstrap.servers", rung.brokers()).create().unwrap();
    let message = BaseRecord::to("payment")
        .partition(part)
        .key(record.order_id.as_str())
        .payload(record.body.as_str())
        .headers(message::headers(Source::Payment, record, standing));
    producer.send(message).map_err(|(error, _)| error).unwrap();
    producer.flush(Duration::from_secs(10)).unwrap();
}

fn is_complete(rung: &Rung, last: i64) -> bool {
    let Some(written) = written(rung, PARTITIONS) else { return false };
    written.iter().map(Written::position).collect::<BTreeSet<_>>() == (1..=last).collect()
}

/// Keys move to other partitions then: an order's events come from two, and are put in order here.
#[test]
fn a_topic_that_is_given_more_partitions_is_written_and_heard_on_in_order() {
    tried(&kafka::MORE_PARTITIONS);
    let rung = Rung::kafka();
    let mut payment = rung.payment();
    let barista = rung.barista();
    payment.say(&round(1)).unwrap();
    until_all_have(&barista, &["w1"]);
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", rung.brokers()).create().unwrap();
    let more = NewPartitions::new("payment", PARTITIONS as usize + 4);
    let made = rung.block_on(admin.create_partitions([&more], &AdminOptions::new())).unwrap();
    assert!(made[0].is_ok(), "{made:?}");
    // The relay looks for more partitions from time to time; until then it writes to those that it knows.
    let since = Instant::now();
    let mut words = vec!["w1".to_owned()];
    while !an_order_is_in_two_partitions(&rung) {
        assert!(since.elapsed() < PATIENCE, "an order's events come from two partitions");
        let version = words.len() as u32 + 1;
        payment.say(&round(version)).unwrap();
        words.push(format!("w{version}"));
        until_all_have(&barista, &words.iter().map(String::as_str).collect::<Vec<_>>());
    }
    barista.stopped();
}

fn an_order_is_in_two_partitions(rung: &Rung) -> bool {
    let mut parts: BTreeMap<String, BTreeSet<i32>> = BTreeMap::new();
    // Who is asked may hear of the new partitions later than who wrote to them.
    for message in written(rung, PARTITIONS + 4).unwrap_or_default() {
        parts.entry(message.key.clone()).or_default().insert(message.part);
    }
    parts.values().any(|parts| parts.len() == 2)
}

#[test]
fn anybody_can_read_the_key_the_body_and_the_attributes_of_what_is_said() {
    let rung = Rung::kafka();
    let mut payment = rung.payment();
    payment.say(&[said(order(7), 1, "w1")]).unwrap();
    until_relayed(&payment, 1);
    let read = ["-b", &rung.brokers(), "-C", "-t", "payment", "-o", "beginning", "-e", "-q", "-J"];
    let line = kcat(&read, "").unwrap();
    let id = order(7).to_string();
    for expected in [
        format!("\"key\":\"{id}\""),
        "\"ce_specversion\",\"1.0\"".to_owned(),
        format!("\"ce_id\",\"payment/{id}/1\""),
        "\"ce_type\",\"cafe.payment.declined.v1\"".to_owned(),
        "\"ce_source\",\"payment\"".to_owned(),
        "\"ce_time\",\"1970-01-01T00:00:01Z\"".to_owned(),
        format!("\"ce_subject\",\"{id}\""),
        "\"content-type\",\"application/json\"".to_owned(),
        "\"traceparent\",\"trace-1\"".to_owned(),
        "\\\"reason\\\":\\\"w1\\\"".to_owned(),
        "\"ts\":1000".to_owned(),
    ] {
        assert!(line.contains(&expected), "{expected} in {line}");
    }
}

fn until_all_have(barista: &crate::rung::Barista<'_>, words: &[&str]) {
    (0..ORDERS).for_each(|number| barista.until_words(order(number), words));
    assert_eq!((barista.status().parked, barista.status().held), (0, 0));
}
