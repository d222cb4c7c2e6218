//! How the messages of a partition hang together. Pure.

use std::sync::Arc;

/// Where a message stands, as its speaker's relay wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The name of the speaker's log.
    pub log_id: Arc<str>,
    /// Its place in that log.
    pub position: i64,
    /// The place of the message before it in its partition; below the first that is kept if there is none.
    pub previous: i64,
}

/// What a message is to whoever has heard its partition up to some place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    /// It comes next.
    Follows,
    /// It was heard before.
    Known,
    /// Something that was not heard comes before it.
    Missing,
}

/// Reading a partition again from an earlier offset, because something was missing before `offset`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Search {
    /// Where something was missing.
    pub(crate) offset: i64,
    /// In this log.
    log_id: Arc<str>,
    /// From where it is read again.
    from: i64,
    /// How far back was gone.
    step: i64,
    /// Everything that is kept was read before: the topic may have changed meanwhile.
    is_second: bool,
}

/// What to do about a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Take it in; its partition was heard up to it then.
    Next,
    /// Take it in, though it was heard before or is of an older log; nothing that comes later hangs on it.
    Again,
    /// Read again from this offset.
    Back(i64, Search),
    /// What comes before it is no longer there; it may have been written again after it.
    Gone,
}

/// How far is gone back first; each further time four times as far.
const FIRST_STEP: i64 = 250;
const STEP_GROWS: i64 = 4;

/// A message that stands at `here`, after the log `log_id` was heard up to `last` in its partition.
pub(crate) fn link(log_id: &str, last: i64, here: &Standing) -> Link {
    if *here.log_id != *log_id {
        // The first of a log needs nothing before it; whoever has heard nothing yet begins with the oldest that is kept.
        return if here.previous == 0 { Link::Follows } else { Link::Missing };
    }
    if here.position <= last {
        Link::Known
    } else if here.previous <= last {
        Link::Follows
    } else {
        Link::Missing
    }
}

/// What to do about the message at `offset`. `first` tells the first offset that is still kept.
pub(crate) fn step(
    (log_id, last): (&str, i64),
    here: &Standing,
    offset: i64,
    first: impl FnOnce() -> Result<i64, String>,
    search: Option<&Search>,
) -> Result<Step, String> {
    let is_of_older_log = *here.log_id != *log_id
        && search.is_some_and(|search| offset < search.offset && search.log_id != here.log_id);
    match link(log_id, last, here) {
        _ if is_of_older_log => return Ok(Step::Again),
        Link::Known => return Ok(Step::Again),
        Link::Follows => return Ok(Step::Next),
        Link::Missing => {}
    }
    let first = first()?;
    let all_is_read = search.is_some_and(|search| search.from <= first);
    let is_second = search.is_some_and(|search| search.is_second);
    if offset <= first || all_is_read {
        if *here.log_id == *log_id {
            return Ok(Step::Gone);
        }
        // Another log, of which the beginning is gone, is heard from its oldest message on.
        if offset <= first || is_second {
            return Ok(Step::Next);
        }
    }
    let step = search.map_or(FIRST_STEP, |search| search.step.saturating_mul(STEP_GROWS));
    let from = (offset - step).max(first);
    let search = Search {
        offset: search.map_or(offset, |search| search.offset.max(offset)),
        log_id: here.log_id.clone(),
        from,
        step,
        is_second: all_is_read,
    };
    Ok(Step::Back(from, search))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(log_id: &str, position: i64, previous: i64) -> Standing {
        Standing { log_id: log_id.into(), position, previous }
    }

    #[test]
    fn a_message_follows_is_known_or_lacks_what_comes_before_it() {
        assert_eq!(link("a", 5, &at("a", 9, 5)), Link::Follows);
        assert_eq!(link("a", 5, &at("a", 9, 3)), Link::Follows, "its relay did not see the last one yet");
        assert_eq!(link("a", 5, &at("a", 5, 3)), Link::Known);
        assert_eq!(link("a", 5, &at("a", 9, 7)), Link::Missing);
        assert_eq!(link("a", 5, &at("b", 9, 7)), Link::Missing, "another log, from its middle");
        assert_eq!(link("a", 5, &at("b", 1, 0)), Link::Follows, "another log, from its beginning");
        assert_eq!(link("", 0, &at("b", 9, 7)), Link::Missing, "nothing was heard yet");
    }

    #[test]
    fn what_is_missing_is_searched_for_further_and_further_back_and_its_loss_is_told() {
        let first = || Ok(40);
        let Ok(Step::Back(400, search)) = step(("a", 5), &at("a", 9, 7), 650, first, None) else { panic!() };
        let Ok(Step::Back(40, search)) = step(("a", 5), &at("a", 8, 7), 400, first, Some(&search)) else {
            panic!()
        };
        assert_eq!(search.offset, 650);
        assert_eq!(step(("a", 5), &at("a", 7, 6), 40, first, Some(&search)), Ok(Step::Gone));
        assert_eq!(step(("a", 6), &at("a", 7, 6), 40, first, Some(&search)), Ok(Step::Next));
        assert_eq!(
            step(("a", 5), &at("a", 7, 6), 41, first, Some(&search)),
            Ok(Step::Gone),
            "a hole further on"
        );
    }

    #[test]
    fn whoever_has_heard_nothing_begins_with_the_oldest_that_is_kept() {
        assert_eq!(step(("", 0), &at("a", 9, 7), 40, || Ok(40), None), Ok(Step::Next));
        let Ok(Step::Back(40, search)) = step(("", 0), &at("a", 9, 7), 42, || Ok(40), None) else { panic!() };
        let again = step(("", 0), &at("a", 9, 7), 42, || Ok(40), Some(&search));
        let Ok(Step::Back(40, search)) = again else { panic!("the topic may have changed: {again:?}") };
        assert_eq!(step(("", 0), &at("a", 9, 7), 42, || Ok(40), Some(&search)), Ok(Step::Next));
    }

    #[test]
    fn an_older_log_before_the_one_that_is_searched_is_passed_over() {
        let Ok(Step::Back(_, search)) = step(("a", 5), &at("b", 9, 7), 650, || Ok(0), None) else { panic!() };
        assert_eq!(step(("a", 5), &at("older", 3, 2), 400, || Ok(0), Some(&search)), Ok(Step::Again));
        assert_eq!(step(("a", 5), &at("older", 1, 0), 400, || Ok(0), Some(&search)), Ok(Step::Again));
        assert_eq!(step(("a", 5), &at("a", 5, 0), 400, || Ok(0), Some(&search)), Ok(Step::Again));
        assert_eq!(
            step(("a", 5), &at("b", 9, 7), 0, || Ok(0), Some(&search)),
            Ok(Step::Next),
            "from its oldest"
        );
    }
}
