//! Follows the orders that were taken to their ends: through staff's list in pages while many are under way, one by one
//! when few are left, and never for more than a small part of the cafe's time.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use cafe_events::OrderId;
use cafe_promises::{OrderStatus, PaymentStatus};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep};

use super::Rush;

/// Orders per page.
const PAGE: u32 = 500;
/// With so few orders left, each is asked for by itself.
const FEW: usize = 40;
/// Between two looks.
const SHORTEST_GAP: Duration = Duration::from_millis(500);
/// Looking takes at most one part in so many of the time.
const PARTS: u32 = 8;
/// Once all customers came and nothing has been made for so long, there is no barista.
const NO_BARISTA_AFTER: Duration = Duration::from_secs(5);
/// An order that was not paid in time is settled so long after that: a vendor that answers nothing is looked up for 35 s,
/// and up to another few until the news is everywhere.
const AFTER_PAY_BY: Duration = Duration::from_secs(45);

/// Where the orders were left.
#[derive(Debug, Default)]
pub(super) struct Followed {
    /// Orders that are not at their end, with what their customers see.
    pub(super) unfinished: BTreeMap<OrderId, OrderStatus>,
    /// Orders whose money is still in question.
    pub(super) open_payments: Vec<OrderId>,
    /// Nothing was ever made.
    pub(super) no_barista: bool,
}

#[derive(Deserialize)]
struct OrderPage {
    orders: Vec<ShownOrder>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct ShownOrder {
    id: OrderId,
    status: OrderStatus,
}

#[derive(Deserialize)]
struct PaymentPage {
    payments: Vec<ShownPayment>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct ShownPayment {
    order_id: OrderId,
    status: PaymentStatus,
    open: bool,
}

/// Follows until everything taken is at its end, or the limit is over. `all_came` says when nobody comes any more.
pub(super) async fn to_the_end(
    rush: &Rush,
    all_came: &tokio::sync::watch::Receiver<Option<Instant>>,
) -> Followed {
    let mut following =
        Following { rush, known: 0, states: BTreeMap::new(), last_move: Instant::now(), any_made: false };
    loop {
        let began = Instant::now();
        let gap = match following.look().await {
            Ok(()) => SHORTEST_GAP.max(began.elapsed() * PARTS),
            // A service is away: that is its business, and the audit's.
            Err(_) => SHORTEST_GAP * 2,
        };
        let came = *all_came.borrow();
        if let Some(came) = came {
            let no_barista = following.only_waits_to_be_made(came);
            let at_end = following.unfinished().next().is_none();
            let over = Instant::now() > rush.settle_until(came);
            if no_barista
                || over
                || (at_end && following.open_payments().await.is_ok_and(|open| open.is_empty()))
            {
                return following.end(no_barista).await;
            }
        }
        sleep(gap).await;
    }
}

impl Rush {
    /// Until when orders may take to come to their ends: some time after the last customer came, and so long after the last
    /// order could still have been paid.
    fn settle_until(&self, came: Instant) -> Instant {
        let expires = self.tally.lock().taken.iter().map(|taken| taken.expires).max();
        let after_pay_by = expires.map_or(came, |expires| expires + AFTER_PAY_BY);
        (came + self.settle).max(after_pay_by)
    }
}

struct Following<'a> {
    rush: &'a Rush,
    /// How many of the orders taken are in `states`.
    known: usize,
    states: BTreeMap<OrderId, OrderStatus>,
    last_move: Instant,
    any_made: bool,
}

impl Following<'_> {
    async fn look(&mut self) -> anyhow::Result<()> {
        let new: Vec<OrderId> = {
            let tally = self.rush.tally.lock();
            tally.taken[self.known..].iter().map(|taken| taken.order_id).collect()
        };
        self.known += new.len();
        self.rush.mine.remember(&new);
        for order_id in new {
            self.states.entry(order_id).or_insert(OrderStatus::Placed);
        }
        let wanted: Vec<OrderId> = self.unfinished().collect();
        if wanted.len() <= FEW {
            self.one_by_one(&wanted).await?;
        } else {
            self.by_pages(wanted[0]).await?;
        }
        let mut shown = BTreeMap::new();
        for status in self.states.values() {
            *shown.entry(*status).or_default() += 1;
        }
        self.rush.tally.lock().shown = shown;
        Ok(())
    }

    async fn one_by_one(&mut self, wanted: &[OrderId]) -> anyhow::Result<()> {
        for order_id in wanted {
            let order: ShownOrder =
                self.rush.ask(&format!("http://{}/orders/{order_id}", self.rush.order)).await?;
            self.note(&order);
        }
        Ok(())
    }

    async fn by_pages(&mut self, first: OrderId) -> anyhow::Result<()> {
        let mut after = Some(before(first).to_string());
        while let Some(from) = after {
            let url = format!("http://{}/orders?after={from}&limit={PAGE}", self.rush.order);
            let page: OrderPage = self.rush.ask(&url).await?;
            page.orders.iter().for_each(|order| self.note(order));
            after = page.next;
        }
        Ok(())
    }

    fn note(&mut self, order: &ShownOrder) {
        let Some(known) = self.states.get_mut(&order.id).filter(|known| **known != order.status) else {
            return;
        };
        *known = order.status;
        self.last_move = Instant::now();
        self.any_made |=
            matches!(order.status, OrderStatus::Making | OrderStatus::Ready | OrderStatus::PickedUp);
    }

    fn unfinished(&self) -> impl Iterator<Item = OrderId> {
        self.states.iter().filter(|(_, status)| !status.is_final()).map(|(order_id, _)| *order_id)
    }

    fn only_waits_to_be_made(&self, came: Instant) -> bool {
        !self.any_made
            && came.elapsed() > NO_BARISTA_AFTER
            && self.last_move.elapsed() > NO_BARISTA_AFTER
            && self.states.values().any(|status| *status == OrderStatus::Paid)
            && self.states.values().all(|status| *status == OrderStatus::Paid || status.is_final())
    }

    /// Orders of this rush whose money is still in question.
    async fn open_payments(&self) -> anyhow::Result<Vec<OrderId>> {
        let mut open = Vec::new();
        let mut after = self.states.keys().next().map(|first| before(*first).to_string());
        while let Some(from) = after {
            let url = format!("http://{}/payments?after={from}&limit={PAGE}", self.rush.payment);
            let page: PaymentPage = self.rush.ask(&url).await?;
            let mine = page.payments.iter().filter(|payment| self.states.contains_key(&payment.order_id));
            open.extend(
                mine.filter(|payment| payment.open && payment.status != PaymentStatus::Other)
                    .map(|p| p.order_id),
            );
            after = page.next;
        }
        Ok(open)
    }

    async fn end(self, no_barista: bool) -> Followed {
        let open_payments = self.open_payments().await.unwrap_or_default();
        let unfinished = self.states.iter().filter(|(_, status)| !status.is_final());
        Followed {
            unfinished: unfinished.map(|(id, status)| (*id, *status)).collect(),
            open_payments,
            no_barista,
        }
    }
}

impl Rush {
    /// Asks a service with the staff key.
    pub(super) async fn ask<T: DeserializeOwned>(&self, url: &str) -> anyhow::Result<T> {
        let answer = self.staff.get(url).await?;
        anyhow::ensure!(answer.status.is_success(), "{url} answers {}", answer.status);
        answer.json().with_context(|| format!("{url} answers what cannot be read"))
    }
}

/// The id before this one, for a page that begins with it.
fn before(order_id: OrderId) -> OrderId {
    OrderId::from_u128(order_id.as_u128().saturating_sub(1))
}
