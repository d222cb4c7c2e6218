//! Charges, refunds, and when the vendor was asked.

use cafe_events::{Event, OrderEvent, PaymentEvent};

use crate::{Case, Evidence, Kind, PaymentFact, PaymentStatus, Seen};

/// No attempt starts so close to `pay_by`.
const ASK_MARGIN_MS: i64 = 15_000;

/// At most one charge of an order is not given back, and none is given back twice, by the vendor's own record.
pub fn charged_at_most_once(evidence: &Evidence) -> Seen {
    Seen::by_case(evidence, &[Kind::Vendor], |_, case, wrong| {
        let live: Vec<_> = case.charges.iter().filter(|charge| case.kept_of(charge) > 0).collect();
        if live.len() > 1 {
            let charges: Vec<_> =
                live.iter().map(|charge| format!("{} ({})", charge.id, charge.amount)).collect();
            wrong.push(format!(
                "the vendor charged the customer {} times: {}",
                live.len(),
                charges.join(", ")
            ));
        }
        let overpaid = case.charges.iter().filter(|charge| case.kept_of(charge) < 0);
        wrong.extend(overpaid.map(|charge| {
            format!("the vendor gave back {} more than was charged ({})", -case.kept_of(charge), charge.id)
        }));
        let unfounded = case
            .refunds
            .iter()
            .filter(|refund| case.charges.iter().all(|charge| charge.id != refund.charge_id));
        wrong.extend(unfounded.map(|refund| format!("the vendor gave back {} of no charge", refund.amount)));
        !case.charges.is_empty() || !case.refunds.is_empty()
    })
}

/// Charges less refunds are the prices of the lines made (a recalled one once) less goodwill, to the won. Judged by the
/// vendor's record where it was read, otherwise by payment's books; not while money or news is still under way.
pub fn money_adds_up(evidence: &Evidence) -> Seen {
    Seen::by_case(evidence, &[Kind::Payments, Kind::Tickets], |_, case, wrong| {
        let Some(payment) = &case.payment else {
            if evidence.saw(Kind::Vendor) && case.kept() != 0 {
                wrong.push(format!(
                    "the vendor keeps {} for an order that payment does not know",
                    case.kept()
                ));
            }
            return !case.charges.is_empty();
        };
        if payment.open || !case.parked.is_empty() || !evidence.all_is_heard(case) {
            return false;
        }
        let keeps = if evidence.saw(Kind::Vendor) { case.kept() } else { payment.charged - payment.refunded };
        let worth = worth(case, payment) - payment.goodwill;
        if keeps != worth {
            wrong.push(format!(
                "the cafe keeps {keeps} of the customer's money for what is worth {worth} (payment is {}, goodwill {})",
                payment.status, payment.goodwill
            ));
        }
        true
    })
}

/// Payment's books are what the vendor's record says: what is not clearly answered is never taken as success or failure.
pub fn vendor_agrees_with_payment(evidence: &Evidence) -> Seen {
    Seen::by_case(evidence, &[Kind::Payments, Kind::Vendor], |_, case, wrong| {
        let Some(payment) = case.payment.as_ref().filter(|payment| !payment.open) else { return false };
        let charged: i64 = case.charges.iter().map(|charge| charge.amount).sum();
        let refunded: i64 = case.refunds.iter().map(|refund| refund.amount).sum();
        if payment.charged != charged {
            wrong.push(format!("payment noted {} as charged, the vendor {charged}", payment.charged));
        }
        if payment.refunded != refunded {
            wrong.push(format!("payment noted {} as given back, the vendor {refunded}", payment.refunded));
        }
        if let Some((_, charge_id)) = approval(case)
            && case.charges.iter().all(|charge| charge.id != charge_id)
        {
            wrong.push(format!("was approved by charge {charge_id}, which the vendor does not have"));
        }
        true
    })
}

/// No attempt starts in the last 15 s before `pay_by`, or in the last third of the time to pay if that is shorter.
pub fn nothing_is_asked_late(evidence: &Evidence) -> Seen {
    Seen::by_case(evidence, &[Kind::Orders, Kind::Payments], |_, case, wrong| {
        let (Some(payment), Some(latest_ms)) = (&case.payment, latest_ask_ms(case)) else { return false };
        let asked = payment.attempts.iter().filter(|attempt| !attempt.probe);
        let late = asked.filter_map(|attempt| {
            let late_ms = attempt.asked_at?.as_millisecond() - latest_ms;
            (late_ms > 0).then(|| {
                format!("attempt {} was asked {late_ms} ms too late to be paid in time", attempt.number)
            })
        });
        wrong.extend(late);
        !payment.attempts.is_empty()
    })
}

/// What was charged for an order that was announced as expired, declined or cancelled was given back.
pub fn late_charges_go_back(evidence: &Evidence) -> Seen {
    Seen::by_case(evidence, &[Kind::Payments, Kind::Vendor], |_, case, wrong| {
        let Some(payment) = case.payment.as_ref().filter(|payment| !payment.open) else { return false };
        let unpaid = matches!(
            payment.status,
            PaymentStatus::Expired | PaymentStatus::Declined | PaymentStatus::Cancelled
        );
        if unpaid && case.kept() > 0 {
            wrong.push(format!("is {} but the vendor keeps {} of it", payment.status, case.kept()));
        }
        unpaid
    })
}

fn worth(case: &Case, payment: &PaymentFact) -> i64 {
    match (payment.status, &case.ticket) {
        (PaymentStatus::Approved, Some(ticket)) => ticket.worth(),
        (PaymentStatus::Approved, None) => payment.total.unwrap_or_default(),
        _ => 0,
    }
}

fn latest_ask_ms(case: &Case) -> Option<i64> {
    let placed = case.first(|event| match event {
        Event::Order(OrderEvent::Placed(placed)) => Some(placed.pay_by),
        _ => None,
    });
    let (placed_at, pay_by) = match placed {
        Some((event, pay_by)) => (event.at, pay_by),
        None => case.order.as_ref().and_then(|order| Some((order.placed_at?, order.pay_by?)))?,
    };
    let to_pay_ms = (pay_by.as_millisecond() - placed_at.as_millisecond()).max(0);
    Some(pay_by.as_millisecond() - ASK_MARGIN_MS.min(to_pay_ms / 3))
}

fn approval(case: &Case) -> Option<(u32, &str)> {
    let approved = case.first(|event| match event {
        Event::Payment(PaymentEvent::Approved(approved)) => Some(approved.charge_id.as_str()),
        _ => None,
    });
    approved.map(|(event, charge_id)| (event.version, charge_id))
}
