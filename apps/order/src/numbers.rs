//! What is called out: numbers in order, none twice within a business day and store. Pure.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// How far numbers skip ahead after an older copy was restored: more than a store calls out between two copies taken
/// while it works, so that no number is called out twice.
pub const SKIPPED_AFTER_RESTORE: i64 = 1_000;

/// A store's counter for its latest business day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayNumbers {
    /// The business day.
    pub day: Date,
    /// The last number given, 0 for none.
    pub last: i64,
    /// The restore (milliseconds since the Unix epoch) after which this counter has skipped ahead; 0 for none.
    pub skipped_for_ms: i64,
}

/// The business day of `now` in the cafe's time zone.
pub fn business_day(now: Timestamp, zone: &TimeZone) -> Date {
    zone.to_datetime(now).date()
}

impl DayNumbers {
    /// The counter after one more number.
    ///
    /// The day is the later of the stored one and `today`: a clock that steps back goes on with the later day's numbers.
    /// After a restore (`restored_at_ms`, on `restored_on`) the counter skips ahead, once, if its day may have had orders
    /// that the copy does not have.
    pub fn next(stored: Option<&Self>, today: Date, restored: Option<(i64, Date)>) -> Self {
        let mut numbers = match stored {
            Some(stored) if stored.day >= today => stored.clone(),
            _ => Self { day: today, last: 0, skipped_for_ms: 0 },
        };
        if let Some((restored_at_ms, restored_on)) = restored
            && restored_at_ms != numbers.skipped_for_ms
            && numbers.day <= restored_on
        {
            numbers.last += SKIPPED_AFTER_RESTORE;
            numbers.skipped_for_ms = restored_at_ms;
        }
        numbers.last += 1;
        numbers
    }

    /// The counter after hearing that `number` of `day` was called out, where that is news: a restored copy may be behind.
    pub fn raised(stored: Option<&Self>, day: Date, number: i64) -> Option<Self> {
        match stored {
            Some(stored) if (stored.day, stored.last) >= (day, number) => None,
            Some(stored) if stored.day == day => Some(Self { last: number, ..stored.clone() }),
            _ => Some(Self { day, last: number, skipped_for_ms: 0 }),
        }
    }

    /// As it is called out: at least four digits.
    pub fn called(&self) -> String {
        format!("{:04}", self.last)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn counter(day: i8, last: i64) -> DayNumbers {
        DayNumbers { day: date(2026, 11, day), last, skipped_for_ms: 0 }
    }

    #[test]
    fn numbers_start_again_each_day_and_never_wrap() {
        assert_eq!(DayNumbers::next(None, date(2026, 11, 1), None).called(), "0001");
        assert_eq!(DayNumbers::next(Some(&counter(1, 41)), date(2026, 11, 1), None).called(), "0042");
        assert_eq!(DayNumbers::next(Some(&counter(1, 41)), date(2026, 11, 2), None), counter(2, 1));
        assert_eq!(DayNumbers::next(Some(&counter(1, 9999)), date(2026, 11, 1), None).called(), "10000");
    }

    #[test]
    fn a_clock_that_steps_back_goes_on_with_the_later_day() {
        assert_eq!(DayNumbers::next(Some(&counter(2, 7)), date(2026, 11, 1), None), counter(2, 8));
    }

    #[test]
    fn numbers_skip_ahead_once_after_a_restore() {
        let restored = Some((1_000, date(2026, 11, 2)));
        let first = DayNumbers::next(Some(&counter(2, 7)), date(2026, 11, 2), restored);
        assert_eq!(first.last, 1_008);
        assert_eq!(DayNumbers::next(Some(&first), date(2026, 11, 2), restored).last, 1_009);
        assert_eq!(
            DayNumbers::next(None, date(2026, 11, 2), restored).last,
            1_001,
            "the copy is from before that day"
        );
        assert_eq!(
            DayNumbers::next(Some(&first), date(2026, 11, 3), restored).last,
            1,
            "days after it start at one"
        );
    }

    #[test]
    fn the_counter_rises_to_what_was_called_out() {
        let day = date(2026, 11, 2);
        assert_eq!(DayNumbers::raised(Some(&counter(2, 7)), day, 7), None);
        assert_eq!(DayNumbers::raised(Some(&counter(2, 7)), day, 9), Some(counter(2, 9)));
        assert_eq!(DayNumbers::raised(Some(&counter(3, 1)), day, 9), None, "an older day");
        assert_eq!(DayNumbers::raised(Some(&counter(1, 30)), day, 9), Some(counter(2, 9)));
        assert_eq!(DayNumbers::raised(None, day, 9), Some(counter(2, 9)));
    }
}
