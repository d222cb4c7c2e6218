//! An order, told as a plain fact for those who judge promises.

use cafe_events::OrderId;
use cafe_promises::{OrderFact, OrderStatus, Versions};

use crate::order::{Order, Status};

/// What is known of an order here.
pub fn fact(id: OrderId, order: &Order) -> OrderFact {
    let placed = order.placed.as_ref();
    OrderFact {
        id,
        store: order.store.clone(),
        number: placed.map(|placed| placed.number.clone()).unwrap_or_default(),
        day: placed.map(|placed| placed.day.clone()).unwrap_or_default(),
        status: status(order.status()),
        total: placed.map(|placed| placed.total).unwrap_or_default(),
        refunded: order.payment.refunded,
        placed_at: placed.map(|placed| placed.at),
        pay_by: placed.and_then(|placed| placed.pay_by),
        versions: Versions {
            order: order.version,
            payment: order.payment.version,
            ticket: order.ticket.version,
        },
    }
}

fn status(status: Status) -> OrderStatus {
    match status {
        Status::Placed => OrderStatus::Placed,
        Status::Paid => OrderStatus::Paid,
        Status::Making => OrderStatus::Making,
        Status::Ready => OrderStatus::Ready,
        Status::PickedUp => OrderStatus::PickedUp,
        Status::Declined => OrderStatus::Declined,
        Status::Expired => OrderStatus::Expired,
        Status::Cancelled => OrderStatus::Cancelled,
        Status::Refunded => OrderStatus::Refunded,
        Status::Uncollected => OrderStatus::Uncollected,
    }
}
