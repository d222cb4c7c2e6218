//! Numbers that should have no gaps.

/// Rising numbers, kept as runs without a gap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Runs(Vec<(i64, i64)>);

impl Runs {
    /// Adds the next number; they come in rising order.
    pub fn push(&mut self, number: i64) {
        match self.0.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => self.0.push((number, number)),
        }
    }

    /// The gaps within `first..=last`, each as first and last number missing.
    pub fn gaps(&self, first: i64, last: i64) -> Vec<(i64, i64)> {
        let mut gaps = Vec::new();
        let mut next = first;
        for &(from, to) in &self.0 {
            if next < from && next <= last {
                gaps.push((next, last.min(from - 1)));
            }
            next = next.max(to + 1);
        }
        if next <= last {
            gaps.push((next, last));
        }
        gaps
    }
}

impl Extend<i64> for Runs {
    fn extend<T: IntoIterator<Item = i64>>(&mut self, numbers: T) {
        numbers.into_iter().for_each(|number| self.push(number));
    }
}

impl FromIterator<i64> for Runs {
    fn from_iter<T: IntoIterator<Item = i64>>(numbers: T) -> Self {
        let mut runs = Self::default();
        runs.extend(numbers);
        runs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_name_their_gaps() {
        let runs: Runs = [1, 2, 3, 6, 7, 9].into_iter().collect();
        assert_eq!(runs.0, [(1, 3), (6, 7), (9, 9)], "a log of millions is one run");
        assert_eq!(runs.gaps(1, 9), vec![(4, 5), (8, 8)]);
        assert_eq!(runs.gaps(1, 11), vec![(4, 5), (8, 8), (10, 11)]);
        assert_eq!(runs.gaps(7, 7), vec![]);
        assert_eq!(runs.gaps(1, 4), vec![(4, 4)]);
        assert_eq!(Runs::default().gaps(1, 0), vec![]);
        assert_eq!(Runs::default().gaps(1, 2), vec![(1, 2)]);
    }
}
