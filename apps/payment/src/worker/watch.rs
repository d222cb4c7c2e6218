//! What the worker says of itself: gauges for `/metrics`.

use std::time::Duration;

use metrics::gauge;

use super::Worker;
use crate::payment::agenda::Lane;
use crate::store;

/// How often the gauges are brought up to date.
const EVERY: Duration = Duration::from_secs(2);

pub(super) fn start(worker: &Worker) {
    let watcher = worker.clone();
    worker.spawn(async move {
        while watcher.unless_stopped(tokio::time::sleep(EVERY)).await.is_some() {
            watcher.watch().await;
        }
    });
}

impl Worker {
    async fn watch(&self) {
        gauge!("cafe_breaker_state").set(self.till.gate.breaker_state(self.till.timer.elapsed()));
        let Ok(counts) = self.desk.readers().read(store::count).await else { return };
        let of = |lane: Lane| counts.get(&lane.number()).copied().unwrap_or_default();
        let (due, since_ms) = of(Lane::Ask);
        let oldest_s =
            if due == 0 { 0 } else { (self.till.timer.now().as_millisecond() - since_ms).max(0) / 1_000 };
        gauge!("cafe_payments_due").set(due as f64);
        gauge!("cafe_payments_due_oldest_seconds").set(oldest_s as f64);
        gauge!("cafe_payments_unknown").set(of(Lane::Look).0 as f64);
        gauge!("cafe_refunds_due").set(of(Lane::Refund).0 as f64);
    }
}
