//! What must hold, one function each.
//!
//! Pure: facts in, findings out. The audit, the rush and the simulator collect an [`Evidence`] each in their own way and
//! ask the same functions. What could not be looked at is answered as [`Seen::NotChecked`] with the reason, never as kept.
//! An order's [`Case`] is only judged fairly if it was at rest while it was read; whoever reads beside working services
//! reads a case with findings again, and believes them once two readings are equal.

mod announced;
mod evidence;
mod facts;
mod heard;
mod making;
mod money;
mod runs;
mod shown;
mod told;

use std::collections::BTreeSet;

use cafe_events::OrderId;

pub use announced::{logs_have_no_gaps, state_matches_events, versions_run};
pub use evidence::{Case, Evidence, Kind};
pub use facts::{
    AttemptFact, ChargeFact, CustomerFact, EventFact, GivenBackFact, HeardFact, HeldFact, LineFact,
    LineState, LinkFact, LogFact, NumberFact, OrderFact, OrderStatus, ParkedFact, PartFact, PaymentFact,
    PaymentStatus, RefundFact, TicketFact, TicketStatus, Versions,
};
pub use heard::{every_event_is_heard, nothing_else_is_heard, takes_effect_once, what_is_held_has_a_reason};
pub use making::{cancels_are_honoured, nothing_is_made_unpaid, paid_orders_have_one_ticket};
pub use money::{
    charged_at_most_once, late_charges_go_back, money_adds_up, nothing_is_asked_late,
    vendor_agrees_with_payment,
};
pub use runs::Runs;
pub use shown::{Wait, every_order_ends_or_waits, services_agree, view_is_a_join, waits_for};
pub use told::{
    acknowledged_cancels_are_passed_on, acknowledged_orders_exist, numbers_rise, same_key_same_order,
};

/// A promise of the design, as far as it can be seen in facts.
#[derive(Clone, Copy)]
pub struct Promise {
    /// Its number in the design's list; 0 for what the contract says elsewhere.
    pub number: u8,
    /// In one sentence.
    pub says: &'static str,
    /// Whether it looks across orders. Then it is judged once, on all that is known, and not on a page of orders.
    pub across: bool,
    /// Whether it is kept.
    pub judge: fn(&Evidence) -> Seen,
}

/// What a look at the evidence showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It was looked at.
    Checked {
        /// How many orders (or logs, or numbers) there were to look at.
        looked_at: u64,
        /// Where the promise is broken.
        broken: Vec<Broken>,
    },
    /// It could not be looked at, for this reason.
    NotChecked(String),
}

/// A broken promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The order it was broken to, if it is about one.
    pub order_id: Option<OrderId>,
    /// The number that was called out for the order, where it is known.
    pub number: Option<String>,
    /// What is wrong, for the owner of the cafe.
    pub what: String,
}

/// Every promise that can be seen in facts.
pub const PROMISES: &[Promise] = &[
    each(1, "an order that was acknowledged exists", acknowledged_orders_exist),
    each(1, "a cancel that was acknowledged is passed on", acknowledged_cancels_are_passed_on),
    each(1, "what is said is heard, or visibly waits", every_event_is_heard),
    each(3, "an event takes effect once", takes_effect_once),
    each(3, "a paid order has exactly one ticket", paid_orders_have_one_ticket),
    each(4, "versions run 1..n, in the order of the log", versions_run),
    across(4, "a log has no gaps", logs_have_no_gaps),
    each(4, "state version n means events 1..n", state_matches_events),
    each(4, "what was heard is what was said", nothing_else_is_heard),
    each(4, "what a customer sees is a join of what was said", view_is_a_join),
    each(4, "the services mean the same order", services_agree),
    each(5, "a customer is charged at most once per order", charged_at_most_once),
    each(5, "charges - refunds = lines made - goodwill", money_adds_up),
    each(5, "nothing is made unpaid", nothing_is_made_unpaid),
    each(6, "payment's books are the vendor's", vendor_agrees_with_payment),
    each(7, "the vendor is never asked late", nothing_is_asked_late),
    each(8, "a cancel is honoured until making starts", cancels_are_honoured),
    each(9, "every order ends, or visibly waits", every_order_ends_or_waits),
    each(10, "what is held waits for something", what_is_held_has_a_reason),
    across(12, "the same key is the same order", same_key_same_order),
    each(13, "a charge after `expired` goes back", late_charges_go_back),
    across(0, "numbers rise, without repeats within store and day", numbers_rise),
];

const fn each(number: u8, says: &'static str, judge: fn(&Evidence) -> Seen) -> Promise {
    Promise { number, says, across: false, judge }
}

const fn across(number: u8, says: &'static str, judge: fn(&Evidence) -> Seen) -> Promise {
    Promise { number, says, across: true, judge }
}

/// Promises that facts at rest cannot show: number, what it says, why not.
pub const UNSEEN: &[(u8, &str, &str)] = &[
    (2, "the others go on while one is down", "it shows only while one is down"),
    (11, "hearing everything again changes nothing", "it shows only by hearing everything again"),
    (14, "everything has a limit", "limits show only when they are reached"),
];

impl Seen {
    /// Adds what another page of the same evidence showed. What is broken stays so, whatever else could not be looked at.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (
                Self::Checked { looked_at: a, broken: mut first },
                Self::Checked { looked_at: b, broken: second },
            ) => {
                first.extend(second);
                Self::Checked { looked_at: a + b, broken: first }
            }
            (seen, Self::NotChecked(_)) | (Self::NotChecked(_), seen) if !seen.broken().is_empty() => seen,
            (reason @ Self::NotChecked(_), _) | (_, reason) => reason,
        }
    }

    /// Where the promise is broken; empty when it was not looked at.
    pub fn broken(&self) -> &[Broken] {
        match self {
            Self::Checked { broken, .. } => broken,
            Self::NotChecked(_) => &[],
        }
    }

    /// Judges every case by itself. `judge` answers whether there was anything to look at, and adds what is wrong.
    fn by_case(
        evidence: &Evidence,
        needs: &[Kind],
        judge: impl Fn(OrderId, &Case, &mut Vec<String>) -> bool,
    ) -> Self {
        if let Some(reason) = not_seen(evidence, needs) {
            return Self::NotChecked(reason);
        }
        let (mut looked_at, mut broken) = (0, Vec::new());
        for (&order_id, case) in &evidence.cases {
            let mut wrong = Vec::new();
            looked_at += u64::from(judge(order_id, case, &mut wrong));
            broken.extend(wrong.into_iter().map(|what| Broken {
                order_id: Some(order_id),
                number: case.number().map(str::to_owned),
                what,
            }));
        }
        Self::Checked { looked_at, broken }
    }
}

/// Why facts of these kinds cannot be judged, each reason once; nothing if all were looked at.
fn not_seen(evidence: &Evidence, needs: &[Kind]) -> Option<String> {
    let reasons: BTreeSet<&str> =
        needs.iter().filter_map(|kind| Some(evidence.unseen.get(kind)?.as_str())).collect();
    if reasons.is_empty() { None } else { Some(reasons.into_iter().collect::<Vec<_>>().join("; ")) }
}
