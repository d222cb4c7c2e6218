//! What somebody else writes to our topic.

use rdkafka::config::ClientConfig;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use cafe_failures::{event, tried};
use cafe_rig::kcat;

use crate::rung::{PARTITIONS, Rung, until};
use crate::toy::{order, said};

mod over_a_mock_of_kafka {
    #[test]
    fn what_somebody_else_writes_is_set_aside_each_by_its_own_name_and_stops_nobody() {
        super::what_somebody_else_writes_is_set_aside_each_by_its_own_name_and_stops_nobody(
            &crate::rung::Rung::mock(),
        );
    }
}
on_kafka_and_a_server!(what_somebody_else_writes_is_set_aside_each_by_its_own_name_and_stops_nobody);

#[test]
fn a_header_whose_name_is_no_text_is_set_aside_and_stops_nobody() {
    tried(&event::STRANGERS);
    let rung = Rung::kafka();
    let mut payment = rung.payment();
    let barista = rung.barista();
    payment.say(&[said(order(1), 1, "w1")]).unwrap();
    barista.until_words(order(1), &["w1"]);
    let brokers = rung.brokers();
    for part in 0..PARTITIONS {
        let (part, header) = (part.to_string(), OsStr::from_bytes(b"\xff=1"));
        let write = ["-b", &brokers, "-P", "-t", "payment", "-p", &part, "-H"].map(OsStr::new);
        kcat(&[&write[..], &[header]].concat(), "not ours").unwrap();
    }
    payment.say(&[said(order(1), 2, "w2")]).unwrap();
    barista.until_words(order(1), &["w1", "w2"]);
    until("they are set aside", || barista.status().parked == i64::from(PARTITIONS));

    // The next relay finds its own last word behind them.
    drop(payment);
    let mut payment = rung.payment();
    payment.say(&[said(order(1), 3, "w3")]).unwrap();
    barista.until_words(order(1), &["w1", "w2", "w3"]);
    barista.stopped();
}

/// Below what brokers take by default.
const HUGE_BYTES: usize = 900_000;

fn what_somebody_else_writes_is_set_aside_each_by_its_own_name_and_stops_nobody(rung: &Rung) {
    tried(&event::STRANGERS);
    let mut payment = rung.payment();
    let barista = rung.barista();
    let orders = 24;
    let mut written = 0;
    for version in 1..=3 {
        let records: Vec<_> = (0..orders).map(|number| said(order(number), version, "w")).collect();
        payment.say(&records).unwrap();
        until("they are relayed", || {
            payment.relay_status().is_some_and(|relay| relay.behind() == 0 && relay.last > 0)
        });
        written += write_foreign(rung);
    }
    for number in 0..orders {
        barista.until_words(order(number), &["w", "w", "w"]);
    }
    until("all of them are set aside", || barista.status().parked == written);
    let parked = barista.parked();
    let names: BTreeSet<_> = parked.iter().map(|(_, event, _)| event.clone()).collect();
    assert_eq!(names.len() as i64, written, "{names:?}");
    assert_eq!(barista.status().held, 0);

    // Heard again from the beginning, they are the same.
    barista.stopped();
    rung.database_of_barista().batch("DELETE FROM positions").unwrap();
    let barista = rung.barista();
    payment.say(&[said(order(0), 4, "w")]).unwrap();
    barista.until_words(order(0), &["w", "w", "w", "w"]);
    until("all is heard", || barista.status().links[0].behind() == 0);
    assert_eq!(barista.status().parked, written);
    barista.stopped();
}

/// Key, value, headers.
type Message<'a> = (Option<&'a str>, Option<&'a [u8]>, Option<OwnedHeaders>);

/// Every kind to every partition; answers how many.
fn write_foreign(rung: &Rung) -> i64 {
    let mut config = ClientConfig::new();
    let producer: BaseProducer = config.set("bootstrap.servers", rung.brokers()).create().unwrap();
    let huge = vec![b'x'; HUGE_BYTES];
    let key = order(1).to_string();
    let half = OwnedHeaders::new().insert(Header { key: "ce_type", value: Some("cafe.payment.declined.v1") });
    let strange = OwnedHeaders::new()
        .insert(Header { key: "ce_type", value: Some(&[0xff, 0][..]) })
        .insert(Header { key: "ce_cafelog", value: None::<&[u8]> })
        .insert(Header { key: "ce_cafeposition", value: Some(&b"many"[..]) });
    let kinds: [Message<'_>; 8] = [
        (Some(&key), Some(b"{\"hello\":\"world\"}"), None),
        (Some(&key), None, None),
        (None, Some(b"plain text"), None),
        (None, None, None),
        (Some("k"), Some(&[0xff, 0, 0xfe]), Some(strange)),
        (Some("not an order"), Some(b"{}"), Some(half)),
        (None, Some(&huge), None),
        (Some(""), Some(b""), None),
    ];
    let mut written = 0;
    for part in 0..PARTITIONS {
        for (key, payload, headers) in &kinds {
            let mut record: BaseRecord<'_, str, [u8]> = BaseRecord::to("payment").partition(part);
            record.key = *key;
            record.payload = *payload;
            record.headers.clone_from(headers);
            assert!(producer.send(record).is_ok());
            written += 1;
        }
    }
    producer.flush(Duration::from_secs(20)).unwrap();
    written
}
