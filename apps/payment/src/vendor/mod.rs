//! Payment vendors. A vendor is a file or folder here and a variant of [`Vendor`]; the worker knows nothing else of it.
//!
//! What a vendor must do: remember what was asked under which key, do nothing twice under the same key, and say what is in
//! its record under a key. How long an answer may take is the worker's business: a call that is dropped was not answered.

pub mod simulator;

use std::time::Duration;

use cafe_events::{Currency, OrderId};

use crate::domain::Ask;
use crate::payment::attempt::{Attempt, ChargeAnswer, Finding};
use crate::payment::refund::RefundAnswer;
use simulator::Simulator;

/// How long connecting to a vendor may take; past it, the vendor was certainly not asked.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// How long a vendor may take to answer.
pub const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// A charge to ask for.
#[derive(Clone, Debug)]
pub struct ChargeRequest {
    /// The same key is charged once, however often it is asked.
    pub key: String,
    /// For the vendor's record.
    pub order_id: OrderId,
    /// In minor units.
    pub amount: i64,
    /// Of `amount`.
    pub currency: Currency,
    /// The customer's one-time proof.
    pub token: String,
    /// W3C trace context of the call; a vendor that is asked over HTTP gets it as the header of that name.
    pub traceparent: Option<String>,
}

impl ChargeRequest {
    /// Asks for what is on disk, under the key of its attempt.
    pub fn of(ask: Ask) -> Self {
        Self {
            key: Attempt::key(ask.order_id, ask.attempt),
            order_id: ask.order_id,
            amount: ask.amount,
            currency: ask.currency,
            token: ask.token,
            traceparent: ask.traceparent,
        }
    }
}

/// A refund to ask for.
#[derive(Clone, Debug)]
pub struct RefundRequest {
    /// The same key is given back once, however often it is asked.
    pub key: String,
    /// The vendor's id of the charge.
    pub charge_id: String,
    /// In minor units of the charge's currency.
    pub amount: i64,
    /// As in [`ChargeRequest`].
    pub traceparent: Option<String>,
}

/// A look into the vendor's record.
#[derive(Clone, Debug)]
pub struct LookUpRequest {
    /// What was asked under it, a charge or a refund.
    pub key: String,
    /// As in [`ChargeRequest`].
    pub traceparent: Option<String>,
}

/// One vendor.
#[derive(Clone)]
pub enum Vendor {
    /// The one inside the program.
    Simulator(Simulator),
}

/// All vendors of this service, by name.
#[derive(Clone)]
pub struct Vendors {
    /// Always there.
    pub simulator: Vendor,
}

impl Vendors {
    /// The names that an order's `payment.vendor` may have.
    pub const NAMES: [&str; 1] = ["simulator"];

    /// The vendor of that name.
    pub fn named(&self, name: &str) -> Option<&Vendor> {
        (name == "simulator").then_some(&self.simulator)
    }
}

impl Vendor {
    /// As an order's `payment.vendor` calls it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Simulator(_) => "simulator",
        }
    }

    /// Asks for a charge.
    pub async fn charge(&self, request: ChargeRequest) -> ChargeAnswer {
        match self {
            Self::Simulator(simulator) => simulator.charge(request).await,
        }
    }

    /// Looks up a charge.
    pub async fn look_up(&self, request: LookUpRequest) -> Finding {
        match self {
            Self::Simulator(simulator) => simulator.look_up(request).await,
        }
    }

    /// Asks for a refund.
    pub async fn refund(&self, request: RefundRequest) -> RefundAnswer {
        match self {
            Self::Simulator(simulator) => simulator.refund(request).await,
        }
    }

    /// Looks up a refund.
    pub async fn look_up_refund(&self, request: LookUpRequest) -> RefundAnswer {
        match self {
            Self::Simulator(simulator) => simulator.look_up_refund(request).await,
        }
    }
}
