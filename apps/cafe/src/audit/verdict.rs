//! What an audit found, for an owner or for a program.

use std::collections::BTreeMap;
use std::fmt::Write;

use cafe_promises::{Broken, PROMISES, ParkedFact, Seen, UNSEEN};
use serde_json::{Value, json};

/// So many findings are shown per promise; JSON has them all.
const SHOWN: usize = 10;

/// What was found in one place.
#[derive(Debug)]
pub(crate) struct Verdict {
    place: String,
    pub(super) looked: Looked,
    /// One per promise, once anything was looked at.
    seen: Vec<Option<Seen>>,
    /// What would be broken, had the order not moved each time it was looked at.
    pub(super) in_motion: Vec<Broken>,
    /// How many orders wait for what.
    pub(super) waiting: BTreeMap<String, u64>,
    /// Set-aside events that name no order.
    pub(super) parked: Vec<ParkedFact>,
}

/// How much there was to look at.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Looked {
    pub(super) orders: u64,
    pub(super) payments: u64,
    pub(super) tickets: u64,
    pub(super) events: u64,
    pub(super) charges: u64,
    pub(super) refunds: u64,
}

impl Verdict {
    pub(super) fn new(place: String) -> Self {
        Self {
            place,
            looked: Looked::default(),
            seen: vec![None; PROMISES.len()],
            in_motion: Vec::new(),
            waiting: BTreeMap::new(),
            parked: Vec::new(),
        }
    }

    /// Adds what was seen of the promise at this place of the list.
    pub(super) fn add(&mut self, place: usize, seen: Seen) {
        let before = self.seen[place].take();
        self.seen[place] = Some(match before {
            Some(before) => before.and(seen),
            None => seen,
        });
    }

    /// Whether no promise was found broken.
    pub(crate) fn is_kept(&self) -> bool {
        self.seen.iter().flatten().all(|seen| seen.broken().is_empty())
    }

    /// For an owner.
    pub(crate) fn text(&self) -> String {
        let Looked { orders, payments, tickets, events, charges, refunds } = self.looked;
        let mut text = format!(
            "{}: {orders} orders, {payments} payments, {tickets} tickets, {events} events, {charges} charges, {refunds} refunds\n",
            self.place
        );
        let mut not_checked: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (promise, seen) in PROMISES.iter().zip(&self.seen) {
            let says = format!("{:>2}  {}", number(promise.number), promise.says);
            let _ = match seen {
                Some(Seen::Checked { looked_at, broken }) if broken.is_empty() => {
                    writeln!(text, "  kept        {says} ({looked_at})")
                }
                Some(Seen::Checked { looked_at, broken }) => {
                    writeln!(text, "  BROKEN      {says} ({} of {looked_at})", broken.len())
                        .and_then(|()| write!(text, "{}", listed(broken)))
                }
                Some(Seen::NotChecked(reason)) => {
                    not_checked.entry(reason).or_default().push(says);
                    Ok(())
                }
                None => {
                    not_checked.entry("there is nothing to look at").or_default().push(says);
                    Ok(())
                }
            };
        }
        for (number, says, why) in UNSEEN {
            not_checked.entry(why).or_default().push(format!("{number:>2}  {says}"));
        }
        for (reason, promises) in not_checked {
            let _ = writeln!(text, "  not checked: {reason}");
            for says in promises {
                let _ = writeln!(text, "              {says}");
            }
        }
        for (what, orders) in &self.waiting {
            let _ = writeln!(text, "  waiting     {orders} for {what}");
        }
        for parked in &self.parked {
            let _ = writeln!(
                text,
                "  set aside   by {}, from {}: {}",
                parked.listener, parked.source, parked.reason
            );
        }
        if !self.in_motion.is_empty() {
            let _ = write!(text, "  in motion   each time they were looked at:\n{}", listed(&self.in_motion));
        }
        text.truncate(text.trim_end().len());
        text
    }

    /// For a program.
    pub(crate) fn json(&self) -> Value {
        let Looked { orders, payments, tickets, events, charges, refunds } = self.looked;
        let promises = PROMISES.iter().zip(&self.seen).map(|(promise, seen)| match seen {
            Some(Seen::Checked { looked_at, broken }) => json!({
                "promise": promise.number,
                "says": promise.says,
                "looked_at": looked_at,
                "broken": broken.iter().map(finding).collect::<Vec<_>>(),
            }),
            Some(Seen::NotChecked(reason)) => not_checked(promise.number, promise.says, reason),
            None => not_checked(promise.number, promise.says, "there is nothing to look at"),
        });
        let unseen = UNSEEN.iter().map(|(number, says, why)| not_checked(*number, says, why));
        json!({
            "place": self.place,
            "ok": self.is_kept(),
            "looked_at": {
                "orders": orders, "payments": payments, "tickets": tickets,
                "events": events, "charges": charges, "refunds": refunds,
            },
            "promises": promises.chain(unseen).collect::<Vec<_>>(),
            "waiting": self.waiting,
            "in_motion": self.in_motion.iter().map(finding).collect::<Vec<_>>(),
            "set_aside": self.parked.len(),
        })
    }
}

fn not_checked(number: u8, says: &str, why: &str) -> Value {
    json!({ "promise": number, "says": says, "not_checked": why })
}

fn finding(broken: &Broken) -> Value {
    json!({ "order_id": broken.order_id, "number": broken.number, "what": broken.what })
}

fn listed(findings: &[Broken]) -> String {
    let mut text = String::new();
    for Broken { order_id, number, what } in findings.iter().take(SHOWN) {
        let number = number.as_deref().unwrap_or("????");
        let _ = match order_id {
            Some(order_id) => writeln!(text, "                  {number} ({order_id}) {what}"),
            None => writeln!(text, "                  {what}"),
        };
    }
    if findings.len() > SHOWN {
        let _ = writeln!(text, "                  … and {} more; --json shows all", findings.len() - SHOWN);
    }
    text
}

/// What the contract says beside the list of promises has no number.
fn number(promise: u8) -> String {
    if promise == 0 { "-".to_owned() } else { promise.to_string() }
}
