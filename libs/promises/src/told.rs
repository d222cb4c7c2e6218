//! What customers were told: that their order was taken, and the number that will be called out.

use std::collections::BTreeMap;

use cafe_events::{Event, OrderEvent, OrderId, Source};

use crate::{Broken, Evidence, Kind, NumberFact, OrderStatus, Seen, not_seen};

/// An order that a customer was told of exists, as they were told. One that was lost when order was restored from an older
/// copy may be a fragment.
pub fn acknowledged_orders_exist(evidence: &Evidence) -> Seen {
    Seen::by_case(evidence, &[Kind::Customers, Kind::Orders], |order_id, case, wrong| {
        let may_be_lost = evidence.may_be_lost(Source::Order, order_id);
        for customer in &case.customers {
            match &case.order {
                None if may_be_lost => {}
                None => {
                    wrong.push(format!("was acknowledged as number {}, and does not exist", customer.number));
                }
                Some(order) if order.number.is_empty() && may_be_lost => {}
                Some(order) if order.number != customer.number => {
                    wrong.push(format!(
                        "was acknowledged as number {}, and is {}",
                        customer.number, order.number
                    ));
                }
                Some(order) if order.total != customer.total => {
                    wrong.push(format!("was acknowledged for {}, and costs {}", customer.total, order.total));
                }
                Some(_) => {}
            }
        }
        !case.customers.is_empty()
    })
}

/// A wish to cancel that was acknowledged stands in order's log, for payment to hear; unless the order was cancelled already.
pub fn acknowledged_cancels_are_passed_on(evidence: &Evidence) -> Seen {
    let needs = [Kind::Customers, Kind::Said(Source::Order)];
    Seen::by_case(evidence, &needs, |order_id, case, wrong| {
        let acknowledged = case.customers.iter().any(|customer| customer.cancelled);
        let is_said = case.count(|event| matches!(event, Event::Order(OrderEvent::CancelRequested(_)))) > 0;
        let is_cancelled = case.order.as_ref().is_some_and(|order| order.status == OrderStatus::Cancelled);
        // A restored barista may have forgotten that it had cancelled, which was why nothing was announced.
        let may_be_lost =
            [Source::Order, Source::Barista].iter().any(|it| evidence.may_be_lost(*it, order_id))
                || evidence.may_lack_events(Source::Order, case);
        if acknowledged && !is_said && !is_cancelled && !may_be_lost {
            wrong.push("its customer's cancel was acknowledged and never announced".to_owned());
        }
        acknowledged
    })
}

/// The same Idempotency-Key is the same order, and another key another order.
pub fn same_key_same_order(evidence: &Evidence) -> Seen {
    if let Some(reason) = not_seen(evidence, &[Kind::Customers]) {
        return Seen::NotChecked(reason);
    }
    let told = evidence
        .cases
        .iter()
        .flat_map(|(id, case)| case.customers.iter().map(move |customer| (*id, customer)));
    let mut order_of_key: BTreeMap<&str, OrderId> = BTreeMap::new();
    let mut key_of_order: BTreeMap<OrderId, &str> = BTreeMap::new();
    let mut broken = Vec::new();
    let mut looked_at = 0;
    for (order_id, customer) in told {
        looked_at += 1;
        let first_order = *order_of_key.entry(&customer.key).or_insert(order_id);
        let first_key = *key_of_order.entry(order_id).or_insert(&customer.key);
        let what = if first_order != order_id {
            format!("the same request, sent twice, became this order and order {first_order}")
        } else if first_key != customer.key {
            format!("two customers were told that this is theirs ({first_key} and {})", customer.key)
        } else {
            continue;
        };
        broken.push(Broken { order_id: Some(order_id), number: Some(customer.number.clone()), what });
    }
    Seen::Checked { looked_at, broken }
}

/// Within a store and business day numbers are given once, and rise in the order in which orders were committed.
pub fn numbers_rise(evidence: &Evidence) -> Seen {
    if let Some(reason) = not_seen(evidence, &[Kind::Orders]) {
        return Seen::NotChecked(reason);
    }
    let mut numbers: Vec<&NumberFact> = evidence.numbers.iter().collect();
    let mut broken = Vec::new();
    numbers.sort_unstable_by_key(|fact| (&fact.store, &fact.day, fact.number));
    for pair in
        numbers.windows(2).filter(|pair| same_row(pair[0], pair[1]) && pair[0].number == pair[1].number)
    {
        broken.push(about(pair[1], format!("has the same number as order {}", pair[0].order_id)));
    }
    numbers.retain(|fact| fact.position.is_some());
    numbers.sort_unstable_by_key(|fact| (&fact.store, &fact.day, fact.position));
    for pair in
        numbers.windows(2).filter(|pair| same_row(pair[0], pair[1]) && pair[0].number > pair[1].number)
    {
        broken.push(about(
            pair[1],
            format!("was placed after number {:04}, and has a lower one", pair[0].number),
        ));
    }
    Seen::Checked { looked_at: evidence.numbers.len() as u64, broken }
}

fn same_row(one: &NumberFact, other: &NumberFact) -> bool {
    (&one.store, &one.day) == (&other.store, &other.day)
}

fn about(fact: &NumberFact, what: String) -> Broken {
    Broken { order_id: Some(fact.order_id), number: Some(format!("{:04}", fact.number)), what }
}
