//! What the cafe has promised, held against what is on its disks, on the vendor's record and in its customers' hands.

use cafe_events::{OrderId, Said, Source};
use cafe_promises::{
    ChargeFact, CustomerFact, EventFact, Evidence, HeardFact, HeldFact, Kind, LinkFact, LogFact, PROMISES,
    ParkedFact, PartFact, RefundFact, Seen,
};

use crate::disk::Contents;
use crate::shelf::Shelved;
use crate::vendor;
use crate::world::{World, with};

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Broken {
    /// Its number among the design's promises; 0 for what the contract says elsewhere.
    pub number: u8,
    /// What was promised.
    pub promise: String,
    /// What was found.
    pub found: String,
}

/// Judges a world in which everything has come to an end.
pub fn judge(world: &mut World) -> Vec<Broken> {
    let mut evidence = gather(world);
    let mut broken = Vec::new();
    // First without what customers were told: every order must end, also one of which its customer was never told.
    evidence.unseen.insert(Kind::Customers, "judged apart".to_owned());
    let mut apart = Vec::new();
    for promise in PROMISES {
        match (promise.judge)(&evidence) {
            Seen::Checked { broken: found, .. } => {
                broken.extend(found.into_iter().map(|it| of(promise, &it)));
            }
            Seen::NotChecked(_) => apart.push(promise),
        }
    }
    evidence.unseen.clear();
    for promise in apart {
        broken.extend((promise.judge)(&evidence).broken().iter().map(|it| of(promise, it)));
    }
    broken.extend(world.broken.iter().map(|what| Broken {
        number: 12,
        promise: "a customer is told one thing".to_owned(),
        found: what.clone(),
    }));
    broken.extend(refused_and_taken(world));
    broken.sort_unstable();
    broken
}

fn of(promise: &cafe_promises::Promise, found: &cafe_promises::Broken) -> Broken {
    let about = found.order_id.map(|order_id| format!("order {order_id}: ")).unwrap_or_default();
    Broken {
        number: promise.number,
        promise: promise.says.to_owned(),
        found: format!("{about}{}", found.what),
    }
}

/// Whoever was told that nothing was done has no order.
fn refused_and_taken(world: &World) -> Vec<Broken> {
    let platters = world.order.disk.platters();
    let refused = world.customers.iter().flat_map(|customer| &customer.refused);
    let taken = refused.filter(|order_id| platters.now.shelf.orders.get(order_id).is_some());
    taken
        .map(|order_id| Broken {
            number: 14,
            promise: "what is refused is not done".to_owned(),
            found: format!("order {order_id} was refused, and was taken"),
        })
        .collect()
}

/// Everything that is known.
pub fn gather(world: &mut World) -> Evidence {
    let mut evidence = Evidence { settled: true, ..Evidence::default() };
    for source in Source::ALL {
        with!(world, source, service => gather_common(source, &service.disk.platters().now, &mut evidence));
    }
    for (order_id, order) in world.order.disk.platters().now.shelf.orders.iter() {
        evidence.case(*order_id).order = Some(cafe_order::fact(*order_id, order));
    }
    for (order_id, payment) in world.payment.disk.platters().now.shelf.payments.iter() {
        evidence.case(*order_id).payment = Some(cafe_payment::fact(*order_id, payment));
    }
    for (order_id, ticket) in world.barista.disk.platters().now.shelf.tickets.iter() {
        evidence.case(*order_id).ticket = Some(cafe_barista::fact(*order_id, ticket));
    }
    for (key, charge) in &world.vendor.charges {
        if charge.declined.is_none() && charge.from <= world.steady {
            let at = cafe_clock::from_ms(charge.at_ms);
            let fact = ChargeFact { id: vendor::charge_id(key), amount: charge.amount, at };
            evidence.case(charge.order_id).charges.push(fact);
        }
    }
    for (key, refund) in &world.vendor.refunds {
        if let Some(order_id) = key.split('/').next().and_then(|id| OrderId::try_parse(id).ok()) {
            let fact = RefundFact { charge_id: refund.charge_id.clone(), amount: refund.amount };
            evidence.case(order_id).refunds.push(fact);
        }
    }
    for (number, customer) in world.customers.iter().enumerate() {
        let Some(told) = &customer.told else { continue };
        evidence.case(told.order_id).customers.push(CustomerFact {
            key: customer.key.clone().unwrap_or_else(|| format!("customer {number}")),
            number: told.number.clone(),
            total: told.total,
            cancelled: customer.cancelled,
        });
    }
    evidence.note_numbers();
    evidence
}

fn gather_common<D: Shelved>(own: Source, contents: &Contents<D>, evidence: &mut Evidence) {
    let head = contents.head();
    evidence.logs.insert(
        own,
        LogFact {
            log_id: head.log_id.clone(),
            oldest: head.oldest,
            last: head.last,
            restored_at: head.restored_at_ms.map(cafe_clock::from_ms),
            positions: contents.outbox.iter().map(|(position, _)| *position).collect(),
        },
    );
    for ((source, _), (position, _)) in contents.positions.iter().filter(|((source, _), _)| *source != own) {
        let part = PartFact { log_id: position.log_id.to_string(), position: position.position };
        let link = evidence.links.entry((own, *source)).or_insert_with(|| LinkFact { parts: Vec::new() });
        link.parts.push(part);
    }
    for (_, arrived) in contents.outbox.iter() {
        let Ok(heard) = &arrived.read else { continue };
        evidence.case(heard.order_id).events.push(EventFact {
            source: own,
            position: arrived.record.position,
            version: heard.version,
            hash: heard.hash,
            at: heard.at,
            said: Ok(match &heard.said {
                Said::Known(event) => Some(event.clone()),
                Said::Unknown => None,
            }),
        });
    }
    for ((order_id, source), row) in contents.heard.iter() {
        evidence.case(*order_id).heard.push(HeardFact {
            listener: own,
            source: *source,
            next_version: row.next_version,
            hashes: HeardFact::read_hashes(&row.hashes),
        });
    }
    for ((order_id, source, version), _) in contents.held.iter() {
        let fact = HeldFact { listener: own, source: *source, version: *version };
        evidence.case(*order_id).held.push(fact);
    }
    for (_, parked) in contents.parked.iter() {
        let Some(order_id) = parked.order_id.as_deref().and_then(|id| OrderId::try_parse(id).ok()) else {
            continue;
        };
        evidence.case(order_id).parked.push(ParkedFact {
            listener: own,
            source: parked.source,
            version: parked.version.and_then(|version| u32::try_from(version).ok()),
            reason: parked.reason.clone(),
        });
    }
}
