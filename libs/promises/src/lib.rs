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

use cafe_events::OrderId;

pub use announced::{logs_have_no_gaps, state_matches_events, versions_run};
pub use evidence::{Case, Evidence, Kind};
pub use facts::{
    AttemptFact, ChargeFact, CustomerFact, EventFact, GivenBackFact, HeardFact, HeldFact, LineFact,
    LineState, LinkFact, LogFact, NumberFact, OrderFact, OrderStatus, ParkedFact, PaymentFact, PaymentStatus,
    RefundFact, TicketFact, TicketStatus, Versions,
};
pub use heard::{every_event_is_heard, nothing_else_is_heard, takes_effect_once, what_is_held_has_a_reason};
pub use making::{cancels_are_honoured, nothing_is_made_unpaid, paid_orders_have_one_ticket};
pub use money::{
    charged_at_most_once, late_charges_go_back, money_adds_up, nothing_is_asked_late,
    vendor_agrees_with_payment,
};
pub use runs::Runs;
pub use shown::{Wait, every_order_ends_or_waits, services_agree, view_is_a_join, waits_for};
pub use told::{acknowledged_orders_exist, numbers_rise, same_key_same_order};

/// A promise of the design, as far as it can be seen in facts.
#[derive(Clone, Copy)]
pub struct Promise {
    /// Its number in the design's list; 0 for what the contract says elsewhere.
    pub number: u8,
    /// In one sentence.
    pub says: &'static str,
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
    Promise { number: 1, says: "an order that was acknowledged exists", judge: acknowledged_orders_exist },
    Promise { number: 1, says: "what is said is heard, or visibly waits", judge: every_event_is_heard },
    Promise { number: 3, says: "an event takes effect once", judge: takes_effect_once },
    Promise { number: 3, says: "a paid order has exactly one ticket", judge: paid_orders_have_one_ticket },
    Promise { number: 4, says: "versions run 1..n, in the order of the log", judge: versions_run },
    Promise { number: 4, says: "a log has no gaps", judge: logs_have_no_gaps },
    Promise { number: 4, says: "state version n means events 1..n", judge: state_matches_events },
    Promise { number: 4, says: "what was heard is what was said", judge: nothing_else_is_heard },
    Promise { number: 4, says: "what a customer sees is a join of what was said", judge: view_is_a_join },
    Promise { number: 4, says: "the services mean the same order", judge: services_agree },
    Promise { number: 5, says: "a customer is charged at most once per order", judge: charged_at_most_once },
    Promise { number: 5, says: "charges - refunds = lines made - goodwill", judge: money_adds_up },
    Promise { number: 5, says: "nothing is made unpaid", judge: nothing_is_made_unpaid },
    Promise { number: 6, says: "payment's books are the vendor's", judge: vendor_agrees_with_payment },
    Promise { number: 7, says: "the vendor is never asked late", judge: nothing_is_asked_late },
    Promise { number: 8, says: "a cancel is honoured until making starts", judge: cancels_are_honoured },
    Promise { number: 9, says: "every order ends, or visibly waits", judge: every_order_ends_or_waits },
    Promise { number: 10, says: "what is held waits for something", judge: what_is_held_has_a_reason },
    Promise { number: 12, says: "the same key is the same order", judge: same_key_same_order },
    Promise { number: 13, says: "a charge after `expired` goes back", judge: late_charges_go_back },
    Promise { number: 0, says: "numbers rise, without repeats within store and day", judge: numbers_rise },
];

/// Promises that facts at rest cannot show, by number, and why.
pub const UNSEEN: &[(u8, &str)] = &[
    (2, "that the others go on while one is down shows only while one is down"),
    (11, "that hearing everything again changes nothing shows only by hearing everything again"),
    (14, "limits show only when they are reached"),
];

impl Seen {
    /// Adds what another page of the same evidence showed.
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
            (reason @ Self::NotChecked(_), _) | (_, reason @ Self::NotChecked(_)) => reason,
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

/// Why facts of these kinds cannot be judged; nothing if all were looked at.
fn not_seen(evidence: &Evidence, needs: &[Kind]) -> Option<String> {
    let unseen = needs.iter().filter_map(|kind| Some((kind, evidence.unseen.get(kind)?)));
    let reasons: Vec<String> = unseen.map(|(kind, reason)| format!("{kind}: {reason}")).collect();
    if reasons.is_empty() { None } else { Some(reasons.join("; ")) }
}
