//! Before anybody comes: is this a cafe that a rush may be let loose on?

use anyhow::{Context, bail};
use cafe_events::OrderId;
use serde::Deserialize;

use super::mine::Mine;
use crate::client::Client;

/// The only vendor that takes no money.
const SIMULATOR: &str = "simulator";

#[derive(Deserialize)]
struct OrderPage {
    orders: Vec<Order>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Order {
    id: OrderId,
}

#[derive(Deserialize)]
struct Vendors {
    vendors: Option<Vec<String>>,
}

/// Refuses a cafe whose payment service knows a vendor that takes money.
pub(super) async fn only_the_simulator(staff: &Client, payment: &str) -> anyhow::Result<()> {
    let url = format!("{payment}/payments?limit=1");
    let answer =
        staff.get(&url).await.context("the payment service must be running: start `cafe up --robot`")?;
    anyhow::ensure!(
        answer.status.is_success(),
        "{url} answers {}; is this the cafe of that data folder?",
        answer.status
    );
    let Vendors { vendors } = answer.json().with_context(|| format!("{url} answers what cannot be read"))?;
    match vendors.unwrap_or_default().into_iter().find(|vendor| vendor != SIMULATOR) {
        Some(vendor) => {
            bail!("this cafe takes money through {vendor}; a rush is only for one with the simulator alone")
        }
        None => Ok(()),
    }
}

/// Refuses a cafe with orders that are not from a rush.
pub(super) async fn only_mine(staff: &Client, order: &str, mine: &Mine) -> anyhow::Result<()> {
    let mut after = String::new();
    loop {
        let url = format!("{order}/orders?limit=500{after}");
        let answer =
            staff.get(&url).await.context("the order service must be running: start `cafe up --robot`")?;
        anyhow::ensure!(
            answer.status.is_success(),
            "{url} answers {}; is this the cafe of that data folder?",
            answer.status
        );
        let page: OrderPage = answer.json().with_context(|| format!("{url} answers what cannot be read"))?;
        if let Some(order) = page.orders.iter().find(|order| !mine.holds(order.id)) {
            bail!(
                "this cafe has orders that are not from a rush (such as {}); if it serves nobody, say --yes-not-only-mine",
                order.id
            );
        }
        match page.next {
            Some(next) => after = format!("&after={next}"),
            None => return Ok(()),
        }
    }
}
