//! `docs/failures.md`: the rows, and how often each was tried.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::{Fault, Group, Records, SIMULATION, groups};

const TITLE: &str = "# What can go wrong, and who sees what

Each row is a fault that tests inflict: what the customer, the owner and the other services see of it, the tests that show it, and
how often it was tried in the last run of all tests. Where nothing else is said the cafe is one `cafe up` with its files on one
machine.

What holds in every row: once the fault is over, each customer has the one order that was ordered, every order comes to an end or
waits visibly for a person, and `cafe audit` finds every promise kept. Customers who are refused send the same `Idempotency-Key`
again.

This page is made by `cargo xtask failures` from the rows in `tests/failures`. `cargo xtask test` fails if a test that is named here
did not try its fault. \"Simulated\" is [the whole cafe from a seed](simulation.md).
";
const COLUMNS: &str = "
| fault | the customer | the owner | the other services | shown by | tried |
|---|---|---|---|---|---|
";
const NO_RUN: &str = "no run yet";
const UNTRIED: &str = "not in that run";
/// What the line that names the run begins with.
const RUN: &str = "Tried in ";

/// How often everything was tried, and in which run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    run: String,
    /// By the fault's name.
    tries: BTreeMap<String, String>,
}

impl Page {
    /// Of a run that is named in a few words, such as `the run of 2026-11-28`.
    pub fn of(records: &Records, run: &str) -> Self {
        let tries = groups().into_iter().flat_map(|group| group.faults).map(|fault| {
            let (tested, simulated) = (records.tested(fault), records.simulated(fault));
            let parts = [(tested, "in tests"), (simulated, "simulated")];
            let parts = parts.iter().filter(|(times, _)| *times > 0);
            let parts: Vec<String> = parts.map(|(times, how)| format!("{} {how}", spaced(*times))).collect();
            (fault.name.to_owned(), parts.join(", "))
        });
        Self { run: run.to_owned(), tries: tries.filter(|(_, tries)| !tries.is_empty()).collect() }
    }

    /// Reads from a page how often everything was tried. Rows and words that are not of today do not matter.
    pub fn read(page: &str) -> Self {
        let run = page.lines().find_map(|line| line.strip_prefix(RUN)?.strip_suffix('.'));
        let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
        let tries = rows.filter_map(|row| {
            let cells: Vec<&str> = row.split(" | ").collect();
            let (name, tries) = (cells.first()?, cells.get(5)?);
            (*name != "fault" && *tries != UNTRIED).then(|| ((*name).to_owned(), (*tries).to_owned()))
        });
        Self { run: run.unwrap_or_default().to_owned(), tries: tries.collect() }
    }

    /// The page, with the rows as they are today.
    pub fn written(&self) -> String {
        let run = if self.run.is_empty() { NO_RUN } else { &self.run };
        let mut page = format!("{TITLE}\n{RUN}{run}.\n");
        for group in groups() {
            self.write_group(group, &mut page);
        }
        page
    }

    fn write_group(&self, group: &Group, page: &mut String) {
        let _ = write!(page, "\n## {}\n{COLUMNS}", group.heading);
        for fault in group.faults {
            let Fault { name, customer, owner, others, .. } = fault;
            let tries = self.tries.get(*name).map_or(UNTRIED, String::as_str);
            let _ = writeln!(
                page,
                "| {name} | {customer} | {owner} | {others} | {} | {tries} |",
                shown_by(fault)
            );
        }
    }
}

/// Files in order, each with its tests in order.
fn shown_by(fault: &Fault) -> String {
    let mut files: Vec<_> = fault.shown_by.to_vec();
    files.sort_unstable();
    let mut shown: Vec<String> = files.iter().map(|(file, tests)| linked(file, tests)).collect();
    if !fault.simulated.is_empty() {
        shown.push(format!("`{SIMULATION}`"));
    }
    shown.join("<br>")
}

fn linked(file: &str, tests: &[&str]) -> String {
    let mut tests: Vec<String> = tests.iter().map(|test| format!("`{test}`")).collect();
    tests.sort_unstable();
    format!("[{file}](../{file}): {}", tests.join(", "))
}

/// With a comma before each three digits: `1,204,331`.
fn spaced(number: u64) -> String {
    let digits = number.to_string();
    let lengths = digits.len();
    let mut spaced = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (lengths - place).is_multiple_of(3) {
            spaced.push(',');
        }
        spaced.push(digit);
    }
    spaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let tries = [("the order service is killed", "12 in tests, 1,204,331 simulated")];
        let tries = tries.map(|(name, tries)| (name.to_owned(), tries.to_owned())).into();
        let page = Page { run: "the run of a Monday, of everything".to_owned(), tries };
        assert_eq!(Page::read(&page.written()), page);
    }

    #[test]
    fn another_word_in_a_row_makes_another_page_and_another_count_does_not() {
        let written = Page::default().written();
        let renamed = written.replacen("the order service is killed", "the order service is annoyed", 1);
        assert_ne!(Page::read(&renamed).written(), renamed);
        let counted = written.replacen(UNTRIED, "7 in tests", 1);
        assert_ne!(counted, written);
        assert_eq!(Page::read(&counted).written(), counted);
    }

    #[test]
    fn large_numbers_are_written_to_be_read() {
        assert_eq!([0, 999, 1_000, 1_204_331].map(spaced), ["0", "999", "1,000", "1,204,331"]);
    }
}
