//! How long orders wait for payment, so that customers are told the truth when it is long.
//!
//! Payment takes orders in turn, so those that wait *behind the last one that it has spoken about* are its backlog. An order
//! that waits alone, because its own vendor is silent, is not: later ones have been paid meanwhile, and shop is open.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use cafe_clock::{from_ms, since};
use jiff::Timestamp;

/// How payment keeps up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// As it should.
    Fine,
    /// Half of the time to pay is gone for the oldest order in the backlog: customers are told.
    Delayed,
    /// Four fifths are gone: an order taken now would expire, so it is refused instead.
    Stuck,
}

/// What is known of payment's backlog. Shared by requests, the writer and the chores.
pub struct Backlog {
    pay_within: Duration,
    /// When the latest order was placed that payment has spoken about.
    reached_ms: AtomicI64,
    /// When the oldest order behind it was placed; the end of time if there is none.
    oldest_ms: AtomicI64,
}

impl Backlog {
    /// Nothing waits yet; customers have so long to pay.
    pub fn new(pay_within: Duration) -> Self {
        Self { pay_within, reached_ms: AtomicI64::new(0), oldest_ms: AtomicI64::new(i64::MAX) }
    }

    /// Payment has spoken about an order that was placed then.
    pub fn reached(&self, placed_at: Timestamp) {
        self.reached_ms.fetch_max(placed_at.as_millisecond(), Ordering::Relaxed);
    }

    /// Only orders placed after this are in the backlog.
    pub fn begins_after(&self) -> Timestamp {
        from_ms(self.reached_ms.load(Ordering::Relaxed))
    }

    /// Notes the oldest order in the backlog.
    pub fn note(&self, oldest: Option<Timestamp>) {
        self.oldest_ms.store(oldest.map_or(i64::MAX, Timestamp::as_millisecond), Ordering::Relaxed);
    }

    /// How payment keeps up, by what was noted last.
    pub fn flow(&self, now: Timestamp) -> Flow {
        let age = since(now, from_ms(self.oldest_ms.load(Ordering::Relaxed)));
        if age >= self.pay_within * 4 / 5 {
            Flow::Stuck
        } else if age >= self.pay_within / 2 {
            Flow::Delayed
        } else {
            Flow::Fine
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn customers_are_told_after_5_minutes_and_refused_after_8() {
        let backlog = Backlog::new(Duration::from_mins(10));
        let minute = |minute: i64| from_ms(minute * 60_000);
        assert_eq!(backlog.flow(minute(1_000)), Flow::Fine);
        backlog.note(Some(minute(100)));
        assert_eq!(backlog.flow(minute(104)), Flow::Fine);
        assert_eq!(backlog.flow(minute(105)), Flow::Delayed);
        assert_eq!(backlog.flow(minute(108)), Flow::Stuck);
        assert_eq!(backlog.flow(minute(1)), Flow::Fine, "a clock that stepped back");
        backlog.note(None);
        assert_eq!(backlog.flow(minute(108)), Flow::Fine);
    }

    #[test]
    fn the_backlog_begins_behind_the_latest_order_that_payment_spoke_about() {
        let backlog = Backlog::new(Duration::from_mins(10));
        backlog.reached(from_ms(50));
        backlog.reached(from_ms(40));
        assert_eq!(backlog.begins_after(), from_ms(50));
    }
}
