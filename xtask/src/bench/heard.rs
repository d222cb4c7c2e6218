//! From the customer's 201 to the ticket in the barista's queue.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use cafe_system_tests::wire::{self, Wire};
use cafe_system_tests::{Cafe, Service};
use hdrhistogram::Histogram;

use super::figures::Bound::AtMost;
use super::figures::{Figures, median_of};
use super::{Windows, load};

/// Customers a second.
const RATE: u32 = 100;
/// Between two looks for a ticket.
const LOOK: Duration = Duration::from_millis(1);
/// A ticket that is not queued by then is lost.
const PATIENCE: Duration = Duration::from_secs(20);

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

fn window(cafe: &Cafe, length: Duration) -> Result<Histogram<u64>> {
    let ports = (cafe.port(Service::Order), cafe.port(Service::Barista));
    let key = cafe.staff_key();
    let orders = (length.as_secs_f64() * f64::from(RATE)) as u32;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (opened, keys) = (Instant::now(), load::fresh_keys());
        let mut customers = Vec::new();
        for n in 0..orders {
            tokio::time::sleep_until((opened + Duration::from_secs(1) * n / RATE).into()).await;
            customers.push(tokio::spawn(customer(ports, key.clone(), keys | u128::from(n))));
        }
        let mut latency_us = load::histogram();
        for customer in customers {
            latency_us.saturating_record(customer.await??.as_micros().max(1) as u64);
        }
        Ok(latency_us)
    })
}

/// Orders, and asks the barista for the ticket until there is one. The screens' stream would not do: it gathers changes for
/// a while before it sends them.
async fn customer((order, barista): (u16, u16), staff: String, key: u128) -> Result<Duration> {
    let (mut shop, mut counter) = (Wire::connect(order).await?, Wire::connect(barista).await?);
    let mut request = load::Request::new();
    let answer = shop.send(request.keyed(key)).await?;
    let answered = Instant::now();
    let order: serde_json::Value = serde_json::from_slice(answer.body)?;
    let id = order["id"].as_str().context("an order without an id")?;
    let look = wire::get(&format!("/tickets/{id}"), &[("authorization", &format!("Bearer {staff}"))]);
    while counter.send(&look).await?.status != 200 {
        ensure!(answered.elapsed() < PATIENCE, "the ticket of {id} is not queued");
        tokio::time::sleep(LOOK).await;
    }
    Ok(answered.elapsed())
}
