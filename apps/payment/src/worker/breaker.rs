//! A circuit breaker: pure, with the time as an argument.

use std::collections::VecDeque;
use std::time::Duration;

/// Recent calls that are looked at, at most.
const WINDOW_CALLS: usize = 100;
/// Calls older than this say nothing any more.
const WINDOW: Duration = Duration::from_secs(30);
/// So few calls say nothing yet.
const FEWEST_CALLS: usize = 20;
/// First time it stays open; it doubles each time most probes fail.
const SHORTEST_OPEN: Duration = Duration::from_secs(1);
/// Longest time it stays open: customers wait meanwhile, and a few probes do no harm to whoever is down.
const LONGEST_OPEN: Duration = Duration::from_secs(5);
/// Probes that are let through at a time. Most of them decide, as half of the calls do when it opens: one customer whose
/// payment fails alone must not hold up everybody else's.
const PROBES: u32 = 3;
/// More than half of them.
const MOST_PROBES: u32 = PROBES / 2 + 1;

/// Whether calls are let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// All of them.
    Closed,
    /// A few, to see.
    HalfOpen,
    /// None.
    Open,
}

/// Stops asking a vendor that fails, and finds out when it works again. Times are durations since any fixed moment, by a
/// clock that does not step.
#[derive(Debug, Default)]
pub struct Breaker {
    recent: VecDeque<(Duration, bool)>,
    open: Option<Opened>,
    turn: u32,
}

/// A call that was let through; its outcome must be [recorded](Breaker::record).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Pass {
    turn: u32,
}

#[derive(Debug)]
struct Opened {
    until: Duration,
    times: u32,
    admitted: u32,
    succeeded: u32,
    failed: u32,
}

impl Breaker {
    /// How it stands at `now`.
    pub fn state(&self, now: Duration) -> State {
        match &self.open {
            None => State::Closed,
            Some(opened) if now < opened.until => State::Open,
            Some(_) => State::HalfOpen,
        }
    }

    /// How many probes may be let through now.
    pub fn probes_free(&self, now: Duration) -> u32 {
        match &self.open {
            Some(opened) if now >= opened.until => PROBES - opened.admitted,
            _ => 0,
        }
    }

    /// Lets a call through, or not.
    pub fn admit(&mut self, now: Duration) -> Option<Pass> {
        let free = self.probes_free(now);
        if let Some(opened) = &mut self.open {
            opened.admitted += (free > 0).then_some(1)?;
        }
        Some(Pass { turn: self.turn })
    }

    /// Notes whether a call was answered. `draw`, a random number in `0.0..1.0`, spreads the next try.
    pub fn record(&mut self, pass: Pass, answered: bool, now: Duration, draw: f64) {
        // An answer to a call from before it opened or closed says nothing about now.
        if pass.turn != self.turn {
            return;
        }
        match &mut self.open {
            None => {
                self.recent.push_back((now, answered));
                if self.recent.len() > WINDOW_CALLS {
                    self.recent.pop_front();
                }
                if self.fails(now) {
                    self.open_again(0, now, draw);
                }
            }
            Some(opened) => {
                opened.succeeded += u32::from(answered);
                opened.failed += u32::from(!answered);
                if opened.succeeded >= MOST_PROBES {
                    *self = Self { turn: self.turn + 1, ..Self::default() };
                } else if opened.failed >= MOST_PROBES {
                    let times = opened.times + 1;
                    self.open_again(times, now, draw);
                }
            }
        }
    }

    fn fails(&self, now: Duration) -> bool {
        let recent = self.recent.iter().filter(|(at, _)| now.saturating_sub(*at) <= WINDOW);
        let (calls, failures) = recent
            .fold((0, 0), |(calls, failures), (_, answered)| (calls + 1, failures + usize::from(!answered)));
        calls >= FEWEST_CALLS && failures * 2 >= calls
    }

    fn open_again(&mut self, times: u32, now: Duration, draw: f64) {
        let pause = (SHORTEST_OPEN * 2_u32.pow(times.min(8))).min(LONGEST_OPEN);
        let until = now + pause.mul_f64(1.0 + draw / 4.0);
        self.open = Some(Opened { until, times, admitted: 0, succeeded: 0, failed: 0 });
        self.recent.clear();
        self.turn += 1;
    }
}

#[cfg(test)]
mod tests {
    use cafe_failures::{tried, vendor};

    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn call(breaker: &mut Breaker, answered: bool, now: Duration) {
        let pass = breaker.admit(now).expect("it is let through");
        breaker.record(pass, answered, now, 0.0);
    }

    fn failing_since(now: Duration) -> Breaker {
        let mut breaker = Breaker::default();
        (0..FEWEST_CALLS).for_each(|_| call(&mut breaker, false, now));
        breaker
    }

    #[test]
    fn a_few_failures_among_many_answers_change_nothing() {
        let mut breaker = Breaker::default();
        (0..1_000).for_each(|number| call(&mut breaker, number % 3 != 0, at(1)));
        assert_eq!(breaker.state(at(1)), State::Closed);
    }

    #[test]
    fn it_opens_when_half_of_twenty_fail() {
        tried(&vendor::FAILS);
        let mut breaker = Breaker::default();
        (0..19).for_each(|number| call(&mut breaker, number % 2 == 1, at(1)));
        assert_eq!(breaker.state(at(1)), State::Closed, "nineteen calls say nothing yet");
        call(&mut breaker, false, at(1));
        assert_eq!(breaker.state(at(1)), State::Open);
        assert_eq!(breaker.admit(at(1)), None);
    }

    #[test]
    fn failures_of_long_ago_are_forgotten() {
        let mut breaker = Breaker::default();
        (0..19).for_each(|_| call(&mut breaker, false, at(1)));
        call(&mut breaker, false, at(60));
        assert_eq!(breaker.state(at(60)), State::Closed);
    }

    #[test]
    fn it_closes_when_most_of_three_probes_are_answered_and_lets_no_fourth_through() {
        let mut breaker = failing_since(at(0));
        assert_eq!(breaker.state(at(2)), State::HalfOpen);
        let passes: Vec<_> = (0..5).filter_map(|_| breaker.admit(at(2))).collect();
        assert_eq!(passes.len(), 3);
        breaker.record(passes[0], true, at(2), 0.0);
        breaker.record(passes[1], false, at(2), 0.0);
        assert_eq!((breaker.state(at(2)), breaker.admit(at(2))), (State::HalfOpen, None));
        breaker.record(passes[2], true, at(2), 0.0);
        assert_eq!(breaker.state(at(2)), State::Closed);
    }

    #[test]
    fn an_answer_to_a_call_from_before_it_opened_says_nothing() {
        let mut breaker = Breaker::default();
        let old = breaker.admit(at(0)).unwrap();
        (0..FEWEST_CALLS).for_each(|_| call(&mut breaker, false, at(0)));
        call(&mut breaker, false, at(2));
        breaker.record(old, false, at(2), 0.0);
        assert_eq!(breaker.state(at(2)), State::HalfOpen);
        call(&mut breaker, false, at(2));
        assert_eq!(breaker.state(at(2)), State::Open);
    }

    #[test]
    fn it_stays_open_longer_each_time_most_probes_fail() {
        let mut breaker = failing_since(at(0));
        let mut now = at(0);
        let mut pauses = Vec::new();
        for _ in 0..7 {
            let opened_at = now;
            while breaker.state(now) == State::Open {
                now += at(1);
            }
            pauses.push(now.saturating_sub(opened_at).as_secs());
            (0..MOST_PROBES).for_each(|_| call(&mut breaker, false, now));
        }
        assert_eq!(pauses, [1, 2, 4, 5, 5, 5, 5]);
    }

    #[test]
    fn of_very_many_calls_the_last_hundred_count() {
        let mut breaker = Breaker::default();
        (0..1_000).for_each(|_| call(&mut breaker, true, at(1)));
        call(&mut breaker, false, at(1));
        (0..50).for_each(|_| call(&mut breaker, true, at(1)));
        (0..48).for_each(|_| call(&mut breaker, false, at(1)));
        assert_eq!(breaker.state(at(1)), State::Closed, "49 of them failed");
        call(&mut breaker, false, at(1));
        assert_eq!(breaker.state(at(1)), State::Open);
    }

    #[test]
    fn an_answer_to_a_call_from_before_it_closed_says_nothing() {
        let mut breaker = Breaker::default();
        let old = breaker.admit(at(0)).unwrap();
        (0..FEWEST_CALLS).for_each(|_| call(&mut breaker, false, at(0)));
        let probe = breaker.admit(at(2)).unwrap();
        (0..MOST_PROBES).for_each(|_| call(&mut breaker, true, at(2)));
        for late in [old, probe] {
            (0..FEWEST_CALLS).for_each(|_| breaker.record(late, false, at(2), 0.0));
        }
        assert_eq!(breaker.state(at(2)), State::Closed);
    }

    #[test]
    fn those_that_opened_together_do_not_try_again_together() {
        let mut breaker = Breaker::default();
        for _ in 0..FEWEST_CALLS {
            let pass = breaker.admit(at(0)).unwrap();
            breaker.record(pass, false, at(0), 0.8);
        }
        assert_eq!(breaker.state(Duration::from_millis(1_199)), State::Open);
        assert_eq!(breaker.state(Duration::from_millis(1_200)), State::HalfOpen);
    }
}
