//! Why a command breaks a rule, in words for whoever asked.

use cafe_events::LineId;

use super::Status;

/// A rule that a command would break. Nothing changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The ticket is in the wrong state.
    #[error("the ticket is {status}; possible now: {possible}")]
    NotNow {
        /// How far it is.
        status: Status,
        /// What could be asked instead.
        possible: &'static str,
    },
    /// The order has no such line.
    #[error("the ticket has no line {0}")]
    NoSuchLine(LineId),
    /// Only what is made can be recalled.
    #[error("line {0} is not made yet; possible now: ready, reject")]
    LineNotMade(LineId),
    /// What is made is paid for; it is rejected only after it was recalled.
    #[error("line {0} is made; recall it before rejecting it, or name the lines that cannot be made")]
    LineMade(LineId),
    /// What was rejected stays so.
    #[error("line {0} was rejected, which is final; its price goes back")]
    LineRejected(LineId),
}
