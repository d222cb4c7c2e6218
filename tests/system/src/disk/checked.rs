//! What must be true of a cafe that is opened again after a power cut.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use super::record::Promised;
use super::{Draw, Kind, Moment, Record, found};
use crate::{Cafe, ROBOT};

/// Until every order has come to its end: a charge that was under way is looked for during half a minute.
const SETTLED: Duration = Duration::from_mins(3);
/// Cafes at a time. They wait, mostly.
const AT_ONCE: usize = 24;
/// Ends of an order that leave nothing to a wish that it be undone.
const UNDONE: [&str; 4] = ["cancelled", "refunded", "declined", "expired"];

/// Cuts the power so often, at moments of all kinds in turn, and demands each time that every order that was answered is there,
/// that all come to their ends, and that the audit is clean. Answers how many cuts there were of each kind.
///
/// # Panics
/// At the first of which it is not true. The folder as it was found is left beside the one that was worked in, for which see
/// [`cafe_rig::keep_if_failed`].
pub fn demand_all_kept(record: &Record, count: usize, seed: u64) -> BTreeMap<Kind, usize> {
    let draw = Draw::from_seed(seed);
    let kinds = Kind::ALL.iter().cycle().take(count);
    let moments: Vec<Moment> = kinds.map(|kind| record.moment(*kind, &draw)).collect();
    let mut counts = BTreeMap::new();
    for moment in &moments {
        *counts.entry(moment.kind).or_default() += 1;
    }
    let waiting = Mutex::new(moments.into_iter().zip(seed + 1..).collect::<VecDeque<_>>());
    let next = || waiting.lock().expect("nobody panics with it").pop_front();
    thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(count) {
            scope.spawn(|| {
                let _at_once = EndsOthers(&waiting);
                while let Some((moment, seed)) = next() {
                    demand_kept(record, moment, &Draw::from_seed(seed));
                }
            });
        }
    });
    counts
}

/// Once one has failed no further ones are begun.
struct EndsOthers<'a>(&'a Mutex<VecDeque<(Moment, u64)>>);

impl Drop for EndsOthers<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.lock().expect("nobody panics with it").clear();
        }
    }
}

/// Cuts the power at one moment of the record, and opens the cafe again with what is found.
fn demand_kept(record: &Record, moment: Moment, draw: &Draw) {
    let mut cafe = Cafe::closed_beside_others(&ROBOT);
    let image = record.found(moment, draw).expect("the record is understood");
    let promised = record.promised(moment.line).expect("the answers are understood");
    for folder in ["", "found"] {
        found::put(&image, &cafe.folder.path().join(folder)).expect("the folder can be written");
    }
    let note = cafe.folder.path().join("moment");
    std::fs::write(note, format!("{moment:?}")).expect("the folder can be written");
    cafe.open_somewhere();
    let orders = cafe.settle(SETTLED);
    for (id, told) in &promised {
        let order = orders.iter().find(|order| order["id"] == id.as_str());
        let order = order.unwrap_or_else(|| panic!("{moment:?}: {id} was answered ({told:?}) and is lost"));
        let cancel = told.cancel
            && order["cancel"].is_null()
            && !UNDONE.contains(&order["status"].as_str().unwrap_or_default());
        let now =
            Promised { number: order["number"].clone(), total: order["total"].clone(), cancel: told.cancel };
        assert!(now == *told && !cancel, "{moment:?}: {id} was answered {told:?} and is {order:#}");
    }
    cafe.audit();
}
