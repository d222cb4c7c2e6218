//! Who watches which order, so that they are told when it changes. Nothing is kept for an order that nobody watches.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cafe_events::OrderId;
use tokio::sync::watch;

/// The most watchers at once: half of the connections that are let in, so that there is room for orders.
pub(crate) const WATCHERS_MAX: usize = 2_048;

/// Everyone who watches an order.
#[derive(Default)]
pub(crate) struct Hub {
    watched: Mutex<Watched>,
}

#[derive(Default)]
struct Watched {
    orders: HashMap<OrderId, watch::Sender<()>>,
    watchers: usize,
}

/// Somebody who watches an order, until dropped.
pub(crate) struct Watcher {
    hub: Arc<Hub>,
    order_id: OrderId,
    news: watch::Receiver<()>,
}

impl Hub {
    /// Watches an order from now on; nothing when too many watch already.
    pub(crate) fn watch(self: &Arc<Self>, order_id: OrderId) -> Option<Watcher> {
        let mut watched = self.lock();
        if watched.watchers == WATCHERS_MAX {
            return None;
        }
        watched.watchers += 1;
        let news = watched.orders.entry(order_id).or_insert_with(|| watch::Sender::new(())).subscribe();
        metrics::gauge!("cafe_order_watchers").set(watched.watchers as f64);
        Some(Watcher { hub: Arc::clone(self), order_id, news })
    }

    /// Tells whoever watches this order that it changed. Never waits.
    pub(crate) fn tell(&self, order_id: OrderId) {
        if let Some(sender) = self.lock().orders.get(&order_id) {
            sender.send_replace(());
        }
    }

    /// Tells everybody: any order may have changed.
    pub(crate) fn tell_all(&self) {
        for sender in self.lock().orders.values() {
            sender.send_replace(());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watcher {
    /// Waits until the order changed since this was last asked, or since watching began.
    pub(crate) async fn changed(&mut self) {
        if self.news.changed().await.is_err() {
            unreachable!("the sender stays for as long as somebody watches");
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let mut watched = self.hub.lock();
        watched.watchers -= 1;
        // This watcher's own receiver is the last one.
        if watched.orders.get(&self.order_id).is_some_and(|sender| sender.receiver_count() == 1) {
            watched.orders.remove(&self.order_id);
        }
        metrics::gauge!("cafe_order_watchers").set(watched.watchers as f64);
    }
}

#[cfg(test)]
mod tests {
    use cafe_failures::{customer, tried};

    use super::*;

    #[tokio::test]
    async fn only_whoever_watches_the_order_is_told() {
        let hub = Arc::new(Hub::default());
        let [one, other] = [1, 2].map(OrderId::from_u128);
        let (mut first, mut second) = (hub.watch(one).unwrap(), hub.watch(one).unwrap());
        let mut elsewhere = hub.watch(other).unwrap();
        hub.tell(one);
        hub.tell(one);
        first.changed().await;
        second.changed().await;
        assert!(!elsewhere.news.has_changed().unwrap() && !first.news.has_changed().unwrap());
        tokio::select! {
            biased;
            () = elsewhere.changed() => panic!("nobody told it"),
            () = std::future::ready(()) => {}
        }
    }

    #[test]
    fn nothing_is_kept_for_an_order_that_nobody_watches() {
        let hub = Arc::new(Hub::default());
        let order_id = OrderId::from_u128(1);
        let watchers = [hub.watch(order_id), hub.watch(order_id)];
        assert_eq!(hub.lock().orders.len(), 1);
        drop(watchers);
        let watched = hub.lock();
        assert_eq!((watched.orders.len(), watched.watchers), (0, 0));
    }

    #[test]
    fn there_is_a_limit() {
        tried(&customer::TOO_MANY_WATCHERS);
        let hub = Arc::new(Hub::default());
        let watchers: Vec<_> =
            (0..WATCHERS_MAX).map(|order| hub.watch(OrderId::from_u128(order as u128))).collect();
        assert!(watchers.iter().all(Option::is_some));
        assert!(hub.watch(OrderId::from_u128(1)).is_none());
        drop(watchers);
        assert!(hub.watch(OrderId::from_u128(1)).is_some());
    }
}
