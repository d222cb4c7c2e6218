//! Draws from a seed.

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

/// Draws from a seed: the same again for the same seed.
#[derive(Clone, Debug)]
pub struct Draw(SmallRng);

impl Draw {
    /// Begins with a seed.
    pub fn new(seed: u64) -> Self {
        Self(SmallRng::seed_from_u64(seed))
    }

    /// A number from 0 up to, but not with, `end` (at least 1).
    pub fn below(&mut self, end: usize) -> usize {
        self.0.random_range(0..end.max(1))
    }

    /// A number from `first` to `last`, both included.
    pub fn within(&mut self, first: i64, last: i64) -> i64 {
        self.0.random_range(first..=last)
    }

    /// True once in `times`.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// True in so many of a thousand cases.
    pub fn permille(&mut self, rate: u16) -> bool {
        self.below(1_000) < usize::from(rate)
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0.random()
    }

    /// One of them; nothing if there is none.
    pub fn one<T: Copy>(&mut self, of: &[T]) -> Option<T> {
        if of.is_empty() { None } else { Some(of[self.below(of.len())]) }
    }

    /// One of them, as often as its weight says.
    pub fn weighted<T: Copy>(&mut self, of: &[(u16, T)]) -> Option<T> {
        let sum: usize = of.iter().map(|(weight, _)| usize::from(*weight)).sum();
        if sum == 0 {
            return None;
        }
        let mut left = self.below(sum);
        for (weight, one) in of {
            match left.checked_sub(usize::from(*weight)) {
                Some(rest) => left = rest,
                None => return Some(*one),
            }
        }
        None
    }
}
