//! What is to be done about a payment next, and when. It follows from the state alone, so that whatever a dead process left
//! undone is found again from the rows.

use jiff::Timestamp;

use super::Payment;
use super::attempt::{Attempt, AttemptState};
use super::refund::{Refund, RefundState};

/// A kind of work that has slots of its own, so that none can starve another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// The vendor is to be asked for a charge.
    Ask,
    /// The vendor is to be asked for a refund.
    Refund,
    /// Something open is to be looked up.
    Look,
    /// A closed attempt is to be looked up once more.
    Follow,
    /// Something was asked, and nobody has reported on it.
    Asked,
}

/// One thing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Open the next attempt.
    Begin,
    /// Look up the attempt of this number.
    LookUp(u32),
    /// Ask for the refund of this number.
    Refund(u32),
    /// Look up the refund of this number.
    LookUpRefund(u32),
}

impl Lane {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Ask, Self::Refund, Self::Look, Self::Follow, Self::Asked];

    /// As stored.
    pub fn number(self) -> i64 {
        match self {
            Self::Ask => 1,
            Self::Refund => 2,
            Self::Look => 3,
            Self::Follow => 4,
            Self::Asked => 5,
        }
    }
}

impl Payment {
    /// What is to be done first, and when.
    pub fn next_task(&self) -> Option<(Timestamp, Lane, Task)> {
        let asks = self.ask_at().map(|at| (at, Lane::Ask, Task::Begin));
        let looks = self.attempts.iter().filter_map(look_up);
        // The first word about an order is its decision, so that money goes back only after it.
        let refunds = self.refunds.iter().filter(|_| self.decision.is_some()).filter_map(refund);
        asks.into_iter().chain(looks).chain(refunds).min_by_key(|(at, lane, _)| (*at, *lane))
    }

    /// When the order expires unless somebody asks, looks up or answers something before.
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.order.as_ref().filter(|_| self.is_idle()).map(|order| order.placed.pay_by)
    }

    fn ask_at(&self) -> Option<Timestamp> {
        let order = self.order.as_ref().filter(|_| self.may_ask())?;
        let at = self.retry_at.unwrap_or(order.placed_at);
        (at <= order.latest_ask()).then_some(at)
    }
}

fn look_up(attempt: &Attempt) -> Option<(Timestamp, Lane, Task)> {
    let lane = match attempt.state {
        AttemptState::Asking => Lane::Asked,
        AttemptState::Unknown { .. } => Lane::Look,
        _ => Lane::Follow,
    };
    attempt.look_at.map(|at| (at, lane, Task::LookUp(attempt.number)))
}

fn refund(refund: &Refund) -> Option<(Timestamp, Lane, Task)> {
    let (lane, task) = match refund.state {
        RefundState::Due => (Lane::Refund, Task::Refund(refund.number)),
        RefundState::Asking => (Lane::Asked, Task::LookUpRefund(refund.number)),
        _ => (Lane::Look, Task::LookUpRefund(refund.number)),
    };
    refund.next_at.map(|at| (at, lane, task))
}
