//! What is written of faults, held against the project as it is.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cafe_failures::{Page, faults};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

fn read(path: impl AsRef<Path>) -> String {
    let path = PathBuf::from(ROOT).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_page_says_what_the_rows_say() {
    let committed = read("docs/failures.md");
    assert!(
        Page::read(&committed).written() == committed,
        "docs/failures.md does not say what the rows in tests/failures say: run `cargo xtask failures`"
    );
}

#[test]
fn every_test_that_a_row_names_is_there_and_says_what_it_tries() {
    for fault in faults() {
        for (file, tests) in fault.shown_by {
            let source = read(file);
            for test in *tests {
                assert!(source.contains(&format!("fn {test}(")), "{}: {file} has no test {test}", fault.id);
            }
            assert!(says(file, fault.id), "{}: nothing beside {file} says that it tries it", fault.id);
        }
    }
}

/// Helpers that inflict a fault lie beside the tests.
fn says(file: &str, id: &str) -> bool {
    let folder = Path::new(ROOT).join(file).parent().expect("a file is in a folder").to_owned();
    let mut files = std::fs::read_dir(folder).expect("the folder is there").flatten();
    files.any(|file| std::fs::read_to_string(file.path()).is_ok_and(|source| source.contains(id)))
}

#[test]
fn every_row_has_a_name_of_its_own_a_test_and_words_that_fit_a_table() {
    let (mut names, mut ids) = (BTreeSet::new(), BTreeSet::new());
    for fault in faults() {
        assert!(names.insert(fault.name) && ids.insert(fault.id), "{} is there twice", fault.id);
        assert!(!fault.shown_by.is_empty() || !fault.simulated.is_empty(), "nobody tries {}", fault.id);
        for words in [fault.name, fault.customer, fault.owner, fault.others] {
            assert!(!words.is_empty() && !words.contains(['|', '\n']), "{}: {words:?}", fault.id);
        }
    }
}
