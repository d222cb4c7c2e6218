//! Whatever becomes of a topic, a listener that goes by the chain hears every record; in order, as long as the topic keeps what
//! it was given.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::chain::Standing;
use super::cursor::{Cursor, Taken};
use super::ends::{self, Kept, Tail};
use crate::tables::{Head, Position};

const PARTS: i64 = 2;

#[derive(Clone, Debug)]
enum Event {
    /// The service says so many records, each for the partition that a bit names.
    Say { count: usize, bits: u8 },
    /// A relay works for a while. Of the last records that it sends, those of each partition get there up to a point, and it
    /// dies; or all do, and it notes so.
    Relay { batch: usize, reached: Option<[usize; 2]> },
    /// Messages that an earlier relay had sent arrive once more; as long as those before them are there, for what arrives out of
    /// sequence brokers refuse.
    Zombie { part: i64, from: usize, count: usize },
    /// Somebody else writes.
    Foreign { part: i64 },
    /// Acknowledged messages are gone from the end.
    Lose { part: i64, count: usize },
    /// The topic is deleted and made again.
    Recreate,
    /// The same between two messages of a relay, which goes on with so many records and notices then.
    Replaced { count: usize },
    /// Old messages are dropped.
    Age { part: i64, count: usize },
    /// The service is restored from a copy that ends so many records ago.
    Restore { count: usize },
    /// The listener takes in so many messages.
    Listen { part: i64, count: usize },
    /// The listener is started anew from what it noted.
    Restart { part: i64 },
}

#[derive(Default)]
struct World {
    log_id: u32,
    /// The partition of each record of the current log.
    log: Vec<i64>,
    parts: BTreeMap<i64, Part>,
    relayed: Vec<Position>,
    distrusted: BTreeMap<i64, i64>,
    was_damaged: bool,
    was_replaced: bool,
}

/// A partition, all that was ever sent to it, and its listener.
#[derive(Default)]
struct Part {
    first: i64,
    messages: Vec<Option<Standing>>,
    sent: Vec<Standing>,
    /// Nothing until it is read for the first time.
    cursor: Option<Cursor>,
    /// In the order of the first time.
    all: Vec<(String, i64)>,
    is_stuck: bool,
}

fn event() -> impl Strategy<Value = Event> {
    let part = 0..PARTS;
    prop_oneof![
        5 => (1_usize..8, any::<u8>()).prop_map(|(count, bits)| Event::Say { count, bits }),
        5 => (1_usize..20, proptest::option::of([0_usize..5, 0..5]))
            .prop_map(|(batch, reached)| Event::Relay { batch, reached }),
        2 => (part.clone(), 0_usize..30, 1_usize..6)
            .prop_map(|(part, from, count)| Event::Zombie { part, from, count }),
        1 => part.clone().prop_map(|part| Event::Foreign { part }),
        2 => (part.clone(), 1_usize..6).prop_map(|(part, count)| Event::Lose { part, count }),
        1 => Just(Event::Recreate),
        1 => (1_usize..6).prop_map(|count| Event::Replaced { count }),
        1 => (part.clone(), 1_usize..6).prop_map(|(part, count)| Event::Age { part, count }),
        1 => (0_usize..6).prop_map(|count| Event::Restore { count }),
        8 => (part.clone(), 1_usize..12).prop_map(|(part, count)| Event::Listen { part, count }),
        1 => part.prop_map(|part| Event::Restart { part }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]

    #[test]
    fn every_record_is_heard(
        events in proptest::collection::vec(event(), 1..60),
    ) {
        let mut world = World::default();
        for part in 0..PARTS {
            world.parts.insert(part, Part::default());
        }
        for event in &events {
            world.happens(event);
        }
        world.settles();
    }
}

impl World {
    fn head(&self) -> Head {
        let log_id = format!("log-{}", self.log_id);
        Head { log_id, oldest: 1, last: self.log.len() as i64, restored_at_ms: None }
    }

    fn happens(&mut self, event: &Event) {
        self.was_damaged |= matches!(
            event,
            Event::Lose { .. } | Event::Recreate | Event::Replaced { .. } | Event::Restore { .. }
        );
        // Damage upon damage that is not mended yet is told as a loss, and may need a person.
        let is_mended = self.distrusted.is_empty();
        match *event {
            Event::Recreate | Event::Replaced { .. } if !is_mended => {}
            Event::Lose { .. } if self.was_replaced => {}
            Event::Relay { batch, .. } if !is_mended => self.relay(batch, None),
            Event::Say { count, bits } => {
                self.log.extend((0..count).map(|bit| i64::from(bits >> bit & 1)));
            }
            Event::Relay { batch, reached } => self.relay(batch, reached),
            Event::Zombie { part, from, count } => {
                let log = self.head().log_id;
                let part = self.part(part);
                let again: Vec<_> = part.sent.iter().skip(from).take(count).cloned().collect();
                for standing in again {
                    // A service is restored when its processes have ended.
                    if *standing.log_id != *log || !part.has_what_comes_before(&standing) {
                        break;
                    }
                    part.messages.push(Some(standing));
                }
            }
            Event::Foreign { part } => self.part(part).messages.push(None),
            Event::Lose { part, count } => {
                let part = self.part(part);
                let left = part.messages.len().saturating_sub(count);
                part.messages.truncate(left.max(part.first as usize));
            }
            Event::Recreate => self.recreate(),
            // Whoever has heard nothing of a log cannot tell that its beginning is missing, until it is written again.
            Event::Replaced { .. } if !self.all_listen() => self.recreate(),
            Event::Replaced { count } => self.replaced(count),
            Event::Age { part, count } => {
                // After five weeks: what was heard, and damage done before is over.
                if self.was_damaged {
                    return;
                }
                let part = self.part(part);
                for _ in 0..count {
                    let oldest = part.messages.get(part.first as usize);
                    part.first += i64::from(oldest.is_some_and(|it| part.was_heard(it.as_ref())));
                }
            }
            Event::Restore { count } => {
                self.log_id += 1;
                self.log.truncate(self.log.len().saturating_sub(count));
            }
            Event::Listen { part, count } => {
                for _ in 0..count {
                    self.listen(part);
                }
            }
            Event::Restart { part } => self.part(part).restart(),
        }
    }

    fn part(&mut self, part: i64) -> &mut Part {
        self.parts.get_mut(&part).unwrap()
    }

    fn all_listen(&self) -> bool {
        self.parts.values().all(|part| *part.heard().log_id == *self.head().log_id)
    }

    fn recreate(&mut self) {
        for part in self.parts.values_mut() {
            (part.messages, part.first) = (Vec::new(), 0);
        }
    }

    fn replaced(&mut self, count: usize) {
        self.was_replaced = true;
        self.relay(usize::MAX, None);
        let (head, old) = (self.head(), self.parts.iter().map(|(part, it)| (*part, it.tail())).collect());
        self.recreate();
        self.log.extend((0..count).map(|it| it as i64 % PARTS));
        let was: Vec<_> = self.relayed.iter().map(|end| (end.part, end.next_offset)).collect();
        self.send(&self.head(), &old, usize::MAX, None);
        for (part, next) in was {
            let is_another = !self.part(part).messages.is_empty() && next.is_some_and(|next| next > 0);
            if is_another {
                self.relayed.retain(|end| end.part != part);
                self.relayed.push(ends::nothing_yet(part, &head));
                self.distrusted.insert(part, self.log.len() as i64);
            }
        }
    }

    fn relay(&mut self, batch: usize, reached: Option<[usize; 2]>) {
        let tails = self.parts.iter().map(|(part, it)| (*part, it.tail())).collect();
        self.send(&self.head(), &tails, batch, reached);
    }

    fn send(&mut self, head: &Head, tails: &BTreeMap<i64, Tail>, batch: usize, reached: Option<[usize; 2]>) {
        let (mut ends, position) = ends::begin(head, tails, &self.relayed, &mut self.distrusted);
        let records: Vec<_> =
            (position + 1..).zip(self.log.iter().skip(position as usize)).take(batch).collect();
        let done = records.last().map_or(position, |(position, _)| *position);
        let mut left = reached.unwrap_or([usize::MAX; 2]);
        for (position, part) in records {
            let end = ends.entry(*part).or_insert_with(|| ends::nothing_yet(*part, head));
            if position <= end.position || left[*part as usize] == 0 {
                continue;
            }
            left[*part as usize] -= 1;
            let standing = Standing { log_id: end.log_id.clone(), position, previous: end.position };
            end.position = position;
            let part = self.parts.get_mut(part).unwrap();
            part.messages.push(Some(standing.clone()));
            part.sent.push(standing);
            end.next_offset = Some(part.messages.len() as i64);
        }
        if reached.is_none() {
            self.relayed = ends::certain(&ends, done);
            self.distrusted.retain(|_, through| *through > done);
        }
    }

    fn listen(&mut self, part: i64) {
        let log = self.head().log_id;
        let (was, at) = {
            let part = self.part(part);
            (part.heard(), part.listen())
        };
        let Some(now) = at else { return };
        // Nothing between what was heard before and this.
        let from = if was.log_id == now.log_id { was.position } else { 0 };
        // What is written again after a hole is heard then, by whoever began behind it.
        if *now.log_id != *log || self.was_replaced {
            return;
        }
        let due: Vec<i64> =
            self.records_of(part).filter(|position| (from + 1..=now.position).contains(position)).collect();
        let all: BTreeSet<_> = self.part(part).all.iter().cloned().collect();
        for position in due {
            assert!(all.contains(&(log.clone(), position)), "{position} was skipped in partition {part}");
        }
    }

    fn records_of(&self, part: i64) -> impl Iterator<Item = i64> + '_ {
        (1..).zip(&self.log).filter(move |(_, it)| **it == part).map(|(position, _)| position)
    }

    /// Once nothing more happens, everything is written, and heard with what comes next in its partition.
    fn settles(&mut self) {
        self.log.extend(0..PARTS);
        self.relay(usize::MAX, None);
        self.relay(usize::MAX, None);
        let log = self.head().log_id;
        for part in 0..PARTS {
            self.part(part).restart();
            let mut steps = 0;
            while !self.part(part).is_at_end() {
                self.listen(part);
                steps += 1;
                assert!(steps < 10_000, "it reads for ever");
            }
            let due: Vec<_> = self.records_of(part).map(|position| (log.clone(), position)).collect();
            assert!(!self.part(part).is_stuck, "a loss is told, and all is there");
            let mut heard: Vec<_> =
                self.part(part).all.iter().filter(|(of, _)| *of == log).cloned().collect();
            if self.was_damaged {
                // What comes early is held until its turn.
                heard.sort();
            }
            assert_eq!(heard, due, "partition {part}");
        }
    }
}

impl Part {
    fn tail(&self) -> Tail {
        let last = self.messages[self.first as usize..].iter().rev().flatten().next().cloned();
        Tail { last, next_offset: self.messages.len() as i64, first_offset: self.first, is_whole: true }
    }

    fn kept(&self) -> Kept {
        Kept { first: self.first, end: self.messages.len() as i64 }
    }

    fn heard(&self) -> Position {
        self.cursor.as_ref().map(|cursor| cursor.heard.clone()).unwrap_or_default()
    }

    fn was_heard(&self, message: Option<&Standing>) -> bool {
        message.is_some_and(|here| self.all.contains(&(here.log_id.to_string(), here.position)))
    }

    fn has_what_comes_before(&self, standing: &Standing) -> bool {
        let is_before = |it: &Standing| it.log_id == standing.log_id && it.position == standing.previous;
        let is_first = standing.previous == 0 && self.first == 0;
        is_first || self.messages[self.first as usize..].iter().flatten().any(is_before)
    }

    fn is_at_end(&self) -> bool {
        self.is_stuck || self.cursor.as_ref().is_none_or(|cursor| cursor.next >= self.messages.len() as i64)
    }

    /// As a listener opens a partition.
    fn restart(&mut self) {
        let heard = self.heard();
        let heard = (!heard.log_id.is_empty()).then_some((0, heard));
        let parts = heard.into_iter().collect();
        self.cursor = Some(Cursor::new(0, &parts, self.kept()));
        self.is_stuck = false;
    }

    /// Takes in one message, and answers where that is if it comes next.
    fn listen(&mut self) -> Option<Position> {
        let kept = self.kept();
        if self.is_stuck
            || self.cursor.as_ref().is_none_or(|cursor| !(kept.first..=kept.end).contains(&cursor.next))
        {
            self.restart();
        }
        let cursor = self.cursor.as_mut()?;
        let (offset, before) = (cursor.next, cursor.heard.clone());
        let message = self.messages.get(offset as usize)?.clone();
        match cursor.take(offset, message.as_ref(), || Ok(kept)).unwrap() {
            Taken::Nothing | Taken::Back => None,
            Taken::Lost(_) => {
                self.is_stuck = true;
                None
            }
            Taken::News { heard, .. } => {
                let here = message?;
                let event = (here.log_id.to_string(), here.position);
                if !self.all.contains(&event) {
                    self.all.push(event);
                }
                let comes_next = (&heard.log_id, heard.position) != (&before.log_id, before.position);
                comes_next.then_some(heard)
            }
        }
    }
}
