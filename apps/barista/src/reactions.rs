//! What the barista service does about what payment says: one function per event heard.

use cafe_delivery::{Poison, Turn};
use cafe_events::{Heard, OrderId, PaymentApproved, PaymentCancelRequested};
use jiff::Timestamp;

use crate::domain::{Changed, Loaded, note, obey};
use crate::ticket::Command;

/// A paid order joins its store's queue.
pub(crate) fn approved(
    tables: &mut Loaded,
    heard: &Heard,
    approved: &PaymentApproved,
    now: Timestamp,
    turn: &mut Turn<Changed>,
) -> Result<(), Poison> {
    if tables.tickets.get(&heard.order_id).is_some() {
        return Err(Poison("the order was approved before; its ticket exists".to_owned()));
    }
    let mut queue = tables.queues.get(&heard.store).copied().unwrap_or_default();
    let (ticket, queued) =
        queue.admit(&heard.store, approved, now).map_err(|unmakeable| Poison(unmakeable.to_string()))?;
    tables.queues.put(heard.store.clone(), queue);
    note(tables, heard.order_id, None, ticket, vec![queued], now, turn);
    Ok(())
}

/// Somebody wants a paid order undone: from the approval on, the barista service decides, and nobody else.
pub(crate) fn cancel_requested(
    tables: &mut Loaded,
    order_id: OrderId,
    wish: &PaymentCancelRequested,
    now: Timestamp,
    turn: &mut Turn<Changed>,
) -> Result<(), Poison> {
    let cancel = Command::Cancel(wish.by, wish.reason.clone());
    obey(tables, order_id, &cancel, now, turn).map(drop).map_err(|refused| Poison(refused.to_string()))
}
