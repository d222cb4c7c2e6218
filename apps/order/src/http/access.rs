//! Who may see and cancel an order: whoever holds its token, and staff.

use cafe_events::{OrderId, Party};
use cafe_web::{Presented, Problem};

use super::App;

impl App {
    /// Who asks about this order. Whether there is such an order is not looked at, so that the answer tells nobody.
    pub(super) fn admit(&self, order_id: OrderId, presented: &Presented) -> Result<Party, Problem> {
        if presented.is_nothing() {
            return Err(Problem::unauthorized(
                "Send the order's token as `Authorization: Bearer <token>` or `?token=<token>`.",
            ));
        }
        if presented.is(&self.tokens.token(order_id)) {
            return Ok(Party::Customer);
        }
        if presented.is_staff(&self.staff) {
            return Ok(Party::Staff);
        }
        Err(Problem::unauthorized("This is not this order's token."))
    }
}
