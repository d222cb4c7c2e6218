//! Facts in the answers of running services, with the staff key: what each shows of every order, and what it set aside.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use cafe_events::{OrderId, Source};
use cafe_promises::{Kind, OrderFact, ParkedFact, PaymentFact, TicketFact};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::cafe::{Heads, PAGE, Page, Range};
use crate::client::Client;

/// How long a service may take to answer.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);
/// Why the rest is not seen.
const ONLY_IN_FOLDER: &str = "only the data folder shows it (--data)";

/// Running services.
pub(super) struct Answers {
    staff: Client,
    urls: [String; 3],
    unseen: BTreeMap<Kind, String>,
    parked: BTreeMap<OrderId, Vec<ParkedFact>>,
    parked_without_order: Vec<ParkedFact>,
}

#[derive(Deserialize)]
struct Orders {
    orders: Vec<OrderFact>,
    next: Option<OrderId>,
}

#[derive(Deserialize)]
struct Payments {
    payments: Vec<PaymentFact>,
    next: Option<OrderId>,
}

#[derive(Deserialize)]
struct Tickets {
    tickets: Vec<TicketFact>,
    next: Option<OrderId>,
}

#[derive(Deserialize)]
struct SetAside {
    parked: Vec<Parked>,
    next: Option<i64>,
}

#[derive(Deserialize)]
struct Parked {
    source: Source,
    order_id: Option<String>,
    version: Option<i64>,
    reason: String,
}

impl Answers {
    /// The services at `urls`, in the order of [`Source::ALL`].
    pub(super) fn new(staff: Client, urls: [String; 3]) -> Self {
        let seen = [Kind::Orders, Kind::Payments, Kind::Tickets, Kind::Customers];
        let unseen = Kind::ALL.into_iter().filter(|kind| !seen.contains(kind));
        let unseen = unseen.map(|kind| (kind, ONLY_IN_FOLDER.to_owned())).collect();
        Self { staff, urls, unseen, parked: BTreeMap::new(), parked_without_order: Vec::new() }
    }

    pub(super) fn name(&self) -> String {
        format!("Over HTTP ({})", self.urls.join(", "))
    }

    pub(super) fn heads(&self) -> Heads {
        Heads { unseen: self.unseen.clone(), parked: self.parked_without_order.clone(), ..Heads::default() }
    }

    /// See [`super::cafe::Cafe::page`].
    pub(super) async fn page(&mut self, range: Range) -> anyhow::Result<Page> {
        self.read_parked().await;
        let (orders, order_end) =
            self.list(Source::Order, range, |page: Orders| (page.orders, page.next)).await;
        let (payments, payment_end) =
            self.list(Source::Payment, range, |page: Payments| (page.payments, page.next)).await;
        let (tickets, ticket_end) =
            self.list(Source::Barista, range, |page: Tickets| (page.tickets, page.next)).await;
        let ends = [order_end, payment_end, ticket_end];
        let through = range.through.or(ends.into_iter().flatten().min());
        let range = Range { through, ..range };
        let mut page = Page { heads: self.heads(), through, ..Page::default() };
        for order in orders.into_iter().filter(|order| range.holds(order.id)) {
            page.case(order.id).order.get_or_insert(order);
        }
        for payment in payments.into_iter().filter(|payment| range.holds(payment.order_id)) {
            page.case(payment.order_id).payment.get_or_insert(payment);
        }
        for ticket in tickets.into_iter().filter(|ticket| range.holds(ticket.order_id)) {
            page.case(ticket.order_id).ticket.get_or_insert(ticket);
        }
        for (order_id, parked) in self.parked.iter().filter(|(order_id, _)| range.holds(**order_id)) {
            page.case(*order_id).parked.clone_from(parked);
        }
        Ok(page)
    }

    /// What a service lists after `range.after`: up to its end where it has one, otherwise a page. A service that does not
    /// answer is not seen.
    async fn list<P: DeserializeOwned, T>(
        &mut self,
        service: Source,
        range: Range,
        open: impl Fn(P) -> (Vec<T>, Option<OrderId>),
    ) -> (Vec<T>, Option<OrderId>) {
        let (kind, list) = match service {
            Source::Order => (Kind::Orders, "orders"),
            Source::Payment => (Kind::Payments, "payments"),
            Source::Barista => (Kind::Tickets, "tickets"),
        };
        let (mut rows, mut after) = (Vec::new(), range.after);
        while !self.unseen.contains_key(&kind) {
            let after_id = after.map(|after| format!("&after={after}")).unwrap_or_default();
            let page = match self.ask(&format!("{}/{list}?limit={PAGE}{after_id}", self.url(service))).await {
                Ok(page) => page,
                Err(error) => {
                    self.unseen.insert(kind, format!("{error:#}"));
                    break;
                }
            };
            let (page, next) = open(page);
            rows.extend(page);
            match (range.through, next) {
                (Some(through), Some(next)) if next < through => after = Some(next),
                (None, next) => return (rows, next),
                _ => break,
            }
        }
        (rows, None)
    }

    async fn read_parked(&mut self) {
        (self.parked, self.parked_without_order) = (BTreeMap::new(), Vec::new());
        for listener in Source::ALL {
            let mut after = String::new();
            while let Ok(page) =
                self.ask::<SetAside>(&format!("{}/parked?limit=100{after}", self.url(listener))).await
            {
                for Parked { source, order_id, version, reason } in page.parked {
                    let version = version.and_then(|version| u32::try_from(version).ok());
                    let fact = ParkedFact { listener, source, version, reason };
                    match order_id.and_then(|order_id| OrderId::try_parse(&order_id).ok()) {
                        Some(order_id) => self.parked.entry(order_id).or_default().push(fact),
                        None => self.parked_without_order.push(fact),
                    }
                }
                match page.next {
                    Some(next) => after = format!("&after={next}"),
                    None => break,
                }
            }
        }
    }

    fn url(&self, service: Source) -> &str {
        &self.urls[service as usize]
    }

    async fn ask<T: DeserializeOwned>(&self, url: &str) -> anyhow::Result<T> {
        let answer = self.staff.get(url).await?;
        anyhow::ensure!(answer.status.is_success(), "{url} answers {}", answer.status);
        answer.json().with_context(|| format!("{url} answers what cannot be read"))
    }
}
