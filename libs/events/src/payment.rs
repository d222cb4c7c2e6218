//! What the payment service says. Its first word about an order is `approved`, `declined`, `expired` or `cancelled`.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Currency, LineId, OrderLine, Party};

/// Everything the payment service says about an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaymentEvent {
    /// The vendor charged it.
    Approved(PaymentApproved),
    /// The vendor clearly refused.
    Declined(PaymentDeclined),
    /// Not paid in time.
    Expired(PaymentExpired),
    /// Cancelled before anything was announced as paid.
    Cancelled(PaymentCancelled),
    /// Wanted undone after approval: the barista service decides.
    CancelRequested(PaymentCancelRequested),
    /// Money went back.
    Refunded(PaymentRefunded),
    /// Money could not be given back; a person must see to it.
    RefundFailed(PaymentRefundFailed),
}

/// The vendor charged the order's total. Carries all that the barista service needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentApproved {
    /// As placed.
    #[schemars(regex(pattern = r"^[0-9]{4,}$"))]
    pub number: String,
    /// As placed.
    #[schemars(extend("format" = "date"))]
    pub day: String,
    /// When the order was placed.
    pub placed_at: Timestamp,
    /// As placed.
    #[schemars(length(min = 1))]
    pub lines: Vec<OrderLine>,
    /// As placed.
    pub takeout: bool,
    /// What was charged, in minor units.
    pub total: i64,
    /// Of all amounts here.
    pub currency: Currency,
    /// Who charged it.
    pub vendor: String,
    /// The vendor's own id of the charge.
    pub charge_id: String,
}

/// The vendor clearly refused the charge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentDeclined {
    /// Who refused.
    pub vendor: String,
    /// The vendor's reason, such as `insufficient_funds`.
    pub reason: String,
}

/// The order was not paid by its `pay_by`. Nothing is charged after this was announced; a charge that is found to have
/// landed late is given back, and a `refunded` follows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentExpired {
    /// When it should have been paid.
    pub pay_by: Timestamp,
}

/// The order was cancelled before an approval was announced; whatever was charged meanwhile is given back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentCancelled {
    /// Who asked.
    pub by: Party,
    /// In their words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Forwards a wish to cancel an approved order to the barista service, on payment's own topic, so that it can never
/// overtake the approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentCancelRequested {
    /// Who asked.
    pub by: Party,
    /// In their words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Money went back to the customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentRefunded {
    /// How much went back this time, in minor units.
    pub amount: i64,
    /// Of `amount`.
    pub currency: Currency,
    /// Everything given back for this order so far, this time included, in minor units.
    pub refunded_total: i64,
    /// The lines it is for; empty for the whole order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(range(min = 1)))]
    pub lines: Vec<LineId>,
    /// Why.
    pub reason: String,
    /// Given although the drinks are made or being made.
    #[serde(default)]
    pub goodwill: bool,
}

/// The vendor clearly refused to give money back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentRefundFailed {
    /// How much is still owed, in minor units.
    pub amount: i64,
    /// Of `amount`.
    pub currency: Currency,
    /// The vendor's reason.
    pub reason: String,
}
