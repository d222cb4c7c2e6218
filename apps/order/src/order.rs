//! The rules of an order: what may be asked of it, and what its customer sees. Pure.
//!
//! An order knows three things that are kept apart: what this service decided, what payment said and what barista said.
//! News from the two others comes in the order of each one's versions, but interleaved as it happens; whatever a customer
//! sees is joined from the three, so that it comes out the same whichever was heard first.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cafe_clock::after;
use cafe_events::{
    Currency, LineId, OrderCancelRequested, OrderEvent, OrderLine, OrderPlaced, Party, PaymentChoice, Size,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::heard::is_default;
pub use crate::heard::{LineState, PaymentOutcome, PaymentSide, STEPS_MAX, Stage, TicketSide, TicketStep};

/// Everything the order service knows about an order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The store that makes it.
    pub store: String,
    /// How many events this service announced for it; 0 for one that was placed after the copy that was restored.
    pub version: u32,
    /// What was ordered; nothing for an order lost by a restore, until payment's approval tells.
    pub placed: Option<Placed>,
    /// When a cancel was asked for here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_requested_at: Option<Timestamp>,
    /// What payment said.
    #[serde(default, skip_serializing_if = "is_default")]
    pub payment: PaymentSide,
    /// What barista said.
    #[serde(default, skip_serializing_if = "is_default")]
    pub ticket: TicketSide,
}

/// What was ordered, as it was priced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placed {
    /// What is called out.
    pub number: String,
    /// The business day that `number` belongs to.
    pub day: String,
    /// When.
    pub at: Timestamp,
    /// At least one line; shared, for they never change.
    #[serde(with = "crate::stored_lines")]
    pub lines: Arc<[OrderLine]>,
    /// To go, rather than here.
    pub takeout: bool,
    /// Sum of the lines' prices, in minor units.
    pub total: i64,
    /// Of all amounts here.
    pub currency: Currency,
    /// Not paid by then, it expires; not known for an order that payment's approval told about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pay_by: Option<Timestamp>,
    /// It came without the vendor's proof of payment: that it waits is the customer's affair, and no sign of a slow vendor.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub awaits_proof: bool,
}

/// What a customer sees.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Taken; payment has not said anything yet.
    Placed,
    /// Paid; waits to be made.
    Paid,
    /// Being made.
    Making,
    /// Made; come and get it.
    Ready,
    /// Handed over.
    PickedUp,
    /// The vendor refused the charge.
    Declined,
    /// Not paid in time.
    Expired,
    /// Undone before making started.
    Cancelled,
    /// Nothing of it could be made, and all money went back.
    Refunded,
    /// Made, but nobody came.
    Uncollected,
}

/// What a cancel comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transition {
    /// It changed the order, and is announced so.
    Changed(OrderEvent),
    /// It was asked for before, or is done.
    AlreadyDone,
}

/// Why an order cannot be cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is being made, or made.
    #[error("making has started")]
    MakingStarted,
    /// It came to another end.
    #[error("the order has ended")]
    Ended(Status),
    /// It was placed after the copy that was restored: what was announced for it is not known here.
    #[error("the order was placed before data was restored from a copy; staff can give the money back")]
    LostByRestore,
}

/// An order about to be placed: priced, but without a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOrder {
    /// The store that makes it.
    pub store: String,
    /// What is ordered.
    pub lines: Arc<[OrderLine]>,
    /// To go, rather than here.
    pub takeout: bool,
    /// Sum of the lines' prices, in minor units.
    pub total: i64,
    /// Of all amounts here.
    pub currency: Currency,
    /// How it is paid.
    pub payment: PaymentChoice,
    /// How long there is to pay.
    pub pay_within: Duration,
}

impl NewOrder {
    /// A hash of the body as it was understood: it does not matter how it was written, nor whether a default was written out.
    /// Prices are no part of it, for the menu may change meanwhile.
    pub fn body_hash(&self) -> String {
        let wished = self.lines.iter().map(|line| {
            let OrderLine { menu, size, quantity, options, takeout, .. } = line;
            WishedLine(menu, *size, *quantity, options, *takeout)
        });
        body_hash(&self.store, wished, self.takeout, &self.payment)
    }
}

/// What was wished for in a line: the drink's key, size, quantity, options, and whether it is to go.
#[derive(Serialize)]
pub(crate) struct WishedLine<'a>(
    pub(crate) &'a str,
    pub(crate) Size,
    pub(crate) u32,
    pub(crate) &'a [String],
    pub(crate) bool,
);

/// As [`NewOrder::body_hash`], of its parts.
pub(crate) fn body_hash<'a>(
    store: &str,
    lines: impl Iterator<Item = WishedLine<'a>>,
    takeout: bool,
    payment: &PaymentChoice,
) -> String {
    let lines: Vec<_> = lines.collect();
    let canonical = serde_json::to_vec(&(store, lines, takeout, payment));
    URL_SAFE_NO_PAD.encode(Sha256::digest(canonical.unwrap_or_default()))
}

impl Order {
    /// Places an order, which is always announced.
    pub fn place(new: &NewOrder, number: String, day: String, now: Timestamp) -> (Self, OrderEvent) {
        let pay_by = after(now, new.pay_within);
        let event = OrderPlaced {
            number: number.clone(),
            day: day.clone(),
            lines: new.lines.to_vec(),
            takeout: new.takeout,
            total: new.total,
            currency: new.currency,
            payment: new.payment.clone(),
            pay_by,
        };
        let placed = Placed {
            number,
            day,
            at: now,
            lines: Arc::clone(&new.lines),
            takeout: new.takeout,
            total: new.total,
            currency: new.currency,
            pay_by: Some(pay_by),
            awaits_proof: new.payment.token.is_none(),
        };
        let order = Self { store: new.store.clone(), version: 1, placed: Some(placed), ..Self::default() };
        (order, OrderEvent::Placed(event))
    }

    /// Asks for the order to be undone. Whether it is, is decided by payment, and once that has approved, by barista; here
    /// only what is known to be too late is refused.
    pub fn cancel(
        &mut self,
        by: Party,
        reason: Option<String>,
        now: Timestamp,
    ) -> Result<Transition, Refusal> {
        match self.status() {
            Status::Cancelled => return Ok(Transition::AlreadyDone),
            Status::Placed | Status::Paid if !self.ticket.has_ended() => {}
            Status::Placed | Status::Paid | Status::Making | Status::Ready => {
                return Err(Refusal::MakingStarted);
            }
            ended => return Err(Refusal::Ended(ended)),
        }
        if self.ticket.cancel_refused {
            return Err(Refusal::MakingStarted);
        }
        if self.cancel_requested_at.is_some() {
            return Ok(Transition::AlreadyDone);
        }
        if self.version == 0 {
            return Err(Refusal::LostByRestore);
        }
        self.version += 1;
        self.cancel_requested_at = Some(now);
        Ok(Transition::Changed(OrderEvent::CancelRequested(OrderCancelRequested { by, reason })))
    }

    /// What the customer sees. Payment's refusal ends an order; else it is where its ticket is.
    pub fn status(&self) -> Status {
        match self.payment.outcome {
            Some(PaymentOutcome::Declined) => return Status::Declined,
            Some(PaymentOutcome::Expired) => return Status::Expired,
            Some(PaymentOutcome::Cancelled) => return Status::Cancelled,
            Some(PaymentOutcome::Approved) | None => {}
        }
        match self.ticket.stage() {
            None if self.payment.outcome.is_none() => Status::Placed,
            None | Some(Stage::Queued) => Status::Paid,
            Some(Stage::Making) => Status::Making,
            Some(Stage::Ready) => Status::Ready,
            Some(Stage::PickedUp) => Status::PickedUp,
            Some(Stage::Uncollected) => Status::Uncollected,
            Some(Stage::Cancelled) => Status::Cancelled,
            Some(Stage::Rejected) => self.status_when_rejected(),
        }
    }

    /// Nothing of it can be made: it stands where it stood until all money is back.
    fn status_when_rejected(&self) -> Status {
        let is_all_back = |placed: &Placed| self.payment.refunded >= placed.total;
        if self.placed.as_ref().is_some_and(is_all_back) {
            Status::Refunded
        } else if self.ticket.was_making() {
            Status::Making
        } else {
            Status::Paid
        }
    }

    /// Every status the order went through and when, oldest first, each by the clock of the service that decided it.
    pub fn steps(&self) -> Vec<(Status, Timestamp)> {
        let mut steps = Vec::with_capacity(4);
        steps.extend(self.placed.as_ref().map(|placed| (Status::Placed, placed.at)));
        if let (Some(outcome), Some(at)) = (self.payment.outcome, self.payment.outcome_at) {
            steps.push((outcome.status(), at));
        }
        for step in &self.ticket.steps {
            let status = match step.stage {
                Stage::Queued | Stage::Rejected => continue,
                Stage::Making => Status::Making,
                Stage::Ready => Status::Ready,
                Stage::PickedUp => Status::PickedUp,
                Stage::Cancelled => Status::Cancelled,
                Stage::Uncollected => Status::Uncollected,
            };
            steps.push((status, step.at));
        }
        if let (Status::Refunded, Some(at)) = (self.status(), self.payment.refunded_at) {
            steps.push((Status::Refunded, at));
        }
        steps
    }

    /// How a line stands.
    pub fn line_state(&self, line: LineId) -> LineState {
        self.ticket.lines.get(&line).copied().unwrap_or(self.ticket.other_lines)
    }

    /// Whether a cancel was asked for, here or at payment.
    pub fn is_cancel_requested(&self) -> bool {
        self.cancel_requested_at.is_some() || self.payment.cancel_forwarded
    }

    /// Whether neither payment nor barista has said anything yet, so that the customer waits for payment.
    pub fn waits_for_payment(&self) -> bool {
        let asked = self.placed.as_ref().is_some_and(|placed| !placed.awaits_proof);
        asked && self.status() == Status::Placed
    }

    /// The order as it was the moment it was placed: what the first answer said and every repeated one says.
    #[must_use]
    pub fn as_placed(&self) -> Self {
        Self { store: self.store.clone(), version: 1, placed: self.placed.clone(), ..Self::default() }
    }
}

impl Status {
    /// Whether the order's way ends here. Only a recall leaves it: a drink that was handed over is made again.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Placed | Self::Paid | Self::Making | Self::Ready)
    }

    /// As it is written in views and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Placed => "placed",
            Self::Paid => "paid",
            Self::Making => "making",
            Self::Ready => "ready",
            Self::PickedUp => "picked_up",
            Self::Declined => "declined",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Refunded => "refunded",
            Self::Uncollected => "uncollected",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows outlive the program that wrote them: this one was written by the first.
    #[test]
    fn an_order_that_the_first_program_stored_is_read() {
        let stored = r#"{"store":"main","version":2,"placed":{"number":"0001","day":"2026-11-23",
            "at":"2026-11-23T10:00:00Z","lines":[[1,"latte","Latte","라떼","large",2,true,4000,8000,4000,[]]],
            "takeout":true,"total":8000,"currency":"KRW","pay_by":"2026-11-23T10:10:00Z"},
            "cancel_requested_at":"2026-11-23T10:00:01Z",
            "payment":{"version":3,"outcome":"approved","outcome_at":"2026-11-23T10:00:02Z",
            "cancel_forwarded":true,"refunded":8000,"refunded_at":"2026-11-23T10:00:04Z"},
            "ticket":{"version":2,"steps":[{"stage":"queued","at":"2026-11-23T10:00:02Z"},
            {"stage":"cancelled","at":"2026-11-23T10:00:03Z"}],"lines":{"1":"waiting"}}}"#;
        let order: Order = serde_json::from_str(stored).unwrap();
        assert_eq!((order.status(), order.payment.refunded), (Status::Cancelled, 8_000));
        assert_eq!(order.line_state(1), LineState::Waiting);
        assert_eq!(order.steps().len(), 3);
        let written = serde_json::to_string(&order).unwrap();
        assert_eq!(serde_json::from_str::<Order>(&written).unwrap(), order);
    }
}
