//! From the customer's 201 to the ticket on the barista's screen.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use cafe_system_tests::wire::{self, Wire};
use cafe_system_tests::{Cafe, Service};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use super::figures::Bound::AtMost;
use super::figures::{Figures, median_of};
use super::{Windows, load};

/// Customers a second.
const RATE: u32 = 100;
/// Until the last ticket is on the screen.
const PATIENCE: Duration = Duration::from_secs(20);

/// When each order was seen, by its id.
type Sightings = HashMap<String, Instant>;

pub(crate) fn measure(windows: &Windows, figures: &mut Figures) -> Result<()> {
    let cafe = Cafe::up(&[]);
    let (mut p50, mut p99) = (Vec::new(), Vec::new());
    for _ in 0..windows.number {
        let latency_us = window(&cafe, windows.length)?;
        p50.push(latency_us.value_at_quantile(0.5) as f64 / 1000.0);
        p99.push(latency_us.value_at_quantile(0.99) as f64 / 1000.0);
    }
    let name = |what| format!("accepted -> queued at {RATE}/s: {what}");
    figures.add(median_of(name("p50"), p50, "ms").must(AtMost(10.0)));
    figures.add(median_of(name("p99"), p99, "ms").must(AtMost(30.0)));
    Ok(())
}

fn window(cafe: &Cafe, length: Duration) -> Result<hdrhistogram::Histogram<u64>> {
    let (order, barista) = (cafe.port(Service::Order), cafe.port(Service::Barista));
    let orders = (length.as_secs_f64() * f64::from(RATE)) as usize;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let (accepted, queued) = runtime.block_on(async {
        let screen = Wire::connect(barista).await?.open(&wire::get("/queue/events", &[])).await?;
        let watch = tokio::spawn(tokio::time::timeout(length + PATIENCE, watch(screen, orders)));
        let accepted = order_steadily(order, orders).await?;
        let queued = watch.await?.context("not every ticket came to the screen")??;
        anyhow::Ok((accepted, queued))
    })?;
    let mut latency_us = load::histogram();
    for (id, accepted) in &accepted {
        let queued = queued.get(id).context("an order whose ticket never came to the screen")?;
        let took = queued.saturating_duration_since(*accepted);
        latency_us.saturating_record(took.as_micros().max(1) as u64);
    }
    ensure!(latency_us.len() == orders as u64, "{} of {orders} orders were taken", latency_us.len());
    Ok(latency_us)
}

/// Orders at the rate, and when each was answered.
async fn order_steadily(port: u16, orders: usize) -> Result<Sightings> {
    let opened = Instant::now();
    let keys = load::fresh_keys();
    let mut customers = Vec::new();
    for n in 0..orders as u32 {
        tokio::time::sleep_until((opened + Duration::from_secs(1) * n / RATE).into()).await;
        customers.push(tokio::spawn(async move {
            let mut request = load::Request::new();
            let mut wire = Wire::connect(port).await?;
            let answer = wire.send(request.keyed(keys | u128::from(n))).await?;
            let answered = Instant::now();
            let order: serde_json::Value = serde_json::from_slice(answer.body)?;
            anyhow::Ok((order["id"].as_str().context("an order without an id")?.to_owned(), answered))
        }));
    }
    let mut accepted = Sightings::new();
    for customer in customers {
        let (id, at) = customer.await??;
        accepted.insert(id, at);
    }
    Ok(accepted)
}

/// Reads the screen's stream until so many new tickets have been seen.
async fn watch(mut screen: TcpStream, tickets: usize) -> Result<Sightings> {
    let mut bytes = Vec::new();
    let mut seen = Sightings::new();
    let mut snapshot_is_over = false;
    while seen.len() < tickets {
        ensure!(screen.read_buf(&mut bytes).await? > 0, "the stream has ended");
        let now = Instant::now();
        // What was queued before this window comes first, in one event.
        if !snapshot_is_over {
            let Some(end) = find(&bytes, b"\n\n") else { continue };
            bytes.drain(..end + 2);
            snapshot_is_over = true;
        }
        while let Some(end) = find(&bytes, b"\n\n") {
            for id in order_ids(&bytes[..end]) {
                seen.entry(id).or_insert(now);
            }
            bytes.drain(..end + 2);
        }
    }
    Ok(seen)
}

fn order_ids(event: &[u8]) -> Vec<String> {
    const FIELD: &str = r#""order_id":""#;
    let text = String::from_utf8_lossy(event);
    text.match_indices(FIELD)
        .filter_map(|(at, _)| Some(text[at + FIELD.len()..].get(..36)?.to_owned()))
        .collect()
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|part| part == what)
}

#[cfg(test)]
mod tests {
    use super::order_ids;

    #[test]
    fn the_orders_of_an_event_are_found() {
        let event = br#"data: {"tickets":[{"order_id":"019aaf00-0000-7000-8000-000000000001","x":1}]}"#;
        assert_eq!(order_ids(event), ["019aaf00-0000-7000-8000-000000000001"]);
    }
}
