//! Where facts come from: two ways to see the same cafe.

use std::collections::BTreeMap;

use cafe_events::{OrderId, Source};
use cafe_promises::{Case, Evidence, Kind, LinkFact, LogFact, ParkedFact};

use super::answers::Answers;
use super::folder::Folder;

/// Orders per page.
pub(super) const PAGE: usize = 200;

/// A cafe that is looked at.
pub(super) enum Cafe {
    /// In its databases.
    Folder(Folder),
    /// In its services' answers.
    Answers(Answers),
}

/// Orders after one (not included) up to another (included); open where there is none.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Range {
    pub(super) after: Option<OrderId>,
    pub(super) through: Option<OrderId>,
}

/// What lies across orders.
#[derive(Clone, Debug, Default)]
pub(super) struct Heads {
    pub(super) logs: BTreeMap<Source, LogFact>,
    pub(super) links: BTreeMap<(Source, Source), LinkFact>,
    pub(super) unseen: BTreeMap<Kind, String>,
    /// Set-aside events that name no order.
    pub(super) parked: Vec<ParkedFact>,
}

/// Everything known about the orders of a range.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) heads: Heads,
    pub(super) cases: BTreeMap<OrderId, Case>,
    /// The last order of the page; none if there are no further ones.
    pub(super) through: Option<OrderId>,
}

impl Cafe {
    /// How it is called in a verdict.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Folder(folder) => folder.name(),
            Self::Answers(answers) => answers.name(),
        }
    }

    /// Reads a page that begins after an order. With an end it holds all orders up to it, otherwise about [`PAGE`] of them.
    pub(super) async fn page(&mut self, range: Range) -> anyhow::Result<Page> {
        match self {
            Self::Folder(folder) => tokio::task::block_in_place(|| folder.page(range)),
            Self::Answers(answers) => answers.page(range).await,
        }
    }

    /// Reads the logs' positions, from the first to the last.
    pub(super) fn logs(&mut self) -> anyhow::Result<Heads> {
        match self {
            Self::Folder(folder) => tokio::task::block_in_place(|| folder.logs()),
            Self::Answers(answers) => Ok(answers.heads()),
        }
    }
}

impl Page {
    /// What is known about an order, to be added to.
    pub(super) fn case(&mut self, order_id: OrderId) -> &mut Case {
        self.cases.entry(order_id).or_default()
    }
}

impl Range {
    /// Whether an order is in it.
    pub(super) fn holds(&self, order_id: OrderId) -> bool {
        self.after.is_none_or(|after| order_id > after)
            && self.through.is_none_or(|through| order_id <= through)
    }
}

impl Heads {
    /// Evidence on these orders.
    pub(super) fn evidence(self, cases: BTreeMap<OrderId, Case>, settled: bool) -> Evidence {
        let Self { logs, links, unseen, parked: _ } = self;
        Evidence { cases, logs, links, numbers: Vec::new(), unseen, settled }
    }
}
