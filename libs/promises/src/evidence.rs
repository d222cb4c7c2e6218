//! Everything that is known, collected per order.

use std::collections::BTreeMap;

use cafe_events::{Event, OrderId, Source};
use jiff::Timestamp;

use crate::facts::{
    ChargeFact, CustomerFact, EventFact, HeardFact, HeldFact, LinkFact, LogFact, NumberFact, OrderFact,
    ParkedFact, PaymentFact, RefundFact, TicketFact,
};

/// What is judged. It may hold all orders or a page of them; what lies across orders (numbers, logs) is beside them.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// Everything known about each order.
    pub cases: BTreeMap<OrderId, Case>,
    /// The speakers' logs.
    pub logs: BTreeMap<Source, LogFact>,
    /// Up to where each listener (first) has heard each source (second).
    pub links: BTreeMap<(Source, Source), LinkFact>,
    /// Numbers that were called out.
    pub numbers: Vec<NumberFact>,
    /// What was not looked at, and why. Everything else was: a row that is not here does not exist.
    pub unseen: BTreeMap<Kind, String>,
    /// Whether faults are over and time enough has passed for every order to be at its end; where it was looked at what
    /// customers were told, for every order of theirs.
    pub settled: bool,
}

/// Everything known about one order. Two readings of an order at rest are equal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Case {
    /// In order's database.
    pub order: Option<OrderFact>,
    /// In payment's database.
    pub payment: Option<PaymentFact>,
    /// In barista's database.
    pub ticket: Option<TicketFact>,
    /// Said by all three, in the order of each one's log.
    pub events: Vec<EventFact>,
    /// Heard by all three.
    pub heard: Vec<HeardFact>,
    /// Held until earlier events are there.
    pub held: Vec<HeldFact>,
    /// Set aside.
    pub parked: Vec<ParkedFact>,
    /// Charged, by the vendor's own record.
    pub charges: Vec<ChargeFact>,
    /// Given back, by the vendor's own record.
    pub refunds: Vec<RefundFact>,
    /// What customers were told.
    pub customers: Vec<CustomerFact>,
}

/// A kind of facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Order's view of each order.
    Orders,
    /// Payment's state of each order.
    Payments,
    /// Barista's state of each order.
    Tickets,
    /// The outbox of a service.
    Said(Source),
    /// What a service has heard, holds and has set aside, and its positions.
    Heard(Source),
    /// The vendor's own record.
    Vendor,
    /// What customers were told.
    Customers,
}

impl Kind {
    /// Every kind there is.
    pub const ALL: [Self; 11] = [
        Self::Orders,
        Self::Payments,
        Self::Tickets,
        Self::Said(Source::Order),
        Self::Said(Source::Payment),
        Self::Said(Source::Barista),
        Self::Heard(Source::Order),
        Self::Heard(Source::Payment),
        Self::Heard(Source::Barista),
        Self::Vendor,
        Self::Customers,
    ];
}

impl Evidence {
    /// Whether facts of this kind were looked at.
    pub fn saw(&self, kind: Kind) -> bool {
        !self.unseen.contains_key(&kind)
    }

    /// Everything known about an order, to be added to.
    pub fn case(&mut self, order_id: OrderId) -> &mut Case {
        self.cases.entry(order_id).or_default()
    }

    /// Notes the numbers of the orders that are here.
    pub fn note_numbers(&mut self) {
        self.numbers.extend(self.cases.iter().filter_map(|(&order_id, case)| {
            let order = case.order.as_ref()?;
            Some(NumberFact {
                store: order.store.clone(),
                day: order.day.clone(),
                position: case
                    .said_by(Source::Order)
                    .find(|event| event.version == 1)
                    .map(|event| event.position),
                number: order.number.parse().ok()?,
                order_id,
            })
        }));
    }

    /// Whether the listener's position lies at or after the event: it must have been taken in, one way or another.
    pub(crate) fn has_passed(&self, listener: Source, order_id: OrderId, event: &EventFact) -> bool {
        let link = self.links.get(&(listener, event.source));
        match (link.and_then(|link| link.part_of(order_id)), self.logs.get(&event.source)) {
            (Some(part), Some(log)) => part.log_id == log.log_id && part.position >= event.position,
            _ => false,
        }
    }

    /// Whether the order may have been lost, or some of its events, when the source was restored from an older copy. An
    /// order's id says when it was placed.
    pub(crate) fn may_be_lost(&self, source: Source, order_id: OrderId) -> bool {
        let restored_at = self.logs.get(&source).and_then(|log| log.restored_at);
        restored_at.is_some_and(|restored_at| placed_at(order_id) <= restored_at)
    }

    /// Whether an event was decided after its source was restored, about an order from before.
    pub(crate) fn is_said_again(&self, order_id: OrderId, event: &EventFact) -> bool {
        let restored_at = self.logs.get(&event.source).and_then(|log| log.restored_at);
        restored_at.is_some_and(|restored_at| placed_at(order_id) <= restored_at && event.at >= restored_at)
    }

    /// Whether the oldest events of the source may have been pruned.
    pub(crate) fn is_pruned(&self, source: Source) -> bool {
        self.logs.get(&source).is_some_and(|log| log.oldest > 1)
    }

    /// Whether the first events that the source said about an order may have been pruned.
    pub(crate) fn may_lack_events(&self, source: Source, case: &Case) -> bool {
        self.is_pruned(source) && case.said_by(source).all(|event| event.version != 1)
    }

    /// Whether time enough has passed for an order to be at its end.
    pub(crate) fn is_settled(&self, case: &Case) -> bool {
        self.settled && (!self.saw(Kind::Customers) || !case.customers.is_empty())
    }

    /// Whether everything that was said about an order has been taken in by whoever listens.
    pub(crate) fn all_is_heard(&self, case: &Case) -> bool {
        if !Source::ALL
            .into_iter()
            .all(|source| self.saw(Kind::Said(source)) && self.saw(Kind::Heard(source)))
        {
            return self.is_settled(case);
        }
        case.events.iter().all(|event| {
            event.source.heard_by().all(|listener| case.next_version(listener, event.source) > event.version)
        })
    }
}

impl Case {
    /// What a source said, in the order of its log.
    pub fn said_by(&self, source: Source) -> impl Iterator<Item = &EventFact> {
        self.events.iter().filter(move |event| event.source == source)
    }

    /// The version of the last event a source said; 0 for none.
    pub fn last_version(&self, source: Source) -> u32 {
        self.said_by(source).map(|event| event.version).max().unwrap_or_default()
    }

    /// The version that a listener waits for next.
    pub fn next_version(&self, listener: Source, source: Source) -> u32 {
        let mut heard =
            self.heard.iter().filter(|heard| (heard.listener, heard.source) == (listener, source));
        heard.next().map_or(1, |heard| heard.next_version)
    }

    /// Whether a listener has taken in this event, and not another under its version that was said before a restore.
    pub(crate) fn has_heard(&self, listener: Source, event: &EventFact) -> bool {
        let heard =
            self.heard.iter().find(|heard| (heard.listener, heard.source) == (listener, event.source));
        let index = event.version.saturating_sub(1) as usize;
        heard.is_some_and(|heard| heard.hashes.get(index) == Some(&event.hash))
    }

    /// The first event that `matches`, with what was said.
    pub(crate) fn first<'a, T: 'a>(
        &'a self,
        matches: impl Fn(&'a Event) -> Option<T>,
    ) -> Option<(&'a EventFact, T)> {
        self.events.iter().find_map(|fact| Some((fact, matches(fact.said.as_ref().ok()?.as_ref()?)?)))
    }

    /// How many events are of the kind that `matches`.
    pub(crate) fn count(&self, matches: impl Fn(&Event) -> bool) -> usize {
        let known = self.events.iter().filter_map(|fact| fact.said.as_ref().ok()?.as_ref());
        known.filter(|event| matches(event)).count()
    }

    /// What the vendor keeps of one charge, in minor units.
    pub(crate) fn kept_of(&self, charge: &ChargeFact) -> i64 {
        charge.amount
            - self
                .refunds
                .iter()
                .filter(|refund| refund.charge_id == charge.id)
                .map(|refund| refund.amount)
                .sum::<i64>()
    }

    /// What the vendor keeps of the order's charges, in minor units.
    pub(crate) fn kept(&self) -> i64 {
        self.charges.iter().map(|charge| charge.amount).sum::<i64>()
            - self.refunds.iter().map(|refund| refund.amount).sum::<i64>()
    }

    /// What is called out for the order, as far as it is known.
    pub fn number(&self) -> Option<&str> {
        let told = self.customers.first().map(|customer| customer.number.as_str());
        self.order.as_ref().map(|order| order.number.as_str()).or(told).filter(|number| !number.is_empty())
    }
}

/// When an order was placed: the first 48 bits of a version 7 UUID are milliseconds since the Unix epoch (RFC 9562).
fn placed_at(order_id: OrderId) -> Timestamp {
    Timestamp::from_millisecond((order_id.as_u128() >> 80) as i64).unwrap_or_default()
}
