//! Power cuts by the hundred.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::Result;
use cafe_system_tests::disk::{Kind, Record, demand_all_kept};

/// Power cuts at moments of one record: what was killed when differs from one to the next.
const OF_ONE_RECORD: usize = 100;

pub(super) fn run(count: usize, seed: u64) -> Result<bool> {
    let started = Instant::now();
    let (mut done, mut kinds) = (0, BTreeMap::<Kind, usize>::new());
    while done < count {
        let round = OF_ONE_RECORD.min(count - done);
        let record = Record::make()?;
        for (kind, times) in demand_all_kept(&record, round, seed + done as u64) {
            *kinds.entry(kind).or_default() += times;
        }
        done += round;
        println!("{done} power cuts, {} s: all well; {kinds:?}", started.elapsed().as_secs());
    }
    println!("\n{done} power cuts, every promise kept, {:.0} s", started.elapsed().as_secs_f64());
    Ok(true)
}
