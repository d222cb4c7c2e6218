//! The power is cut, and the cafe is opened again with what the disk has kept.

use cafe_failures::{disk, tried_times};
use cafe_system_tests::disk::{Kind, Record, demand_all_kept};

/// Three moments of each kind.
const IMAGES: usize = 3 * Kind::ALL.len();
const SEED: u64 = 1;

#[test]
#[ignore = "run by cargo xtask test"]
fn nothing_answered_is_lost_with_the_power() {
    let record = Record::make().expect("a cafe at work is recorded");
    let cuts = demand_all_kept(&record, IMAGES, SEED);
    tried_times(&disk::POWER_CUT, cuts.values().sum::<usize>() as u64);
    println!("the power was cut at these moments: {cuts:?}");
}
