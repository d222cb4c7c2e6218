//! Taking orders: `POST /orders`, beside the echo, and on Kafka beside what another program would do with it.

use anyhow::{Context, Result};
use cafe_system_tests::{Cafe, Emitter, Nest, Service, http};

use super::echo::Echo;
use super::figures::Bound::{AtLeast, AtMost};
use super::figures::{Figures, median_of};
use super::ground::Ground;
use super::load::{Keys, Load, Shop};
use super::{Windows, load};

/// Connections at which it is judged.
const JUDGED_AT: usize = 64;
/// A chain.
const STORES: u32 = 1_000;
/// Windows that nobody counts, in which the compilers of Node and of Kafka's Java do their work.
const WARM_UPS: usize = 2;

/// Order alone: what the others do with an order is the cycle's matter. Each measurement on a new data folder.
pub(crate) fn measure(ground: &Ground, windows: &Windows, figures: &mut Figures) -> Result<()> {
    let echo = Echo::start()?;
    for connections in [1, 16, JUDGED_AT, 256] {
        beside_echo(ground, &echo, (connections, Keys::None), windows, figures)?;
    }
    for keys in [Keys::InOrder, Keys::Random] {
        beside_echo(ground, &echo, (JUDGED_AT, keys), windows, figures)?;
    }
    over_stores(ground, windows, figures)
}

/// Windows of load on the service and on the echo, one after the other.
fn beside_echo(
    ground: &Ground,
    echo: &Echo,
    (connections, keys): (usize, Keys),
    windows: &Windows,
    figures: &mut Figures,
) -> Result<()> {
    let cafe = order_alone(ground)?;
    let bare = Shop { port: echo.port, path: load::PATH, stores: 1 };
    let (mut rate, mut p50, mut p99, mut ratio, mut limit) = (vec![], vec![], vec![], vec![], vec![]);
    for _ in 0..windows.number {
        let bare = load::closed(bare, connections, windows.length, keys)?;
        let order = taken(&cafe, connections, windows, keys)?;
        limit.push(bare.rate);
        rate.push(order.rate);
        p50.push(order.ms(0.5));
        p99.push(order.ms(0.99));
        ratio.push(order.rate / bare.rate);
    }
    let on = match keys {
        Keys::None => format!("{connections} connections"),
        Keys::InOrder => format!("{connections} connections, keys in order"),
        Keys::Random => format!("{connections} connections, random keys"),
    };
    let mut p99 = median_of(format!("POST /orders, {on}: p99"), p99, "ms");
    let mut ratio = median_of(format!("POST /orders, {on}: ratio to the echo"), ratio, "");
    if connections == JUDGED_AT && ground.is_embedded() {
        p99 = p99.must(AtMost(20.0));
        if keys == Keys::None {
            ratio = ratio.must(AtLeast(0.35)).aim(AtLeast(0.5));
        }
    }
    figures.add(median_of(format!("echo, {on}"), limit, "1/s"));
    figures.add(median_of(format!("POST /orders, {on}"), rate, "1/s"));
    figures.add(median_of(format!("POST /orders, {on}: p50"), p50, "ms"));
    figures.add(p99);
    figures.add(ratio);
    Ok(())
}

/// Orders for one store and for many: each store has a count of its own, which every turn that it is in looks up and writes.
fn over_stores(ground: &Ground, windows: &Windows, figures: &mut Figures) -> Result<()> {
    let cafe = order_alone(ground)?;
    let (mut one, mut many) = (vec![], vec![]);
    for _ in 0..windows.number {
        for (stores, rates) in [(1, &mut one), (STORES, &mut many)] {
            let shop = Shop { stores, ..load::shop(&cafe) };
            let order = load::closed(shop, JUDGED_AT, windows.length, Keys::None)?;
            order.demand_all_taken()?;
            rates.push(order.rate);
        }
    }
    let name = |stores| format!("POST /orders, {JUDGED_AT} connections, {stores}");
    figures.add(median_of(name("one store".to_owned()), one, "1/s"));
    figures.add(median_of(name(format!("{STORES} stores")), many, "1/s"));
    Ok(())
}

/// The same beside an application in `NestJS` that sends each order to the same Kafka and keeps nothing.
pub(crate) fn measure_beside_emitter(
    ground: &Ground,
    windows: &Windows,
    figures: &mut Figures,
) -> Result<()> {
    let Some(kafka) = &ground.kafka else { return Ok(()) };
    let cafe = order_alone(ground)?;
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let _emitter: Emitter = Nest::install()?.emitter(&kafka.bootstrap(), port);
    let emitter = Shop { port, path: "/", stores: 1 };
    for _ in 0..WARM_UPS {
        load::closed(emitter, JUDGED_AT, windows.length, Keys::None)?;
        taken(&cafe, JUDGED_AT, windows, Keys::None)?;
    }
    let (mut rate, mut bare, mut ratio, mut relayed) = (vec![], vec![], vec![], vec![]);
    for _ in 0..windows.number {
        let theirs = load::closed(emitter, JUDGED_AT, windows.length, Keys::None)?;
        theirs.demand_all_taken().context("the emitter")?;
        let ours = taken(&cafe, JUDGED_AT, windows, Keys::None)?;
        relayed.push(behind(&cafe)? / ours.rate);
        bare.push(theirs.rate);
        rate.push(ours.rate);
        ratio.push(ours.rate / theirs.rate);
    }
    let name = |what: &str| format!("{what}, {JUDGED_AT} connections");
    figures.add(median_of(name("emitter in NestJS"), bare, "1/s"));
    figures.add(median_of(name("POST /orders beside it"), rate, "1/s"));
    let ratio = median_of(name("POST /orders: ratio to the emitter"), ratio, "");
    figures.add(ratio.must(AtLeast(5.0)).aim(AtLeast(10.0)));
    figures.add(median_of("POST /orders: not yet in Kafka at the end", relayed, "s"));
    Ok(())
}

fn order_alone(ground: &Ground) -> Result<Cafe> {
    let mut cafe = ground.closed(&[])?;
    cafe.open_alone(Service::Order);
    cafe.wait_until_serving(Service::Order);
    Ok(cafe)
}

fn taken(cafe: &Cafe, connections: usize, windows: &Windows, keys: Keys) -> Result<Load> {
    let order = load::closed(load::shop(cafe), connections, windows.length, keys)?;
    order.demand_all_taken()?;
    Ok(order)
}

/// Orders that are on disk and not in the topic yet.
fn behind(cafe: &Cafe) -> Result<f64> {
    let ready = http::get(cafe.port(Service::Order), "/health/ready", None)?.json();
    ready["relay"]["behind"].as_f64().context("order has no relay")
}
