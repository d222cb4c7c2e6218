//! Judges page by page, and looks again at what it would call broken.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cafe_events::OrderId;
use cafe_promises::{Broken, Case, Evidence, Kind, PROMISES, Promise, Seen, Wait, waits_for};
use tokio::time::sleep;

use super::Told;
use super::cafe::{Cafe, Page, Range};
use super::verdict::{Looked, Verdict};

/// A page with findings is read so often at most.
const ROUNDS: u32 = 8;
/// Between two readings of a page; it grows with each.
const PAUSE: Duration = Duration::from_millis(100);

/// Judges a cafe. `told` is what customers know; `settled` says that every order should be at its end.
pub(super) async fn judge(mut cafe: Cafe, told: Option<&Told>, settled: bool) -> anyhow::Result<Verdict> {
    let mut judging =
        Judging { told, settled, whole: Evidence::default(), verdict: Verdict::new(cafe.name()) };
    let mut range = Range::default();
    loop {
        range.after = judging.page(&mut cafe, range).await?;
        if range.after.is_none() {
            return judging.across(&mut cafe);
        }
    }
}

struct Judging<'a> {
    told: Option<&'a Told>,
    settled: bool,
    /// What lies across orders.
    whole: Evidence,
    verdict: Verdict,
}

impl Judging<'_> {
    /// Judges the page after `range.after`; answers its last order unless it is the last page.
    async fn page(&mut self, cafe: &mut Cafe, range: Range) -> anyhow::Result<Option<OrderId>> {
        let first = cafe.page(range).await?;
        let last = first.through;
        let range = Range { through: last, ..range };
        let mut evidence = self.evidence(first, range);
        let mut at_rest = BTreeSet::new();
        for round in 1..ROUNDS {
            let suspects = suspects(&evidence);
            if suspects.iter().all(|suspect| at_rest.contains(suspect)) {
                break;
            }
            sleep(PAUSE * round).await;
            let again = self.evidence(cafe.page(range).await?, range);
            at_rest =
                suspects.into_iter().filter(|id| evidence.cases.get(id) == again.cases.get(id)).collect();
            evidence = again;
        }
        self.note(evidence, &at_rest);
        Ok(last)
    }

    fn evidence(&self, page: Page, range: Range) -> Evidence {
        let mut evidence = page.heads.evidence(page.cases, self.settled);
        self.add_told(&mut evidence, range);
        evidence
    }

    fn add_told(&self, evidence: &mut Evidence, range: Range) {
        let Some(told) = self.told else {
            evidence.unseen.insert(Kind::Customers, "only a rush knows".to_owned());
            return;
        };
        for (&order_id, customers) in told.iter().filter(|(order_id, _)| range.holds(**order_id)) {
            evidence.case(order_id).customers.clone_from(customers);
        }
    }

    /// Adds what a page shows to the verdict: an order that would not rest is told apart from a broken one.
    fn note(&mut self, mut evidence: Evidence, at_rest: &BTreeSet<OrderId>) {
        for (place, promise) in PROMISES.iter().enumerate().filter(|(_, promise)| !promise.across) {
            let seen = match (promise.judge)(&evidence) {
                Seen::Checked { looked_at, broken } => {
                    let (believed, moving): (Vec<_>, Vec<_>) = broken.into_iter().partition(|broken| {
                        broken.order_id.is_none_or(|order_id| at_rest.contains(&order_id))
                    });
                    self.verdict.in_motion.extend(moving);
                    Seen::Checked { looked_at, broken: believed }
                }
                not_checked @ Seen::NotChecked(_) => not_checked,
            };
            self.verdict.add(place, seen);
        }
        for (&order_id, case) in &evidence.cases {
            self.verdict.looked.count(case);
            if let Some(Wait::Service(what) | Wait::Person(what)) = waits_for(&evidence, order_id, case) {
                *self.verdict.waiting.entry(what).or_default() += 1;
            }
        }
        evidence.note_numbers();
        self.whole.numbers.append(&mut evidence.numbers);
        self.whole.unseen = evidence.unseen;
    }

    /// Judges what lies across orders.
    fn across(mut self, cafe: &mut Cafe) -> anyhow::Result<Verdict> {
        if let Some(told) = self.told {
            let known = told.iter().map(|(order_id, customers)| {
                (*order_id, Case { customers: customers.clone(), ..Case::default() })
            });
            self.whole.cases = known.collect::<BTreeMap<_, _>>();
        }
        let heads = cafe.logs()?;
        self.verdict.parked = heads.parked;
        self.whole.logs = heads.logs;
        for (place, Promise { judge, .. }) in
            PROMISES.iter().enumerate().filter(|(_, promise)| promise.across)
        {
            self.verdict.add(place, judge(&self.whole));
        }
        Ok(self.verdict)
    }
}

/// Orders of which something would be called broken.
fn suspects(evidence: &Evidence) -> BTreeSet<OrderId> {
    let each = PROMISES.iter().filter(|promise| !promise.across);
    each.flat_map(|promise| (promise.judge)(evidence).broken().to_vec())
        .filter_map(|Broken { order_id, .. }| order_id)
        .collect()
}

impl Looked {
    fn count(&mut self, case: &Case) {
        self.orders += u64::from(case.order.is_some());
        self.payments += u64::from(case.payment.is_some());
        self.tickets += u64::from(case.ticket.is_some());
        self.events += case.events.len() as u64;
        self.charges += case.charges.len() as u64;
        self.refunds += case.refunds.len() as u64;
    }
}
