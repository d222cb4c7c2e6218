//! A few seeds of the many that `cargo xtask simulate` runs, and the simulation itself put to the test.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use cafe_events::Source;
use cafe_simulation::bugs::Bug;
use cafe_simulation::campaign::{hunt, run_seeds, shortest_story, tells_the_same};
use cafe_simulation::coverage::KINDS;
use cafe_simulation::people::{CARTS, priced_carts};
use cafe_simulation::run::{replay, run, shrink};

#[test]
fn whatever_goes_wrong_every_promise_is_kept_once_faults_end() {
    let tally = run_seeds(0, 1_000, None, |_| {});
    assert_eq!(tally.seeds, 1_000);
    assert!(tally.broken.is_empty(), "{:#?}", tally.broken);
    assert!(tally.differing.is_empty(), "not repeatable: {:?}", tally.differing);
}

#[test]
fn the_same_seed_tells_the_same_story_and_another_seed_another() {
    assert!((0..20).all(tells_the_same));
    assert_ne!(run(1, None, true).story, run(2, None, true).story);
}

#[test]
fn a_schedule_that_is_replayed_ends_as_it_did() {
    let outcome = run(7, None, true);
    let again = replay(7, None, outcome.transitions.clone(), true);
    assert_eq!(again.story, outcome.story);
}

#[test]
fn a_planted_bug_is_found_and_its_story_is_short() {
    let bug = Bug::RefundUnderNewKey;
    let found = hunt(bug).expect("it is found");
    let outcome = run(found.seed, Some(bug), false);
    let shortest = shrink(found.seed, Some(bug), &outcome);
    assert!(
        shortest.len() < outcome.transitions.len() / 2,
        "{} of {}",
        shortest.len(),
        outcome.transitions.len()
    );
    let story = shortest_story(found.seed, Some(bug));
    assert!(story.contains("BROKEN") && story.contains("vendor"), "{story}");
    assert!(run(found.seed, None, false).broken.is_empty(), "without the bug nothing is broken");
}

#[test]
fn a_bug_of_the_sql_is_found_and_its_story_names_the_row() {
    let bug = Bug::ColumnNotUpdated;
    let found = hunt(bug).expect("it is found");
    let named = found.found.contains("payments.lane, due_at_ms, expires_at_ms");
    assert!(
        named && found.found.contains("memory has") && found.found.contains("SQLite has"),
        "{}",
        found.found
    );
    assert!(run(found.seed, None, false).broken.is_empty(), "without the bug nothing is broken");
}

#[test]
fn every_cart_is_on_the_menu() {
    assert_eq!(priced_carts(), CARTS);
}

#[test]
fn every_kind_of_fault_counts_for_one_row_of_the_page_of_failures_whomever_it_befalls() {
    for kind in KINDS {
        let rows =
            |service: Source| cafe_failures::faults().filter(move |row| row.counts(kind, service.name()));
        let counted = Source::ALL.map(|service| rows(service).count());
        assert!(counted.iter().all(|rows| *rows == 1), "{kind}: {counted:?}");
    }
    let named = cafe_failures::faults().flat_map(|row| row.simulated);
    let unknown: Vec<_> = named.filter(|named| !KINDS.contains(&named.name)).collect();
    assert!(unknown.is_empty(), "nobody counts {unknown:?}");
}
