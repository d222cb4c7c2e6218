//! What happened to orders at which step of their way: each kind of fault at each step, counted.

use std::collections::BTreeMap;
use std::fmt::Write;

use cafe_events::Source;

/// Where an order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Taken; payment has not heard of it.
    Placed,
    /// Heard; nothing is asked at the moment.
    Due,
    /// The vendor is being asked.
    Asking,
    /// The vendor did not answer clearly.
    Unknown,
    /// Paid; barista has not heard of it.
    Paid,
    /// In the queue.
    Queued,
    /// Being made.
    Making,
    /// Made.
    Ready,
    /// Handed over.
    PickedUp,
    /// Money is on its way back.
    GivingBack,
    /// Declined, expired, cancelled, rejected or not collected.
    Ended,
}

impl Stage {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Placed,
        Self::Due,
        Self::Asking,
        Self::Unknown,
        Self::Paid,
        Self::Queued,
        Self::Making,
        Self::Ready,
        Self::PickedUp,
        Self::GivingBack,
        Self::Ended,
    ];
}

/// Every kind of fault, as it is counted.
pub const KINDS: [&str; 37] = [
    "dies before it commits",
    "dies while it commits",
    "dies with a commit unsynced",
    "dies before it answers",
    "dies between two steps",
    "dies while the vendor is asked",
    "loses its power",
    "has no room on its disk",
    "finds a lock held",
    "cannot sync",
    "commits and is not told",
    "does not commit and is not told",
    "is frozen",
    "is taken over",
    "clock steps on",
    "clock steps back",
    "hears late",
    "hears again",
    "hears out of order",
    "hears somebody else's program",
    "is not acknowledged by brokers",
    "arrives late at brokers",
    "is lost by brokers",
    "finds its topic made anew",
    "dies between relay and mark",
    "is restored",
    "sets an event aside",
    "vendor's answer is lost",
    "vendor fails",
    "vendor is not reached",
    "vendor is late",
    "vendor refuses",
    "vendor answers twice",
    "customer sends again",
    "customer sends a hundred times",
    "customer changes the body",
    "customer cancels",
];

/// What staff do and what is not a fault, counted the same way.
pub const STAFF: [&str; 7] = [
    "staff recall",
    "staff reject",
    "staff refund",
    "staff give goodwill",
    "order is refused, payment is behind",
    "outbox is pruned",
    "topic's messages age out",
];

/// Counts.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    counts: BTreeMap<(&'static str, Stage), u64>,
    befell: BTreeMap<(&'static str, Source), u64>,
}

impl Coverage {
    /// Counts one kind that befalls a service, at the stage of each order.
    pub fn note(&mut self, kind: &'static str, service: Source, stages: &[Stage]) {
        *self.befell.entry((kind, service)).or_default() += 1;
        for stage in stages {
            *self.counts.entry((kind, *stage)).or_default() += 1;
        }
    }

    /// Adds another's counts.
    pub fn add(&mut self, other: &Self) {
        for (key, count) in &other.counts {
            *self.counts.entry(*key).or_default() += count;
        }
        for (key, count) in &other.befell {
            *self.befell.entry(*key).or_default() += count;
        }
    }

    /// How often a kind met a stage.
    pub fn count(&self, kind: &'static str, stage: Stage) -> u64 {
        self.counts.get(&(kind, stage)).copied().unwrap_or_default()
    }

    /// How often each kind befell each service, whatever orders there were.
    pub fn befell(&self) -> impl Iterator<Item = (&'static str, Source, u64)> {
        self.befell.iter().map(|((kind, service), count)| (*kind, *service, *count))
    }

    /// What never met.
    pub fn never(&self) -> Vec<(&'static str, Stage)> {
        let all = KINDS.iter().flat_map(|kind| Stage::ALL.map(|stage| (*kind, stage)));
        all.filter(|(kind, stage)| self.count(kind, *stage) == 0).collect()
    }

    /// A table: a row for each kind, a column for each stage.
    pub fn table(&self) -> String {
        let mut table = format!("{:<32}", "");
        for stage in Stage::ALL {
            let _ = write!(table, "{:>11}", format!("{stage:?}").to_lowercase());
        }
        for kind in KINDS.iter().chain(&STAFF) {
            let _ = write!(table, "\n{kind:<32}");
            for stage in Stage::ALL {
                let _ = write!(table, "{:>11}", self.count(kind, stage));
            }
        }
        table
    }
}
