//! Where a partition is read, and what each message of it is to whoever reads. Pure.

use super::chain::{self, Link, Search, Standing, Step};
use super::ends::Kept;
use crate::carriers::Parts;
use crate::tables::Position;

/// So far before somebody else's message is read again where it cannot be told whether anything is missing, and each further time
/// so many times as far.
const FURTHER: i64 = 50;
const FURTHER_GROWS: i64 = 4;

/// A partition as it is read.
#[derive(Clone, Debug)]
pub(super) struct Cursor {
    /// Up to where it was heard, if everything that was handed out is taken in.
    pub(super) heard: Position,
    /// The offset that is read next.
    pub(super) next: i64,
    /// What others wrote before this was seen, as far as the topic is what it was.
    seen: i64,
    /// Where a message of ours should lie that tells whether anything is missing: a topic that was made anew may have others there.
    check: Option<i64>,
    /// How far is gone back from there if it is somebody else's.
    further: i64,
    search: Option<Search>,
    /// Something is missing, and is not before this; up to this offset it may have been written again.
    gap: Option<i64>,
}

/// What a message is to whoever reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// Nothing.
    Nothing,
    /// It is to be taken in; the partition was heard up to there then.
    News {
        /// Up to where.
        heard: Position,
        /// The log has another name than the one that was heard before.
        is_another_log: bool,
    },
    /// Something is missing before it: it is read again, from an earlier offset on.
    Back,
    /// What stands after this position in the log is no longer there, and was not written again.
    Lost(i64),
}

impl Cursor {
    /// Where a partition is read on. Without an offset that can be right, the last message tells whether anything is missing.
    pub(super) fn new(part: i64, heard: &Parts, Kept { first, end }: Kept) -> Self {
        let heard = heard.get(&part).cloned().unwrap_or_else(|| first_look(part, heard));
        let known = heard.next_offset.filter(|next| (first..=end).contains(next));
        let (next, check) = match known {
            // What others wrote tells nothing of what was heard of ours.
            _ if heard.log_id.is_empty() => (first, None),
            Some(next) if next > first => (next - 1, Some(next - 1)),
            Some(next) => (next, None),
            None if end > first => (end - 1, Some(end - 1)),
            None => (first, None),
        };
        let seen = known.unwrap_or(first);
        Self { heard, next, seen, check, further: FURTHER, search: None, gap: None }
    }

    /// How many messages come that were not heard, if the partition ends at `end`.
    pub(super) fn behind(&self, end: i64) -> i64 {
        end - self.next - i64::from(self.check.is_some())
    }

    /// Reads the message at `offset`; `standing` is nothing for what no relay wrote. `kept` tells what the partition keeps now.
    ///
    /// # Errors
    /// Those of `kept`.
    pub(super) fn take(
        &mut self,
        offset: i64,
        standing: Option<&Standing>,
        mut kept: impl FnMut() -> Result<Kept, String>,
    ) -> Result<Taken, String> {
        if offset < self.next {
            return Ok(Taken::Nothing);
        }
        if self.check.take_if(|check| *check == offset).is_some() {
            match standing {
                Some(here) if self.link(here) == Link::Known && offset < self.seen => {
                    self.next = offset + 1;
                    return Ok(Taken::Nothing);
                }
                Some(_) => {}
                None => {
                    let Kept { first, .. } = kept()?;
                    if offset > first {
                        return Ok(self.go_back(offset, first));
                    }
                }
            }
        }
        if let Some(end) = self.gap {
            if !self.fits(standing) {
                return Ok(self.pass_over(offset, end));
            }
            (self.gap, self.search) = (None, None);
        }
        if standing.is_none() && offset < self.seen {
            self.next = offset + 1;
            return Ok(Taken::Nothing);
        }
        let mut heard = Position { next_offset: Some(offset + 1), ..self.heard.clone() };
        let mut is_another_log = false;
        if let Some(here) = standing {
            let before = (&*self.heard.log_id, self.heard.position);
            match chain::step(before, here, offset, || Ok(kept()?.first), self.search.as_ref())? {
                Step::Next => {
                    is_another_log = !before.0.is_empty() && *here.log_id != *before.0;
                    (heard.log_id, heard.position) = (here.log_id.clone(), here.position);
                }
                Step::Again => {}
                Step::Gone => {
                    let Kept { end, .. } = kept()?;
                    self.gap = Some(end);
                    return Ok(self.pass_over(offset, end));
                }
                Step::Back(from, search) => {
                    (self.next, self.search) = (from, Some(search));
                    return Ok(Taken::Back);
                }
            }
        }
        if self.search.as_ref().is_some_and(|search| offset >= search.offset) {
            self.search = None;
        }
        (self.heard, self.next) = (heard.clone(), offset + 1);
        Ok(Taken::News { heard, is_another_log })
    }

    /// What others wrote tells nothing: what is before it may.
    fn go_back(&mut self, offset: i64, first: i64) -> Taken {
        self.next = (offset - self.further).max(first);
        self.check = (self.next > first).then_some(self.next);
        self.further = self.further.saturating_mul(FURTHER_GROWS);
        Taken::Back
    }

    /// What is missing may still come, up to `end`.
    fn pass_over(&mut self, offset: i64, end: i64) -> Taken {
        self.next = offset + 1;
        if self.next >= end { Taken::Lost(self.heard.position) } else { Taken::Nothing }
    }

    fn link(&self, here: &Standing) -> Link {
        chain::link(&self.heard.log_id, self.heard.position, here)
    }

    fn fits(&self, standing: Option<&Standing>) -> bool {
        standing.is_some_and(|here| self.link(here) == Link::Follows)
    }
}

/// A partition that was never read: what was heard without Kafka until now counts for every partition of the topic.
fn first_look(part: i64, heard: &Parts) -> Position {
    match heard.get(&0) {
        Some(direct) if heard.len() == 1 && direct.next_offset.is_none() => {
            Position { part, ..direct.clone() }
        }
        _ => Position { part, ..Position::default() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard_up_to(position: i64, next_offset: i64) -> Parts {
        Parts::from([(
            0,
            Position { part: 0, log_id: "log".into(), position, next_offset: Some(next_offset) },
        )])
    }

    fn here(position: i64, previous: i64) -> Standing {
        Standing { log_id: "log".into(), position, previous }
    }

    #[test]
    fn what_others_wrote_last_does_not_hide_that_the_topic_was_made_anew() {
        let kept = Kept { first: 0, end: 3 };
        let mut cursor = Cursor::new(0, &heard_up_to(4, 3), kept);
        assert_eq!(cursor.next, 2, "what was heard last should lie there");
        assert_eq!(cursor.take(2, None, || Ok(kept)), Ok(Taken::Back));
        assert_eq!(cursor.next, 0);
        let known = cursor.take(0, Some(&here(4, 0)), || Ok(kept));
        assert!(
            matches!(known, Ok(Taken::News { heard, .. }) if heard.position == 4),
            "again, which does no harm"
        );
        let news = cursor.take(1, Some(&here(7, 4)), || Ok(kept));
        assert!(matches!(news, Ok(Taken::News { heard, .. }) if heard.position == 7));
        assert_eq!(cursor.take(2, None, || Ok(kept)), Ok(Taken::Nothing), "it was seen before");
    }

    #[test]
    fn what_others_wrote_to_a_shorter_topic_that_was_made_anew_hides_nothing_either() {
        let kept = Kept { first: 0, end: 3 };
        let mut cursor = Cursor::new(0, &heard_up_to(4, 9), kept);
        assert_eq!(cursor.next, 2, "its last message");
        assert_eq!(cursor.take(2, None, || Ok(kept)), Ok(Taken::Back));
        for (offset, position, previous) in [(0, 4, 0), (1, 7, 4)] {
            let news = cursor.take(offset, Some(&here(position, previous)), || Ok(kept));
            assert!(matches!(news, Ok(Taken::News { heard, .. }) if heard.position == position));
        }
        assert!(matches!(cursor.take(2, None, || Ok(kept)), Ok(Taken::News { .. })), "of the new topic");
    }

    #[test]
    fn however_much_others_wrote_it_is_gone_back_to_a_message_of_ours() {
        let kept = Kept { first: 0, end: 1_000 };
        let mut cursor = Cursor::new(0, &heard_up_to(4, 1_000), kept);
        let mut starts = Vec::new();
        while cursor.take(cursor.next, None, || Ok(kept)) == Ok(Taken::Back) {
            starts.push(cursor.next);
        }
        assert_eq!(starts, [949, 749, 0], "where only others wrote, to the first that is kept");
        let mut cursor = Cursor::new(0, &heard_up_to(4, 1_000), kept);
        assert_eq!(cursor.take(999, None, || Ok(kept)), Ok(Taken::Back));
        assert_eq!(cursor.take(949, Some(&here(4, 2)), || Ok(kept)), Ok(Taken::Nothing), "all was heard");
    }
}
