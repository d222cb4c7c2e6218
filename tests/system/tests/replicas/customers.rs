//! Customers who know of every replica, and come all at once.

use std::time::{Duration, Instant};

use cafe_system_tests::wire::{self, Wire};
use serde_json::Value;

/// What each orders.
const ORDER: &str = r#"{"items":[{"menu":"espresso"}],"payment":{"vendor":"simulator","token":"tok_ok"}}"#;
/// Between two orders of one connection.
const REST: Duration = Duration::from_millis(100);

/// What a customer was told.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) status: u16,
    pub(crate) order: Value,
    pub(crate) took: Duration,
}

/// A request for an order.
pub(crate) fn place(headers: &[(&str, &str)]) -> Vec<u8> {
    wire::post("/orders", headers, ORDER)
}

/// Sends every request at once, each on a connection of its own, to the ports in turn.
pub(crate) fn all_at_once(ports: &[u16], requests: Vec<Vec<u8>>) -> Vec<Told> {
    let ports = ports.iter().cycle().copied();
    in_parallel(ports.zip(requests).map(async |(port, request)| {
        let mut wire = Wire::connect(port).await.expect("it listens");
        vec![told(&mut wire, &request).await]
    }))
}

/// So many connections, to the ports in turn, order again and again until then.
pub(crate) fn crowd(ports: &[u16], connections: usize, until: Instant) -> Vec<Told> {
    let ports = ports.iter().cycle().copied().take(connections);
    in_parallel(ports.map(|port| async move {
        let (mut wire, mut all) = (Wire::connect(port).await.expect("it listens"), Vec::new());
        while Instant::now() < until {
            all.push(told(&mut wire, &place(&[])).await);
            tokio::time::sleep(REST).await;
        }
        all
    }))
}

async fn told(wire: &mut Wire, request: &[u8]) -> Told {
    let started = Instant::now();
    let answer = wire.send(request).await.expect("it answers");
    let order = serde_json::from_slice(answer.body).unwrap_or_default();
    Told { status: answer.status, order, took: started.elapsed() }
}

fn in_parallel(customers: impl Iterator<Item = impl Future<Output = Vec<Told>> + 'static>) -> Vec<Told> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let together = tokio::task::LocalSet::new();
    let customers: Vec<_> = customers.map(|customer| together.spawn_local(customer)).collect();
    let served = together.run_until(async {
        let mut all = Vec::new();
        for customer in customers {
            all.extend(customer.await.expect("a customer does not panic"));
        }
        all
    });
    runtime.expect("a runtime for the customers").block_on(served)
}
