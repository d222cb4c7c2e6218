//! From the customer's 201 to the ticket in the barista's queue.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use cafe_system_tests::Service;
use cafe_system_tests::wire::{self, Wire};
use hdrhistogram::Histogram;

use super::figures::Bound::AtMost;
use super::figures::{Figures, median_of};
use super::ground::Ground;
use super::{Windows, load};

/// Customers a second.
const RATE: u32 = 100;
/// A window that nobody counts.
const WARM_UP: Duration = Duration::from_secs(10);
/// Between two looks for a ticket.
const LOOK: Duration = Duration::from_millis(1);
/// A ticket that is not queued by then is lost.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn measure(ground: &Ground, windows: &Windows, figures: &mut Figures) -> Result<()> {
    let cafe = ground.cafe(&[])?;
    let (mut p50, mut p99) = (Vec::new(), Vec::new());
    if !ground.is_embedded() {
        // Topics are made and listeners find them with the first orders of all; that is the start's matter.
        let ports = (cafe.port(Service::Order), cafe.port(Service::Barista));
        window(ports, &cafe.staff_key(), WARM_UP)?;
    }
    for _ in 0..windows.number {
        let ports = (cafe.port(Service::Order), cafe.port(Service::Barista));
        let latency_us = window(ports, &cafe.staff_key(), windows.length)?;
        p50.push(latency_us.value_at_quantile(0.5) as f64 / 1000.0);
        p99.push(latency_us.value_at_quantile(0.99) as f64 / 1000.0);
    }
    let name = |what| format!("accepted -> queued at {RATE}/s: {what}");
    let (p50, p99) = (median_of(name("p50"), p50, "ms"), median_of(name("p99"), p99, "ms"));
    if ground.is_embedded() {
        figures.add(p50.must(AtMost(10.0)));
        figures.add(p99.must(AtMost(30.0)));
    } else {
        figures.add(p50);
        figures.add(p99.must(AtMost(100.0)));
    }
    Ok(())
}

/// The latencies of customers that come one by one to order and to barista.
pub(crate) fn window(ports: (u16, u16), key: &str, length: Duration) -> Result<Histogram<u64>> {
    let orders = (length.as_secs_f64() * f64::from(RATE)) as u32;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (opened, keys) = (Instant::now(), load::fresh_keys());
        let mut customers = Vec::new();
        for n in 0..orders {
            tokio::time::sleep_until((opened + Duration::from_secs(1) * n / RATE).into()).await;
            customers.push(tokio::spawn(customer(ports, key.to_owned(), keys | u128::from(n))));
        }
        let mut latency_us = load::histogram();
        let mut refused = Vec::new();
        for customer in customers {
            match customer.await?? {
                Ok(took) => latency_us.saturating_record(took.as_micros().max(1) as u64),
                Err(problem) => refused.push(problem),
            }
        }
        let (count, last) = (refused.len(), refused.last().map_or("", String::as_str));
        ensure!(count * 100 <= orders as usize, "{count} of {orders} orders were refused: {last}");
        Ok(latency_us)
    })
}

/// Orders, and asks the barista for the ticket until there is one. The screens' stream would not do: it gathers changes for
/// a while before it sends them. The problem if the order was refused.
async fn customer(
    (order, barista): (u16, u16),
    staff: String,
    key: u128,
) -> Result<Result<Duration, String>> {
    let (mut shop, mut counter) = (Wire::connect(order).await?, Wire::connect(barista).await?);
    let mut request = load::Request::new();
    let answer = shop.send(request.keyed(key)).await?;
    let answered = Instant::now();
    if answer.status != 201 {
        return Ok(Err(String::from_utf8_lossy(answer.body).into_owned()));
    }
    let order: serde_json::Value = serde_json::from_slice(answer.body)?;
    let id = order["id"].as_str().context("an order without an id")?;
    let look = wire::get(&format!("/tickets/{id}"), &[("authorization", &format!("Bearer {staff}"))]);
    while counter.send(&look).await?.status != 200 {
        ensure!(answered.elapsed() < PATIENCE, "the ticket of {id} is not queued");
        tokio::time::sleep(LOOK).await;
    }
    Ok(Ok(answered.elapsed()))
}
