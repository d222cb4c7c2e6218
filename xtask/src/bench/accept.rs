//! Taking orders: `POST /orders`, beside the echo.

use anyhow::Result;
use cafe_system_tests::{Cafe, Service};

use super::echo::Echo;
use super::figures::Bound::{AtLeast, AtMost};
use super::figures::{Figures, median_of};
use super::load::Keys;
use super::{Windows, load};

/// Connections at which it is judged.
const JUDGED_AT: usize = 64;

/// Order alone: what the others do with an order is the cycle's matter. Each measurement on a new data folder.
pub(crate) fn measure(windows: &Windows, figures: &mut Figures) -> Result<()> {
    let echo = Echo::start()?;
    for connections in [1, 16, JUDGED_AT, 256] {
        beside(&echo, connections, Keys::None, windows, figures)?;
    }
    for keys in [Keys::InOrder, Keys::Random] {
        beside(&echo, JUDGED_AT, keys, windows, figures)?;
    }
    Ok(())
}

/// Windows of load on the service and on the echo, one after the other.
fn beside(
    echo: &Echo,
    connections: usize,
    keys: Keys,
    windows: &Windows,
    figures: &mut Figures,
) -> Result<()> {
    let mut cafe = Cafe::closed(&[]);
    cafe.open_alone(Service::Order);
    cafe.wait_until_serving(Service::Order);
    let (mut rate, mut p50, mut p99, mut ratio, mut limit) = (vec![], vec![], vec![], vec![], vec![]);
    for _ in 0..windows.number {
        let bare = load::closed(echo.port, connections, windows.length, keys)?;
        let order = load::closed(cafe.port(Service::Order), connections, windows.length, keys)?;
        anyhow::ensure!(order.failed == 0, "{} orders were not answered 201", order.failed);
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
    if connections == JUDGED_AT {
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
