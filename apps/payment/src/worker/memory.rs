//! What this process knows of its own calls; a dead process's are looked up instead.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cafe_events::OrderId;

/// Orders that somebody is busy with, and when unanswered requests were sent.
#[derive(Clone, Debug, Default)]
pub struct Memory(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    busy: HashSet<OrderId>,
    asking: HashSet<OrderId>,
    sent: HashMap<String, Duration>,
}

impl Memory {
    /// Takes the order; false if somebody is busy with it.
    pub fn enter(&self, order_id: OrderId) -> bool {
        self.known().busy.insert(order_id)
    }

    /// Takes the order for asking the vendor, whoever is busy with it.
    pub fn enter_to_ask(&self, order_id: OrderId) {
        let mut known = self.known();
        known.busy.insert(order_id);
        known.asking.insert(order_id);
    }

    /// Nobody is busy with the order any more.
    pub fn leave(&self, order_id: OrderId) {
        let mut known = self.known();
        known.busy.remove(&order_id);
        known.asking.remove(&order_id);
    }

    /// The same, unless its vendor is being asked: then whoever asks goes on with it. True if so.
    pub fn leave_unless_asking(&self, order_id: OrderId) -> bool {
        let mut known = self.known();
        let is_asking = known.asking.contains(&order_id);
        if !is_asking {
            known.busy.remove(&order_id);
        }
        is_asking
    }

    /// Whether its vendor is being asked.
    pub fn is_asking(&self, order_id: OrderId) -> bool {
        self.known().asking.contains(&order_id)
    }

    /// Whether somebody is busy with the order.
    pub fn is_busy(&self, order_id: OrderId) -> bool {
        self.known().busy.contains(&order_id)
    }

    /// Notes that the request under `key` has not been answered clearly.
    pub fn unanswered(&self, key: String, sent_at: Duration) {
        self.known().sent.insert(key, sent_at);
    }

    /// Forgets a request that was answered clearly.
    pub fn settled(&self, key: &str) {
        self.known().sent.remove(key);
    }

    /// When the request under `key` was sent, if by this process.
    pub fn sent_at(&self, key: &str) -> Option<Duration> {
        self.known().sent.get(key).copied()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: OrderId = OrderId::from_u128(7);

    #[test]
    fn an_order_that_could_not_be_looked_into_is_free_again_unless_its_vendor_is_being_asked() {
        let memory = Memory::default();
        assert!(memory.enter(ORDER));
        assert!(!memory.leave_unless_asking(ORDER));
        assert!(memory.enter(ORDER), "it can be taken again");
        memory.enter_to_ask(ORDER);
        assert!(memory.leave_unless_asking(ORDER), "whoever asks goes on with it");
        assert!(memory.is_busy(ORDER) && memory.is_asking(ORDER));
    }
}
