//! What the order service says.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Currency, OrderLine, Party};

/// Everything the order service says about an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderEvent {
    /// Always version 1.
    Placed(OrderPlaced),
    /// The customer or staff wants it undone.
    CancelRequested(OrderCancelRequested),
}

/// An order was taken, priced from the menu.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderPlaced {
    /// What is called out; at least four digits, in order within a business day and store.
    #[schemars(regex(pattern = r"^[0-9]{4,}$"))]
    pub number: String,
    /// The business day that `number` belongs to, `YYYY-MM-DD`.
    #[schemars(extend("format" = "date"))]
    pub day: String,
    /// What was ordered, at least one line.
    #[schemars(length(min = 1))]
    pub lines: Vec<OrderLine>,
    /// To go, rather than here; each line may differ.
    pub takeout: bool,
    /// Sum of the lines' prices, in minor units.
    pub total: i64,
    /// Of all amounts here.
    pub currency: Currency,
    /// How the customer pays.
    pub payment: PaymentChoice,
    /// Not paid by then, the order expires.
    pub pay_by: Timestamp,
}

/// How a customer pays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentChoice {
    /// The vendor that is asked, such as `simulator`.
    pub vendor: String,
    /// The vendor's one-time proof from the customer's side, such as the simulator's `tok_ok`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// Somebody wants the order undone. Honoured until making starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderCancelRequested {
    /// Who asked.
    pub by: Party,
    /// In their words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
