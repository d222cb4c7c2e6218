//! Where a topic ends, and what follows from it for whoever writes it: what is to be sent, and what may be noted.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::chain::Standing;
use crate::tables::{Head, Position};

/// The end of a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tail {
    /// Where the last message of ours stands; nothing if there is none.
    pub last: Option<Standing>,
    /// After the last message of anybody's.
    pub next_offset: i64,
    /// The first offset that is kept.
    pub first_offset: i64,
    /// Nothing is missing between what was known of it and its last message.
    pub is_whole: bool,
}

/// From where on the partitions of a topic must hold together, by what is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Since {
    /// In this log.
    pub log_id: Arc<str>,
    /// What stands up to here is no longer in the outbox, and may be missing.
    pub pruned: i64,
    /// What was written last to each partition, as far as is known.
    pub written: BTreeMap<i64, i64>,
}

/// The messages of a log in a partition, as far as it was read: what stands before each, by its position.
pub type Links = BTreeMap<i64, i64>;

/// What a partition keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The first offset of it.
    pub first: i64,
    /// The offset after its last.
    pub end: i64,
}

/// The last record that was acknowledged in each partition.
pub(super) type Ends = BTreeMap<i64, Position>;

/// Partitions that were found to be others than before while they were written: something may be missing before what they end
/// with. What was noted of them is right, and not their end, until all up to this position is written again.
pub(super) type Distrusted = BTreeMap<i64, i64>;

/// Where each partition ends, and after which position of the outbox is to be sent: what a partition has lost is sent again.
pub(super) fn begin(
    head: &Head,
    tails: &BTreeMap<i64, Tail>,
    relayed: &[Position],
    distrusted: &mut Distrusted,
) -> (Ends, i64) {
    let relayed: BTreeMap<i64, &Position> = relayed
        .iter()
        .filter(|position| *position.log_id == *head.log_id)
        .map(|position| (position.part, position))
        .collect();
    let mut position = relayed.values().map(|end| end.position).max().unwrap_or(head.oldest - 1);
    let mut ends = BTreeMap::new();
    for (part, tail) in tails {
        let noted = relayed.get(part);
        if !tail.is_whole {
            // Whoever wrote its last messages did not know that others were lost before them.
            distrusted.insert(*part, head.last);
        }
        let is_distrusted = distrusted.contains_key(part);
        let end = match &tail.last {
            _ if !tail.is_whole => nothing_yet(*part, head),
            _ if is_distrusted => since_distrusted(tail, noted).unwrap_or_else(|| nothing_yet(*part, head)),
            Some(last) if *last.log_id == *head.log_id => Position {
                part: *part,
                log_id: last.log_id.clone(),
                position: last.position,
                next_offset: Some(tail.next_offset),
            },
            // Everything of ours is older than what the topic keeps.
            None if noted.is_some_and(|noted| is_aged_out(tail, noted)) => {
                (*noted.unwrap_or(&&Position::default())).clone()
            }
            _ => nothing_yet(*part, head),
        };
        if is_distrusted || noted.is_some_and(|noted| end.position < noted.position) {
            position = position.min(end.position);
        }
        ends.insert(*part, end);
    }
    (ends, position)
}

/// Takes note of a message. Of two that were written of one record, by two relays, that counts which had seen more before it.
pub fn link(links: &mut Links, here: &Standing) {
    let previous = links.entry(here.position).or_insert(here.previous);
    *previous = here.previous.max(*previous);
}

impl Since {
    /// By what was noted of a log.
    pub(super) fn noted(head: &Head, noted: &[Position]) -> Self {
        let ours = noted.iter().filter(|position| *position.log_id == *head.log_id);
        let written = ours.map(|position| (position.part, position.position)).collect();
        Self { log_id: head.log_id.as_str().into(), pruned: head.oldest - 1, written }
    }

    /// Whether all that leads to the message at position `last` of a partition is there; nothing if that is told by what lies
    /// before what was read. `aged` is whether anything was dropped before the first message, once all is read.
    pub fn is_whole(&self, part: i64, last: i64, links: &Links, aged: Option<bool>) -> Option<bool> {
        let written = self.written.get(&part).copied().filter(|written| *written > self.pruned);
        let mut at = last;
        loop {
            if at <= self.pruned || written.is_some_and(|written| at < written) {
                return Some(true);
            }
            match links.get(&at) {
                Some(_) if written == Some(at) => return Some(true),
                Some(previous) => at = *previous,
                None => return aged,
            }
        }
    }
}

/// Partitions that end before what was noted of them, or lack something before their end.
pub(super) fn lost_since<'a>(
    head: &'a Head,
    noted: &'a [Position],
    tails: &'a BTreeMap<i64, Tail>,
    ends: &'a Ends,
) -> impl Iterator<Item = i64> + 'a {
    let ends_before = |part: &i64| {
        let noted = noted.iter().find(|noted| noted.part == *part && *noted.log_id == *head.log_id);
        noted.zip(ends.get(part)).is_some_and(|(noted, end)| end.position < noted.position)
    };
    let lost = tails.iter().filter(move |(part, tail)| !tail.is_whole || ends_before(part));
    lost.map(|(part, _)| *part)
}

/// What may be noted when all up to `position` are in the topic. A partition may have come further than others, of which some
/// records were not taken: were that noted, they would be left out.
pub(super) fn certain(ends: &Ends, position: i64) -> Vec<Position> {
    ends.values().map(|end| Position { position: end.position.min(position), ..end.clone() }).collect()
}

/// What was pruned before it was relayed is gone: what comes next must not follow on what the topic ends with.
pub(super) fn own_up(ends: &mut Ends, pruned: i64) {
    for end in ends.values_mut() {
        end.position = end.position.max(pruned);
    }
}

/// What was noted of a distrusted partition, unless that was lost as well.
fn since_distrusted(tail: &Tail, noted: Option<&&Position>) -> Option<Position> {
    let noted = *noted?;
    noted.next_offset.is_none_or(|next| next <= tail.next_offset).then(|| noted.clone())
}

fn is_aged_out(tail: &Tail, noted: &Position) -> bool {
    tail.first_offset == tail.next_offset && noted.next_offset.is_some_and(|next| next <= tail.next_offset)
}

pub(super) fn holds(tail: &Tail, end: &Position) -> bool {
    match &tail.last {
        Some(last) => tail.is_whole && last.log_id == end.log_id && last.position >= end.position,
        None => end.next_offset.is_none() || is_aged_out(tail, end),
    }
}

/// The first record that is sent to a partition has nothing before it but what is no longer kept.
pub(super) fn nothing_yet(part: i64, head: &Head) -> Position {
    Position { part, log_id: head.log_id.as_str().into(), position: head.oldest - 1, next_offset: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(oldest: i64, last: i64) -> Head {
        Head { log_id: "log".to_owned(), oldest, last, restored_at_ms: None }
    }

    fn tail(last: Option<(&str, i64)>, first_offset: i64, next_offset: i64) -> Tail {
        let last = last.map(|(log_id, position)| Standing { log_id: log_id.into(), position, previous: 0 });
        Tail { last, next_offset, first_offset, is_whole: true }
    }

    fn noted(part: i64, position: i64, next_offset: i64) -> Position {
        Position { part, log_id: "log".into(), position, next_offset: Some(next_offset) }
    }

    fn begun(head: &Head, tails: [Tail; 2], relayed: &[Position]) -> (Vec<i64>, i64) {
        let tails = (0..).zip(tails).collect();
        let (ends, position) = begin(head, &tails, relayed, &mut BTreeMap::new());
        (ends.values().map(|end| end.position).collect(), position)
    }

    #[test]
    fn an_empty_topic_is_written_from_the_oldest_record_on() {
        assert_eq!(begun(&head(1, 9), [tail(None, 0, 0), tail(None, 0, 0)], &[]), (vec![0, 0], 0));
        assert_eq!(begun(&head(5, 9), [tail(None, 0, 0), tail(None, 0, 0)], &[]), (vec![4, 4], 4));
    }

    #[test]
    fn what_was_sent_and_not_noted_is_not_sent_again() {
        let tails = [tail(Some(("log", 7)), 0, 3), tail(Some(("log", 8)), 0, 3)];
        assert_eq!(begun(&head(1, 9), tails, &[noted(0, 5, 2), noted(1, 6, 2)]), (vec![7, 8], 6));
    }

    #[test]
    fn what_a_partition_has_lost_is_sent_again() {
        let tails = [tail(Some(("log", 3)), 0, 2), tail(Some(("log", 8)), 0, 3)];
        assert_eq!(begun(&head(1, 9), tails, &[noted(0, 7, 4), noted(1, 8, 3)]), (vec![3, 8], 3));
        let recreated = [tail(None, 0, 0), tail(None, 0, 0)];
        assert_eq!(begun(&head(1, 9), recreated, &[noted(0, 7, 4), noted(1, 8, 3)]), (vec![0, 0], 0));
    }

    #[test]
    fn a_partition_that_is_further_than_the_others_hides_nothing_of_theirs() {
        // Of a batch 1 to 5 only what is in partition 1 was taken, and a relay came up to 1 since.
        let (ends, position) = begin(
            &head(1, 9),
            &(0..).zip([tail(None, 0, 0), tail(Some(("log", 5)), 0, 2)]).collect(),
            &[],
            &mut BTreeMap::new(),
        );
        let relayed = certain(&ends, position + 1);
        let tails = [tail(None, 0, 0), tail(Some(("log", 5)), 0, 2)];
        assert_eq!(begun(&head(1, 9), tails, &relayed), (vec![0, 5], 1));
    }

    #[test]
    fn the_end_of_a_distrusted_partition_tells_nothing() {
        let tails = (0..).zip([tail(Some(("log", 9)), 0, 1), tail(Some(("log", 8)), 0, 3)]).collect();
        let relayed = [noted(0, 2, 1), noted(1, 8, 3)];
        let (ends, position) = begin(&head(1, 9), &tails, &relayed, &mut BTreeMap::from([(0, 9)]));
        assert_eq!((ends[&0].position, ends[&1].position, position), (2, 8, 2));
    }

    #[test]
    fn a_partition_holds_together_if_all_is_there_back_to_what_was_noted() {
        let since = |written: i64| Since { log_id: "log".into(), pruned: 0, written: [(0, written)].into() };
        let links: Links = [(9, 7), (7, 4), (4, 2)].into();
        assert_eq!(since(4).is_whole(0, 9, &links, None), Some(true));
        assert_eq!(since(2).is_whole(0, 9, &links, None), None, "what was noted may lie further back");
        assert_eq!(since(2).is_whole(0, 9, &links, Some(false)), Some(false), "it is lost");
        assert_eq!(since(2).is_whole(0, 9, &links, Some(true)), Some(true), "it has aged out");
        assert_eq!(since(9).is_whole(0, 9, &links, None), Some(true));
        assert_eq!(
            since(12).is_whole(0, 9, &links, None),
            Some(true),
            "the end itself is lost, and seen to be"
        );
        let holed: Links = [(9, 7), (4, 2), (2, 0)].into();
        assert_eq!(since(2).is_whole(0, 9, &holed, Some(false)), Some(false));
        let nothing_noted = Since { written: BTreeMap::new(), ..since(0) };
        assert_eq!(
            nothing_noted.is_whole(0, 4, &holed, Some(false)),
            Some(true),
            "back to the first of the log"
        );
        assert_eq!(Since { pruned: 7, ..nothing_noted }.is_whole(0, 9, &holed, Some(false)), Some(true));
    }

    #[test]
    fn what_was_sent_after_a_loss_does_not_hide_it() {
        let holed = Tail { is_whole: false, ..tail(Some(("log", 3)), 0, 1) };
        let tails = [(0, holed), (1, tail(Some(("log", 8)), 0, 3))].into();
        let mut distrusted = BTreeMap::new();
        let (ends, position) = begin(&head(1, 9), &tails, &[noted(0, 2, 1), noted(1, 8, 3)], &mut distrusted);
        assert_eq!((ends[&0].position, ends[&1].position, position), (0, 8, 0));
        assert_eq!(distrusted, BTreeMap::from([(0, 9)]));
    }

    #[test]
    fn what_was_pruned_before_it_was_relayed_is_owned_up_to() {
        let tails = [tail(Some(("log", 3)), 0, 2), tail(Some(("log", 8)), 0, 3)];
        let (head, relayed) = (head(7, 9), [noted(0, 3, 2), noted(1, 8, 3)]);
        assert_eq!(begun(&head, tails.clone(), &relayed).1, 8, "all up to 8 is in the topic");
        let (mut ends, position) = begin(
            &head,
            &(0..).zip(tails).collect(),
            &[noted(0, 3, 2), noted(1, 4, 2)],
            &mut BTreeMap::new(),
        );
        assert!(position < head.oldest - 1, "5 and 6 may be missing");
        own_up(&mut ends, head.oldest - 1);
        assert_eq!(ends.values().map(|end| end.position).collect::<Vec<_>>(), [6, 8]);
    }

    #[test]
    fn a_partition_whose_messages_have_aged_out_has_lost_nothing() {
        let tails = [tail(None, 4, 4), tail(Some(("log", 8)), 0, 3)];
        assert_eq!(begun(&head(1, 9), tails, &[noted(0, 7, 4), noted(1, 8, 3)]), (vec![7, 8], 8));
    }

    #[test]
    fn a_restored_log_is_announced_anew() {
        let tails = [tail(Some(("before", 7)), 0, 4), tail(Some(("before", 8)), 0, 4)];
        let relayed = Position { log_id: "before".into(), ..noted(0, 7, 4) };
        assert_eq!(begun(&head(1, 5), tails, &[relayed]), (vec![0, 0], 0));
    }
}
