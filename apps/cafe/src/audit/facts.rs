//! The services' own rows, told as facts.

use cafe_barista::Ticket;
use cafe_events::OrderId;
use cafe_order::order::Order;
use cafe_payment::payment::Payment;
use cafe_payment::payment::refund::{Refund, RefundState};
use cafe_promises::{AttemptFact, GivenBackFact, LineFact, OrderFact, PaymentFact, TicketFact, Versions};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(super) fn of_order(id: OrderId, order: &Order) -> anyhow::Result<OrderFact> {
    let placed = order.placed.as_ref();
    Ok(OrderFact {
        id,
        store: order.store.clone(),
        number: placed.map(|placed| placed.number.clone()).unwrap_or_default(),
        day: placed.map(|placed| placed.day.clone()).unwrap_or_default(),
        status: same_word(order.status())?,
        total: placed.map(|placed| placed.total).unwrap_or_default(),
        refunded: order.payment.refunded,
        placed_at: placed.map(|placed| placed.at),
        pay_by: placed.and_then(|placed| placed.pay_by),
        versions: Versions {
            order: order.version,
            payment: order.payment.version,
            ticket: order.ticket.version,
        },
    })
}

pub(super) fn of_payment(order_id: OrderId, payment: &Payment) -> anyhow::Result<PaymentFact> {
    let attempts = payment.attempts.iter().map(|attempt| AttemptFact {
        number: attempt.number,
        asked_at: Some(attempt.asked_at),
        probe: attempt.probe,
    });
    Ok(PaymentFact {
        order_id,
        status: same_word(payment.status())?,
        total: payment.order.as_ref().map(|order| order.placed.total),
        charged: payment.charged(),
        refunded: payment.refunded(),
        goodwill: payment.goodwill(),
        open: payment.is_open(),
        checking: payment.checking,
        attempts: attempts.collect(),
        refunds: payment.refunds.iter().map(of_refund).collect(),
        version: payment.version,
    })
}

pub(super) fn of_ticket(order_id: OrderId, ticket: &Ticket) -> anyhow::Result<TicketFact> {
    let lines = ticket.lines.iter().map(|line| {
        let state = same_word(line.state)?;
        Ok(LineFact { line_id: line.ordered.line_id, price: line.ordered.price, state })
    });
    Ok(TicketFact {
        order_id,
        status: same_word(ticket.status)?,
        lines: lines.collect::<anyhow::Result<_>>()?,
        version: ticket.version,
    })
}

fn of_refund(refund: &Refund) -> GivenBackFact {
    let state =
        if matches!(refund.state, RefundState::Failed { .. }) { "failed" } else { "under way or done" };
    GivenBackFact { amount: refund.amount, state: state.to_owned() }
}

/// The services' words in JSON are the facts' words.
fn same_word<From: Serialize, To: DeserializeOwned>(word: From) -> anyhow::Result<To> {
    Ok(serde_json::from_value(serde_json::to_value(word)?)?)
}
