//! A payment as staff see it. The customer's one-time proof is never shown.

use cafe_events::{Currency, LineId, OrderId};
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use crate::payment::attempt::{Attempt, AttemptState};
use crate::payment::refund::{Refund, RefundState};
use crate::payment::{Payment, Status};

/// Paying for one order.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Payment)]
pub(crate) struct PaymentView {
    /// The order it belongs to.
    order_id: Uuid,
    /// The order's store.
    store: String,
    /// What the order is called out by. Null while only the barista service has spoken of it, after a restore.
    #[schema(required, example = "0001")]
    number: Option<String>,
    /// Where it stands.
    status: Status,
    /// The order's total, in minor units. Null as `number`.
    #[schema(required)]
    total: Option<i64>,
    /// Of every amount here. Null as `number`.
    #[schema(required)]
    currency: Option<Currency>,
    /// Who is asked. Null as `number`.
    #[schema(required, example = "simulator")]
    vendor: Option<String>,
    /// Why it was declined, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    declined: Option<String>,
    /// What the vendor is known to have charged, in minor units.
    charged: i64,
    /// What went back, in minor units.
    refunded: i64,
    /// The part of `refunded` that was given although the drinks are made, in minor units.
    goodwill: i64,
    /// True while it is not certain where all money is: something is undecided, unknown or owed.
    open: bool,
    /// After a restore: the vendor's record is being gone through for what this service may have forgotten. Until that is done
    /// `status` may be less than what was announced before.
    checking: bool,
    /// Every attempt that may have reached the vendor, oldest first.
    attempts: Vec<AttemptView>,
    /// Money on its way back, or given back, oldest first.
    refunds: Vec<RefundView>,
    /// How many events were announced about it: of two views, the one with the higher version is newer.
    version: u32,
}

/// One attempt to charge.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Attempt)]
struct AttemptView {
    /// From 1 within the order.
    number: u32,
    /// What is known about it.
    state: AttemptWord,
    /// When it was opened.
    #[schema(value_type = String, format = DateTime)]
    asked_at: Timestamp,
    /// The vendor was not asked: after a restore its record is, or was, looked up for this attempt and those after it, which
    /// may have been made before. `asked_at` is when that began.
    probe: bool,
    /// The vendor claims something that was not asked for; a person must look at it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    problem: Option<String>,
}

/// What is known about an attempt.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum AttemptWord {
    Asking,
    Unknown,
    Charged,
    Declined,
    NotCharged,
}

/// One refund.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Refund)]
struct RefundView {
    /// From 1 within the order.
    number: u32,
    /// In minor units.
    amount: i64,
    /// What is known about it; `failed` waits for a person.
    state: RefundWord,
    /// Given although the drinks are made or being made.
    goodwill: bool,
    /// The lines it is for; empty for whatever was left.
    lines: Vec<LineId>,
    /// Why.
    reason: String,
    /// The vendor's reason, if it refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    refused: Option<String>,
}

/// What is known about a refund.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum RefundWord {
    Due,
    Asking,
    Unknown,
    Done,
    Failed,
}

impl PaymentView {
    /// The payment of `order_id` as it is shown.
    pub(crate) fn new(order_id: OrderId, payment: &Payment) -> Self {
        let placed = payment.order.as_ref().map(|order| &order.placed);
        Self {
            order_id,
            store: payment.store.clone(),
            number: placed.map(|placed| placed.number.clone()),
            status: payment.status(),
            total: placed.map(|placed| placed.total),
            currency: placed.map(|placed| placed.currency),
            vendor: placed.map(|placed| placed.payment.vendor.clone()),
            declined: payment.why_declined().map(str::to_owned),
            charged: payment.charged(),
            refunded: payment.refunded(),
            goodwill: payment.goodwill(),
            open: payment.is_open(),
            checking: payment.checking,
            attempts: payment.attempts.iter().map(AttemptView::new).collect(),
            refunds: payment.refunds.iter().map(RefundView::new).collect(),
            version: payment.version,
        }
    }
}

impl AttemptView {
    fn new(attempt: &Attempt) -> Self {
        let (state, problem) = match &attempt.state {
            AttemptState::Asking => (AttemptWord::Asking, None),
            AttemptState::Unknown { problem, .. } => (AttemptWord::Unknown, problem.clone()),
            AttemptState::Charged { .. } => (AttemptWord::Charged, None),
            AttemptState::Declined { .. } => (AttemptWord::Declined, None),
            AttemptState::NotCharged => (AttemptWord::NotCharged, None),
        };
        Self { number: attempt.number, state, asked_at: attempt.asked_at, probe: attempt.probe, problem }
    }
}

impl RefundView {
    fn new(refund: &Refund) -> Self {
        let (state, refused) = match &refund.state {
            RefundState::Due => (RefundWord::Due, None),
            RefundState::Asking => (RefundWord::Asking, None),
            RefundState::Unknown { .. } => (RefundWord::Unknown, None),
            RefundState::Done => (RefundWord::Done, None),
            RefundState::Failed { reason } => (RefundWord::Failed, Some(reason.clone())),
        };
        Self {
            number: refund.number,
            amount: refund.amount,
            state,
            goodwill: refund.goodwill,
            lines: refund.lines.clone(),
            reason: refund.reason.clone(),
            refused,
        }
    }
}
