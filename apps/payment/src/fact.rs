//! A payment, told as a plain fact for those who judge promises.

use cafe_events::OrderId;
use cafe_promises::{AttemptFact, GivenBackFact, PaymentFact, PaymentStatus};

use crate::payment::refund::{Refund, RefundState};
use crate::payment::{Payment, Status};

/// What is known of an order's payment here.
pub fn fact(order_id: OrderId, payment: &Payment) -> PaymentFact {
    let attempts = payment.attempts.iter().map(|attempt| AttemptFact {
        number: attempt.number,
        asked_at: Some(attempt.asked_at),
        probe: attempt.probe,
    });
    PaymentFact {
        order_id,
        status: status(payment.status()),
        total: payment.order.as_ref().map(|order| order.placed.total),
        charged: payment.charged(),
        refunded: payment.refunded(),
        goodwill: payment.goodwill(),
        open: payment.is_open(),
        checking: payment.checking,
        attempts: attempts.collect(),
        refunds: payment.refunds.iter().map(given_back).collect(),
        version: payment.version,
    }
}

fn given_back(refund: &Refund) -> GivenBackFact {
    let state =
        if matches!(refund.state, RefundState::Failed { .. }) { "failed" } else { "under way or done" };
    GivenBackFact { amount: refund.amount, state: state.to_owned() }
}

fn status(status: Status) -> PaymentStatus {
    match status {
        Status::Due => PaymentStatus::Due,
        Status::Asking => PaymentStatus::Asking,
        Status::Unknown => PaymentStatus::Unknown,
        Status::Approved => PaymentStatus::Approved,
        Status::Declined => PaymentStatus::Declined,
        Status::Expired => PaymentStatus::Expired,
        Status::Cancelled => PaymentStatus::Cancelled,
    }
}
