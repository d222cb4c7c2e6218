//! Parts of a run: each timed, all in a table at the end, what was skipped named.

use std::time::{Duration, Instant};

use anyhow::Result;

/// What a part came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// So many tests or checks passed, and so many failed.
    Ran { passed: usize, failed: usize },
    /// Not run, for this reason.
    Skipped(String),
}

impl Outcome {
    /// A part that is one check.
    pub(crate) fn of(passed: bool) -> Self {
        Self::Ran { passed: usize::from(passed), failed: usize::from(!passed) }
    }

    /// A part that was run in two steps.
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Ran { passed, failed }, Self::Ran { passed: more, failed: worse }) => {
                Self::Ran { passed: passed + more, failed: failed + worse }
            }
            (skipped @ Self::Skipped(_), _) | (_, skipped) => skipped,
        }
    }
}

/// The parts run so far.
#[derive(Debug)]
pub(crate) struct Parts {
    started: Instant,
    done: Vec<Part>,
}

#[derive(Debug)]
struct Part {
    name: String,
    outcome: Outcome,
    took: Duration,
}

/// Passed, failed, skipped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) skipped: usize,
}

impl Parts {
    pub(crate) fn new() -> Self {
        Self { started: Instant::now(), done: Vec::new() }
    }

    /// Runs a part. One that cannot be run counts as one failure.
    pub(crate) fn run(&mut self, name: &str, part: impl FnOnce() -> Result<Outcome>) {
        println!("\n=== {name}");
        let started = Instant::now();
        let outcome = part().unwrap_or_else(|failure| {
            println!("{name}: {failure:#}");
            Outcome::of(false)
        });
        self.done.push(Part { name: name.to_owned(), outcome, took: started.elapsed() });
    }

    /// All parts' counts together; a skipped part counts as one.
    pub(crate) fn counts(&self) -> Counts {
        self.done.iter().fold(Counts::default(), |sum, part| match part.outcome {
            Outcome::Ran { passed, failed } => {
                Counts { passed: sum.passed + passed, failed: sum.failed + failed, ..sum }
            }
            Outcome::Skipped(_) => Counts { skipped: sum.skipped + 1, ..sum },
        })
    }

    /// Prints the table, and answers whether nothing failed.
    pub(crate) fn print_table(&self) -> bool {
        let width = self.done.iter().map(|part| part.name.len()).max().unwrap_or(0);
        println!("\n{:width$}  {:>9}  outcome", "part", "time");
        for Part { name, outcome, took } in &self.done {
            let outcome = match outcome {
                Outcome::Ran { passed: 1, failed: 0 } => "ok".to_owned(),
                Outcome::Ran { passed, failed: 0 } => format!("ok, {passed} passed"),
                Outcome::Ran { passed, failed } => format!("FAILED, {passed} passed, {failed} failed"),
                Outcome::Skipped(why) => format!("skipped: {why}"),
            };
            println!("{name:width$}  {:>7.1} s  {outcome}", took.as_secs_f64());
        }
        println!("{:width$}  {:>7.1} s", "total", self.started.elapsed().as_secs_f64());
        self.counts().failed == 0
    }

    /// Prints what was not looked at, and why.
    pub(crate) fn print_skipped(&self) {
        for part in &self.done {
            if let Outcome::Skipped(why) = &part.outcome {
                println!("not checked: {} ({why})", part.name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_cannot_be_run_is_a_failure_and_a_skipped_one_is_counted() {
        let mut parts = Parts::new();
        parts.run("a", || Ok(Outcome::Ran { passed: 3, failed: 1 }));
        parts.run("b", || Ok(Outcome::Skipped("no network".into())));
        parts.run("c", || anyhow::bail!("no compiler"));
        assert_eq!(parts.counts(), Counts { passed: 3, failed: 2, skipped: 1 });
        assert!(!parts.print_table());
    }
}
