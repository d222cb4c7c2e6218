//! Every fault that is tried: what the customer, the owner and the other services see of it, and which tests show it.
//!
//! A row is written once, in `rows`; `docs/failures.md` is made of them. A test that tries a fault says so by [`tried`], and fails
//! if the row does not name it. `cargo xtask test` has every test write down what it tried, and fails if a row's test did not.

mod log;
mod page;
mod record;
mod rows;

pub use log::{Log, log};
pub use page::Page;
pub use record::{Gap, Records, SIMULATION, TRIED_IN, simulated, tried, tried_times};
pub use rows::{clock, customer, database, disk, event, groups, kafka, owner, process, replica, vendor};

/// A fault, and what is promised of it. The words of the three columns are true of what the tests in `shown_by` do.
#[derive(Debug)]
pub struct Fault {
    /// How records name it, and tests: `process::ORDER_KILLED`.
    pub id: &'static str,
    /// What happens, in a few words.
    pub name: &'static str,
    /// What the customer sees.
    pub customer: &'static str,
    /// What the owner and staff see: in logs, `/health/ready`, `/metrics`, `/parked`, and on the command line.
    pub owner: &'static str,
    /// What the other services see.
    pub others: &'static str,
    /// Files from the project's folder, each with the tests in it.
    pub shown_by: &'static [(&'static str, &'static [&'static str])],
    /// What the simulation counts as this fault.
    pub simulated: &'static [Kind],
}

/// A kind of fault of the simulation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// As the simulation counts it.
    pub name: &'static str,
    /// The service that it befalls; any, if none is named.
    pub service: Option<&'static str>,
}

/// Faults that belong together.
#[derive(Debug)]
pub struct Group {
    /// Above its table.
    pub heading: &'static str,
    /// Its rows.
    pub faults: &'static [&'static Fault],
}

impl Fault {
    /// Every test that shows it, as records name them.
    pub fn tests(&self) -> impl Iterator<Item = String> {
        let of_file = |(file, tests): &'static (&'static str, &'static [&'static str])| {
            tests.iter().map(move |test| named(file, test))
        };
        self.shown_by.iter().flat_map(of_file)
    }

    /// Whether the simulation counts a kind that befalls a service as this.
    pub fn counts(&self, kind: &str, service: &str) -> bool {
        let is_it = |it: &Kind| it.name == kind && it.service.is_none_or(|only| only == service);
        self.simulated.iter().any(is_it)
    }
}

/// Every fault, in the page's order.
pub fn faults() -> impl Iterator<Item = &'static Fault> {
    groups().into_iter().flat_map(|group| group.faults.iter().copied())
}

/// How records name a test.
fn named(file: &str, test: &str) -> String {
    format!("{file}::{test}")
}
