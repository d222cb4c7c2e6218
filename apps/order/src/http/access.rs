//! Who may see and cancel an order: whoever holds its token, and staff.

use cafe_events::{OrderId, Party};
use cafe_web::{Presented, Problem, StaffKey};

use super::App;
use crate::tokens::Tokens;

impl App {
    /// Who asks about this order. Whether there is such an order is not looked at, so that the answer tells nobody.
    pub(super) fn admit(&self, order_id: OrderId, presented: &Presented) -> Result<Party, Problem> {
        who_asks(order_id, presented, &self.tokens, self.staff.key())
    }
}

/// Who shows what opens this order.
///
/// # Errors
/// 401 to everybody else.
pub fn who_asks(
    order_id: OrderId,
    presented: &Presented,
    tokens: &Tokens,
    staff: &StaffKey,
) -> Result<Party, Problem> {
    if presented.is_nothing() {
        return Err(Problem::unauthorized(
            "Send the order's token as `Authorization: Bearer <token>` or `?token=<token>`.",
        ));
    }
    if presented.is(&tokens.token(order_id)) {
        return Ok(Party::Customer);
    }
    if presented.is_staff(staff) {
        return Ok(Party::Staff);
    }
    Err(Problem::unauthorized("This is not this order's token."))
}
