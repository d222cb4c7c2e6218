//! The turn is pure: however often and in whatever order events are delivered, each takes effect once and in order.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod toy;

use std::collections::BTreeMap;

use cafe_delivery::turn::{self, Arrived, Input, Output};
use cafe_delivery::{HeardRow, HeldSlot, Ledger, ParkedOutcome};
use cafe_events::{OrderId, Record, Source};
use cafe_failures::{event, owner, tried};
use proptest::prelude::*;
use toy::{Notes, Request, Toy, at, order, said};

/// What a database would keep between turns.
#[derive(Default)]
struct Kept {
    notes: BTreeMap<OrderId, Vec<String>>,
    heard: BTreeMap<(OrderId, Source), HeardRow>,
    held: BTreeMap<(OrderId, Source, u32), Record>,
    parked: BTreeMap<String, cafe_delivery::Parked>,
    outbox: Vec<Record>,
    contradictions: u64,
}

impl Kept {
    fn turn(&mut self, inputs: &[Input<'_, Request>]) -> Vec<Output<usize>> {
        let mut ledger = Ledger { any_parked: !self.parked.is_empty(), ..Ledger::default() };
        turn::needs_of_ledger(inputs, &mut ledger);
        for key in ledger.heard.wanted() {
            ledger.heard.fill(key, self.heard.get(&key).cloned());
            for (held, record) in self.held.iter().filter(|((order, source, _), _)| (*order, *source) == key)
            {
                let heard = record.read(key.1).unwrap();
                let slot = HeldSlot { record: record.clone(), heard, stored: true, keep: true };
                ledger.held.insert(*held, slot);
            }
        }
        let mut notes = Notes::default();
        turn::needs_of_domain(&Toy, inputs, &ledger, &mut notes);
        for order_id in notes.wanted() {
            notes.fill(order_id, self.notes.get(&order_id).cloned());
        }
        let decided = turn::decide(&Toy, inputs, &mut ledger, &mut notes, at(2_000));
        self.notes.extend(notes.changed().map(|(key, words)| (*key, words.clone())));
        self.heard.extend(ledger.heard.changed().map(|(key, row)| (*key, row.clone())));
        for (key, slot) in ledger.held {
            if slot.keep {
                self.held.insert(key, slot.record)
            } else {
                self.held.remove(&key)
            };
        }
        self.parked.extend(ledger.parked);
        ledger.unparked.iter().for_each(|event| drop(self.parked.remove(event)));
        self.outbox.extend(decided.records);
        self.contradictions += decided.contradictions;
        decided.outputs
    }

    fn hear(&mut self, records: &[Record]) {
        let arrived: Vec<_> =
            records.iter().map(|record| Arrived::new(Source::Payment, record.clone())).collect();
        self.turn(&arrived.iter().map(Input::Heard).collect::<Vec<_>>());
    }
}

fn words(count: u32) -> Vec<String> {
    (1..=count).map(|version| format!("w{version}")).collect()
}

proptest! {
    #[test]
    fn each_event_takes_effect_once_and_in_order(
        deliveries in proptest::collection::vec((0..3_u128, 1..6_u32), 0..60),
        turn_size in 1..8_usize,
    ) {
        tried(&event::HEARD_AGAIN);
        tried(&event::HEARD_OUT_OF_ORDER);
        let mut kept = Kept::default();
        let record = |(number, version): &(u128, u32)| said(order(*number), *version, &format!("w{version}"));
        let chaos: Vec<Record> = deliveries.iter().map(record).collect();
        chaos.chunks(turn_size).for_each(|turn| kept.hear(turn));
        // At last everything is delivered, backwards.
        let rest: Vec<Record> = (0..3).flat_map(|number| (1..6).rev().map(move |version| (number, version))).map(|key| record(&key)).collect();
        kept.hear(&rest);
        for number in 0..3 {
            prop_assert_eq!(kept.notes.get(&order(number)), Some(&words(5)));
        }
        prop_assert!(kept.held.is_empty() && kept.parked.is_empty());
        prop_assert_eq!(kept.outbox.len(), 15);
        prop_assert!(kept.heard.values().all(|row| row.held == 0 && row.next_version == 6));
    }
}

#[test]
fn a_poisonous_event_holds_up_its_own_order_only_and_dropping_it_lets_the_order_go_on() {
    tried(&event::POISON);
    let mut kept = Kept::default();
    let poison = said(order(1), 2, "poison");
    kept.hear(&[said(order(1), 1, "w1"), poison.clone(), said(order(1), 3, "w3"), said(order(2), 1, "w1")]);
    assert_eq!(kept.notes[&order(1)], ["w1"]);
    assert_eq!(kept.notes[&order(2)], ["w1"]);
    assert_eq!(
        kept.parked.values().map(|parked| parked.reason.as_str()).collect::<Vec<_>>(),
        ["this will not do"]
    );

    let arrived = Arrived::new(Source::Payment, poison);
    let still = kept.turn(&[Input::Retry(&arrived)]);
    assert_eq!(still, [Output::Parked(ParkedOutcome::StillRefused("this will not do".to_owned()))]);
    assert_eq!(kept.parked.len(), 1);

    assert_eq!(kept.turn(&[Input::Drop(&arrived)]), [Output::Parked(ParkedOutcome::Done)]);
    assert_eq!(kept.notes[&order(1)], ["w1", "w3"]);
    assert!(kept.parked.is_empty() && kept.held.is_empty());
}

#[test]
fn what_is_not_ours_is_set_aside_before_anything_else_is_looked_at() {
    tried(&event::STRANGERS);
    let mut kept = Kept::default();
    let mut plain_text = said(order(1), 1, "w1");
    plain_text.kind = String::new();
    plain_text.body = "hello".to_owned();
    let mut damaged = said(order(2), 1, "w1");
    damaged.body.truncate(40);
    let mut of_another_order = said(order(3), 1, "w1");
    of_another_order.order_id = order(4).to_string();
    kept.hear(&[plain_text, damaged, of_another_order, said(order(5), 1, "w1")]);
    assert_eq!(kept.parked.len(), 3);
    assert_eq!(kept.notes.keys().collect::<Vec<_>>(), [&order(5)]);
}

#[test]
fn what_a_foreign_program_claims_to_be_does_no_harm_to_the_order_it_names() {
    tried(&event::STRANGERS);
    let mut kept = Kept::default();
    let mut foreign = said(order(1), 1, "w1");
    (foreign.kind, foreign.position) = ("nest.payment.declined".to_owned(), 7);
    kept.hear(std::slice::from_ref(&foreign));
    let dropped = kept.turn(&[Input::Drop(&Arrived::new(Source::Payment, foreign.clone()))]);
    assert_eq!(dropped, [Output::Parked(ParkedOutcome::Done)]);
    kept.hear(&[foreign, said(order(1), 1, "w1")]);
    assert_eq!(kept.notes[&order(1)], ["w1"], "nobody else's message takes a version's place");
    assert_eq!(kept.parked.keys().collect::<Vec<_>>(), ["payment@7"], "and it stays on the list");
}

#[test]
fn of_two_that_were_set_aside_the_later_is_not_dropped_before_the_earlier() {
    let mut kept = Kept::default();
    let damaged = |version| {
        let mut record = said(order(1), version, "w");
        record.body.truncate(40);
        record
    };
    kept.hear(&[damaged(1), damaged(2), said(order(1), 3, "w3")]);
    let [first, second] = [1, 2].map(|version| Arrived::new(Source::Payment, damaged(version)));
    let early = kept.turn(&[Input::Drop(&second)]);
    assert!(matches!(&early[..], [Output::Parked(ParkedOutcome::StillRefused(_))]), "{early:?}");
    kept.turn(&[Input::Drop(&first), Input::Drop(&second)]);
    assert_eq!(kept.notes[&order(1)], ["w3"]);
    assert!(kept.parked.is_empty() && kept.held.is_empty());
}

#[test]
fn a_type_that_a_newer_program_added_is_counted_and_the_order_goes_on() {
    tried(&owner::OTHER_VERSION);
    let mut kept = Kept::default();
    let mut newer = said(order(1), 1, "w1");
    newer.kind = "cafe.payment.blessed.v1".to_owned();
    kept.hear(&[newer, said(order(1), 2, "w2")]);
    assert_eq!(kept.notes[&order(1)], ["w2"]);
    assert!(kept.parked.is_empty());
}

#[test]
fn the_same_said_again_at_another_time_is_done_already_and_something_else_is_a_contradiction() {
    tried(&event::CONTRADICTION);
    let mut kept = Kept::default();
    kept.hear(&[said(order(1), 1, "w1"), said(order(1), 2, "w2")]);
    let mut later = said(order(1), 1, "w1");
    later.body = later.body.replace("00:00:01", "00:09:01");
    assert_ne!(later.body, said(order(1), 1, "w1").body);
    kept.hear(&[later]);
    assert!(kept.parked.is_empty());
    kept.hear(&[said(order(1), 1, "otherwise"), said(order(1), 3, "w3")]);
    assert_eq!(kept.parked.len(), 1);
    assert!(kept.parked.values().all(|parked| parked.reason.contains("says otherwise")));
    assert!(kept.parked.keys().all(|event| event.ends_with("/1/contradiction")), "{:?}", kept.parked);
    assert_eq!(kept.contradictions, 1);
    assert_eq!(kept.notes[&order(1)], ["w1", "w2", "w3"]);
}

#[test]
fn what_is_said_otherwise_while_the_first_is_held_is_a_contradiction_too() {
    tried(&event::CONTRADICTION);
    let mut kept = Kept::default();
    let first = said(order(1), 1, "poison");
    kept.hear(&[first.clone(), said(order(1), 2, "w2"), said(order(1), 2, "w2")]);
    assert_eq!((kept.parked.len(), kept.contradictions), (1, 0), "the same again is nothing new");
    kept.hear(&[said(order(1), 2, "otherwise")]);
    assert_eq!(kept.contradictions, 1);

    // What was heard first is settled by itself, and the other stays on the list until a person has looked at it.
    kept.turn(&[Input::Drop(&Arrived::new(Source::Payment, first))]);
    assert_eq!(kept.notes[&order(1)], ["w2"]);
    let other = kept.parked.first_key_value().map(|(_, parked)| Arrived::again(parked)).unwrap();
    assert_eq!(kept.parked.len(), 1);
    let still = kept.turn(&[Input::Retry(&other)]);
    assert!(matches!(&still[..], [Output::Parked(ParkedOutcome::StillRefused(_))]), "{still:?}");
    assert_eq!(kept.turn(&[Input::Drop(&other)]), [Output::Parked(ParkedOutcome::Done)]);
    assert!(kept.parked.is_empty());
    assert_eq!(kept.notes[&order(1)], ["w2"]);
}

#[test]
fn of_two_that_contradict_each_other_a_person_can_take_either() {
    // The first was held, and found poisonous once its turn had come.
    let contradicted = || {
        let mut kept = Kept::default();
        kept.hear(&[said(order(1), 2, "poison"), said(order(1), 2, "w2"), said(order(1), 1, "w1")]);
        let parked: Vec<_> = kept.parked.values().map(Arrived::again).collect();
        let [first, other] = <[Arrived; 2]>::try_from(parked).unwrap();
        (kept, first, other)
    };
    let (mut kept, _, other) = contradicted();
    kept.turn(&[Input::Drop(&other)]);
    assert_eq!(
        (kept.parked.len(), &kept.notes[&order(1)][..]),
        (1, &["w1".to_owned()][..]),
        "its order waits"
    );

    let (mut kept, _, other) = contradicted();
    kept.turn(&[Input::Retry(&other)]);
    assert_eq!((kept.parked.len(), kept.notes[&order(1)].len()), (0, 2), "and nothing is left on the list");

    let (mut kept, first, other) = contradicted();
    kept.turn(&[Input::Drop(&first)]);
    assert_eq!(kept.parked.len(), 1, "what contradicts it is looked at by itself");
    kept.turn(&[Input::Drop(&other)]);
    assert_eq!((kept.parked.len(), &kept.notes[&order(1)][..]), (0, &["w1".to_owned()][..]));
}

#[test]
fn an_event_passes_on_the_trace_of_what_caused_it() {
    let mut kept = Kept::default();
    kept.hear(&[said(order(1), 1, "w1")]);
    kept.turn(&[Input::Request { request: &Request::Say(order(1), "w2"), traceparent: Some("from-http") }]);
    let traces: Vec<_> = kept.outbox.iter().map(|record| record.traceparent.as_deref()).collect();
    assert_eq!(traces, [Some("trace-1"), Some("from-http")]);
}

#[test]
fn what_cannot_be_read_is_set_aside_unless_its_version_was_heard_before() {
    let mut kept = Kept::default();
    let damaged = |version| {
        let mut record = said(order(1), version, "w");
        record.body.truncate(40);
        record
    };
    kept.hear(&[said(order(1), 1, "w1"), damaged(1)]);
    assert!(kept.parked.is_empty(), "it was heard when it could be read");
    kept.hear(&[damaged(3)]);
    assert_eq!(kept.parked.len(), 1);
}

#[test]
fn an_event_without_a_version_claims_no_place_in_its_order() {
    let mut kept = Kept::default();
    let mut unnumbered = said(order(1), 1, "w1");
    (unnumbered.version, unnumbered.position) = (0, 9);
    kept.hear(&[unnumbered]);
    assert_eq!(kept.parked.keys().collect::<Vec<_>>(), ["payment@9"]);
}

#[test]
fn an_event_that_is_set_aside_keeps_no_other_on_the_list_that_is_settled_in_the_same_turn() {
    let mut kept = Kept::default();
    let [first, second] = [1, 2].map(|number| said(order(number), 1, "poison"));
    kept.hear(std::slice::from_ref(&first));
    let [first, second] = [first, second].map(|record| Arrived::new(Source::Payment, record));
    kept.turn(&[Input::Drop(&first), Input::Heard(&second)]);
    let waiting: Vec<_> = kept.parked.values().map(|parked| parked.order_id.clone()).collect();
    assert_eq!(waiting, [Some(order(2).to_string())]);
}
