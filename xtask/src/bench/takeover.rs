//! Two replicas of every service; the one that leads is killed.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use cafe_system_tests::{Service, http, wait_until};

use super::figures::Bound::AtMost;
use super::figures::{Figures, median_of};
use super::ground::Ground;
use super::load;
use super::replicas::Replicas;

/// Kills of each service.
const TIMES: usize = 3;
/// One that is killed may be missed for so long: a figure above what it must be is told as such.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long an order that is placed just after takes until it is queued.
pub(crate) fn measure(ground: &Ground, figures: &mut Figures) -> Result<()> {
    if ground.postgres.is_none() {
        return Ok(());
    }
    for service in Service::ALL {
        let outages =
            (0..TIMES).map(|_| killed_while_leading(ground, service)).collect::<Result<Vec<_>>>()?;
        let highest = outages.iter().copied().fold(0.0, f64::max);
        println!("the longest of {TIMES}: {highest:.2} s");
        let name = format!("kill -9 of the leading {}: next order queued", service.name());
        figures.add(median_of(name, outages, "s").must(AtMost(5.0)));
    }
    Ok(())
}

fn killed_while_leading(ground: &Ground, service: Service) -> Result<f64> {
    let folder = tempfile::tempdir()?;
    let servers = ground.flags()?;
    let start = |name| {
        let flags = servers.iter().map(String::as_str).chain(["--replica", name]);
        Replicas::start(folder.path(), &flags.collect::<Vec<_>>())
    };
    // Whoever is alone leads.
    let mut first = start("first")?;
    wait_until_an_order_is_queued(&first, &first)?;
    let second = start("second")?;
    let killed = Instant::now();
    first.kill(service);
    // Orders and the queue are asked of one that lives.
    let shop = if service == Service::Order { &second } else { &first };
    let counter = if service == Service::Barista { &second } else { &first };
    wait_until_an_order_is_queued(shop, counter)?;
    Ok(killed.elapsed().as_secs_f64())
}

fn wait_until_an_order_is_queued(shop: &Replicas, counter: &Replicas) -> Result<()> {
    let place = || {
        let answer = http::post(shop.port(Service::Order), "/orders", None, load::ORDER).ok()?;
        (answer.status == 201).then(|| answer.json())
    };
    let (order, _) = wait_until(PATIENCE, "an order is taken", place);
    let ticket = format!("/tickets/{}", order["id"].as_str().context("an order without an id")?);
    let (port, key) = (counter.port(Service::Barista), Some(counter.staff_key.as_str()));
    let is_queued = || http::get(port, &ticket, key).is_ok_and(|answer| answer.status == 200);
    wait_until(PATIENCE, "an order is queued", || is_queued().then_some(()));
    Ok(())
}
