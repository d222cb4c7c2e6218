//! The order service as delivery sees it: pure decisions on loaded rows.

use cafe_clock::from_ms;
use cafe_delivery::{Domain, Poison, Turn};
use cafe_events::{Event, Heard, OrderId, PaymentApproved, PaymentEvent, Said, Source};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::numbers::DayNumbers;
use crate::order::Status;
use crate::reactions;
use crate::requests::{self, Answer, Request};
use crate::store::OrderTables;

/// The decisions of the order service.
#[derive(Clone, Debug)]
pub struct Orders {
    /// Where the cafe is: it decides when a business day begins.
    pub zone: TimeZone,
}

/// What became of an order, for whoever watches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which order.
    pub order_id: OrderId,
    /// When it was placed, where that is known.
    pub placed_at: Option<Timestamp>,
    /// What its customer saw before; nothing for a new one.
    pub before: Option<Status>,
    /// What its customer sees now.
    pub after: Status,
}

impl Change {
    /// When the order was placed, if payment has spoken about it with this change.
    pub fn reached(&self) -> Option<Timestamp> {
        self.placed_at.filter(|_| self.before == Some(Status::Placed) && self.after != Status::Placed)
    }
}

/// What another replica did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct News {
    /// This order changed.
    pub(crate) order_id: OrderId,
    /// Payment has spoken about an order that was placed then.
    pub(crate) reached: Option<Timestamp>,
}

/// Reads what [`Domain::news_of`] has written.
pub(crate) fn read_news(line: &str) -> Option<News> {
    let (order_id, reached) = line.split_once(' ').unwrap_or((line, ""));
    let order_id = OrderId::try_parse(order_id).ok()?;
    Some(News { order_id, reached: reached.parse().ok().map(from_ms) })
}

impl Domain for Orders {
    const SOURCE: Source = Source::Order;
    type Tables = OrderTables;
    type Request = Request;
    type Answer = Answer;
    type Effect = Change;

    /// Nobody can be watching an order before it is there.
    fn news_of(change: &Change) -> Option<String> {
        change.before?;
        let order_id = change.order_id;
        Some(match change.reached() {
            Some(placed_at) => format!("{order_id} {}", placed_at.as_millisecond()),
            None => order_id.to_string(),
        })
    }

    fn needs_of_heard(&self, heard: &Heard, tables: &mut OrderTables) {
        tables.orders.need(heard.order_id);
        if approval(heard).is_some() {
            tables.numbers.need(heard.store.clone());
        }
    }

    fn needs_of_request(&self, request: &Request, tables: &mut OrderTables) {
        requests::needs(request, tables);
    }

    fn hear(
        &self,
        tables: &mut OrderTables,
        heard: &Heard,
        _now: Timestamp,
        turn: &mut Turn<Change>,
    ) -> Result<(), Poison> {
        let before = tables.orders.get(&heard.order_id).cloned();
        let mut order = before.as_deref().cloned().unwrap_or_default();
        reactions::hear(&mut order, heard)?;
        if let Some(approved) = approval(heard) {
            raise_numbers(tables, &heard.store, approved);
        }
        requests::keep(tables, turn, heard.order_id, order, before.as_deref());
        Ok(())
    }

    fn decide(
        &self,
        tables: &mut OrderTables,
        request: &Request,
        now: Timestamp,
        turn: &mut Turn<Change>,
    ) -> Answer {
        requests::decide(self, tables, request, now, turn)
    }
}

fn approval(heard: &Heard) -> Option<&PaymentApproved> {
    match &heard.said {
        Said::Known(Event::Payment(PaymentEvent::Approved(approved))) => Some(approved),
        _ => None,
    }
}

/// A restored copy may be behind what was called out: what payment heard from us tells.
fn raise_numbers(tables: &mut OrderTables, store: &String, approved: &PaymentApproved) {
    let (Ok(day), Ok(number)) = (approved.day.parse(), approved.number.parse()) else { return };
    if let Some(raised) = DayNumbers::raised(tables.numbers.get(store), day, number) {
        tables.numbers.put(store.clone(), raised);
    }
}
