//! Who tried what: written down by tests as they run, in as many processes as they run in, and read when all have ended.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::panic::Location;
use std::path::Path;

use crate::{Fault, faults, named};

/// The variable that names the folder of the records. Without it nothing is written.
pub const TRIED_IN: &str = "CAFE_TRIED_IN";
/// Who tries what is simulated.
pub const SIMULATION: &str = "cargo xtask simulate";

/// Says that the test on whose thread this is called tries a fault: at the place where it does.
///
/// # Panics
/// If the fault's row does not name the test.
#[track_caller]
pub fn tried(fault: &Fault) {
    tried_times(fault, 1);
}

/// The same for a fault that is tried several times.
///
/// # Panics
/// If the fault's row does not name the test.
#[track_caller]
pub fn tried_times(fault: &Fault, times: u64) {
    let thread = std::thread::current();
    // The test harness calls a test's thread as the test, with the modules that it is in.
    let test = thread.name().and_then(|name| name.rsplit("::").next()).unwrap_or_default();
    let test = named(Location::caller().file(), test);
    assert!(
        fault.tests().any(|known| known == test),
        "{test} tries {:?}: name it in that row, in tests/failures/src/rows",
        fault.name
    );
    write(fault, &test, times);
}

/// Says how often the simulation tried a kind of fault on a service.
pub fn simulated(kind: &str, service: &str, times: u64) {
    for fault in faults().filter(|fault| fault.counts(kind, service)) {
        write(fault, SIMULATION, times);
    }
}

/// A line, written at once: threads and processes that write to one file do not part each other's lines.
fn write(fault: &Fault, test: &str, times: u64) {
    let Some(folder) = std::env::var_os(TRIED_IN) else { return };
    let line = format!("{}\t{test}\t{times}\n", fault.id);
    let file = Path::new(&folder).join(std::process::id().to_string());
    let opened = File::options().create(true).append(true).open(&file);
    let written = opened.and_then(|mut file| file.write_all(line.as_bytes()));
    written.unwrap_or_else(|error| panic!("{}, named by {TRIED_IN}: {error}", file.display()));
}

/// What was tried in a run.
#[derive(Debug, Default)]
pub struct Records {
    /// By the fault's id and the test.
    times: BTreeMap<(String, String), u64>,
}

/// What a run owes to a row, or a row to a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gap {
    /// A test that is to show a fault did not try it.
    Untried {
        /// The row's.
        fault: &'static str,
        /// Which test.
        test: String,
    },
    /// A test tried what no row says of it.
    Unknown {
        /// As it was written down.
        fault: String,
        /// Which test.
        test: String,
    },
}

impl Records {
    /// Reads every record in a folder.
    ///
    /// # Errors
    /// If a file cannot be read, or has a line that is no record.
    pub fn read(folder: &Path) -> io::Result<Self> {
        let mut records = Self::default();
        for file in fs::read_dir(folder)? {
            for line in fs::read_to_string(file?.path())?.lines() {
                records.add(line).ok_or_else(|| io::Error::other(format!("no record: {line}")))?;
            }
        }
        Ok(records)
    }

    fn add(&mut self, line: &str) -> Option<()> {
        let [fault, test, times] = line.split('\t').collect::<Vec<_>>().try_into().ok()?;
        let times: u64 = times.parse().ok()?;
        *self.times.entry((fault.to_owned(), test.to_owned())).or_default() += times;
        Some(())
    }

    /// How often tests tried a fault.
    pub fn tested(&self, fault: &Fault) -> u64 {
        self.of(fault).filter(|(test, _)| *test != SIMULATION).map(|(_, times)| times).sum()
    }

    /// How often it was simulated.
    pub fn simulated(&self, fault: &Fault) -> u64 {
        self.of(fault).filter(|(test, _)| *test == SIMULATION).map(|(_, times)| times).sum()
    }

    fn of(&self, fault: &Fault) -> impl Iterator<Item = (&str, u64)> {
        let is_its = move |((id, _), _): &(&(String, String), &u64)| id == fault.id;
        self.times.iter().filter(is_its).map(|((_, test), times)| (test.as_str(), *times))
    }

    /// Whether there is anything of a fault.
    pub fn has(&self, fault: &Fault) -> bool {
        self.of(fault).any(|(_, times)| times > 0)
    }

    /// Where rows and records differ: every test that a row names must have tried it, and nobody else may have.
    pub fn gaps(&self) -> Vec<Gap> {
        let untried = faults().flat_map(|fault| {
            let tried = |test: &str| self.of(fault).any(|(it, times)| it == test && times > 0);
            let simulated = (!fault.simulated.is_empty()).then(|| SIMULATION.to_owned());
            let missing = fault.tests().chain(simulated).filter(move |test| !tried(test));
            missing.map(|test| Gap::Untried { fault: fault.name, test })
        });
        let unknown = self.times.keys().filter(|(id, test)| {
            let is_known = |fault: &Fault| {
                let is_simulated = test == SIMULATION && !fault.simulated.is_empty();
                fault.id == id && (is_simulated || fault.tests().any(|known| known == *test))
            };
            !faults().any(is_known)
        });
        let unknown = unknown.map(|(fault, test)| Gap::Unknown { fault: fault.clone(), test: test.clone() });
        untried.chain(unknown).collect()
    }
}

impl std::fmt::Display for Gap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Untried { fault, test } => write!(f, "not tried: {fault}, by {test}"),
            Self::Unknown { fault, test } => write!(f, "no row says so: {fault} was tried by {test}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{disk, process};

    /// Each test of each row once, and what is simulated a thousand times.
    fn complete() -> Records {
        let mut records = Records::default();
        for fault in faults() {
            for test in fault.tests() {
                records.add(&format!("{}\t{test}\t1", fault.id)).unwrap();
            }
            if !fault.simulated.is_empty() {
                records.add(&format!("{}\t{SIMULATION}\t1000", fault.id)).unwrap();
            }
        }
        records
    }

    #[test]
    fn a_run_in_which_every_test_tried_what_its_rows_say_has_no_gap() {
        assert_eq!(complete().gaps(), []);
    }

    #[test]
    fn a_row_without_a_try_of_each_of_its_tests_and_of_the_simulation_is_a_gap() {
        let fault = &process::ORDER_KILLED;
        for test in fault.tests().chain([SIMULATION.to_owned()]) {
            let mut records = complete();
            records.times.remove(&(fault.id.to_owned(), test.clone()));
            assert_eq!(records.gaps(), [Gap::Untried { fault: fault.name, test }]);
        }
    }

    #[test]
    fn a_record_that_no_row_knows_is_a_gap() {
        let here = disk::FULL.tests().next().unwrap();
        for (fault, test) in [("TEA_SPILT", here.as_str()), (process::ORDER_KILLED.id, &here)] {
            let mut records = complete();
            records.add(&format!("{fault}\t{test}\t1")).unwrap();
            assert_eq!(records.gaps(), [Gap::Unknown { fault: fault.to_owned(), test: test.to_owned() }]);
        }
    }

    #[test]
    fn what_several_processes_wrote_is_added_up_and_what_is_no_record_is_refused() {
        let mut records = Records::default();
        let test = disk::FULL.tests().next().unwrap();
        for _ in 0..2 {
            records.add(&format!("{}\t{test}\t3", disk::FULL.id)).unwrap();
        }
        records.add(&format!("{}\t{SIMULATION}\t7", disk::FULL.id)).unwrap();
        assert_eq!((records.tested(&disk::FULL), records.simulated(&disk::FULL)), (6, 7));
        assert!(!records.has(&process::ORDER_KILLED));
        assert!(records.add("FULL\tonce").is_none() && records.add("FULL\tt\tmany").is_none());
    }

    #[test]
    #[should_panic(expected = "name it in that row")]
    fn a_test_that_its_row_does_not_name_fails() {
        tried(&process::ORDER_KILLED);
    }
}
