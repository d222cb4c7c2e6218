//! An order as its customer sees it. Fields are only ever added.

use cafe_events::{Currency, LineId, Name, OrderId, OrderLine, Size};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::backlog::Flow;
use crate::order::{LineState, Order, Placed, Status};

/// What is said to customers who wait longer than usual.
const DELAY_NOTICE: &str =
    "Payments take longer than usual at the moment. Your order is kept; you are charged once, or not at all.";

/// An order.
#[derive(Serialize, ToSchema)]
#[schema(as = Order)]
pub(super) struct OrderView<'a> {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub(super) id: OrderId,
    /// What is called out: at least four digits, in order within `day` and `store`.
    #[schema(example = "0001")]
    number: &'a str,
    /// The business day of `number`.
    #[schema(format = Date)]
    day: &'a str,
    /// The store that makes it.
    store: &'a str,
    /// How it stands.
    pub(super) status: Status,
    /// What it costs, in minor units of `currency`.
    total: i64,
    /// Of every amount here.
    currency: Currency,
    /// To go, rather than here.
    takeout: bool,
    /// What was ordered.
    lines: Vec<LineView<'a>>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    placed_at: Timestamp,
    /// Not paid by then, it expires; null where that is not known.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pay_by: Option<Timestamp>,
    /// Everything given back so far, in minor units of `currency`.
    refunded: i64,
    /// Whether it is to be undone; null when nobody asked.
    #[schema(required)]
    pub(super) cancel: Option<CancelView>,
    /// Every status so far, oldest first.
    steps: Vec<Step>,
    /// How much was said about it.
    pub(super) versions: Versions,
    /// Payment is slow at the moment, and this order waits for it.
    pub(super) payment_delayed: bool,
    /// A sentence for the customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    notice: Option<&'static str>,
    /// What opens this order to whoever placed it; only in the answer to placing it.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

/// A line of an order.
#[derive(Serialize, ToSchema)]
#[schema(as = Line)]
struct LineView<'a> {
    /// Its number within the order, from 1.
    #[schema(value_type = u16)]
    line_id: LineId,
    /// The drink's key in the menu.
    menu: &'a str,
    /// Its name when it was ordered.
    name: &'a Name,
    /// Its size.
    size: Size,
    /// How many.
    quantity: u32,
    /// Chosen options.
    options: &'a [String],
    /// To go, rather than here.
    takeout: bool,
    /// Price of one, in minor units.
    unit_price: i64,
    /// Price of all, in minor units.
    price: i64,
    /// How far it is.
    state: LineState,
}

/// Whether an order is to be undone.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Cancel)]
pub(super) enum CancelView {
    /// Somebody asked; the status tells what comes of it.
    Requested,
    /// It came too late, or the order came to another end.
    Refused,
}

/// A status that an order reached.
#[derive(Serialize, ToSchema)]
struct Step {
    /// Which.
    status: Status,
    /// When, by the clock of the service that decided it.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// How many events each service announced about an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Versions {
    order: u32,
    payment: u32,
    ticket: u32,
}

impl<'a> OrderView<'a> {
    /// The view of an order; nothing if a restore lost what was ordered.
    pub(super) fn of(id: OrderId, order: &'a Order, flow: Flow) -> Option<Self> {
        order.placed.as_ref().map(|placed| Self::of_placed(id, order, placed, flow))
    }

    fn of_placed(id: OrderId, order: &'a Order, placed: &'a Placed, flow: Flow) -> Self {
        let status = order.status();
        let payment_delayed = status == Status::Placed && flow != Flow::Fine;
        Self {
            id,
            number: &placed.number,
            day: &placed.day,
            store: &order.store,
            status,
            total: placed.total,
            currency: placed.currency,
            takeout: placed.takeout,
            lines: placed.lines.iter().map(|line| LineView::of(line, order)).collect(),
            placed_at: placed.at,
            pay_by: placed.pay_by,
            refunded: order.payment.refunded,
            cancel: CancelView::of(order),
            steps: order.steps().into_iter().map(|(status, at)| Step { status, at }).collect(),
            versions: Versions::of(order),
            payment_delayed,
            notice: payment_delayed.then_some(DELAY_NOTICE),
            token: None,
        }
    }

    /// The view for whoever placed the order.
    pub(super) fn with_token(self, token: String) -> Self {
        Self { token: Some(token), ..self }
    }
}

impl<'a> LineView<'a> {
    fn of(line: &'a OrderLine, order: &Order) -> Self {
        Self {
            line_id: line.line_id,
            menu: &line.menu,
            name: &line.name,
            size: line.size,
            quantity: line.quantity,
            options: &line.options,
            takeout: line.takeout,
            unit_price: line.unit_price,
            price: line.price,
            state: order.line_state(line.line_id),
        }
    }
}

impl CancelView {
    fn of(order: &Order) -> Option<Self> {
        let status = order.status();
        let ended_otherwise = status.is_final() && status != Status::Cancelled;
        let requested = order.is_cancel_requested();
        if order.ticket.cancel_refused || (requested && ended_otherwise) {
            return Some(Self::Refused);
        }
        requested.then_some(Self::Requested)
    }
}

impl Versions {
    pub(super) fn of(order: &Order) -> Self {
        Self { order: order.version, payment: order.payment.version, ticket: order.ticket.version }
    }
}

/// The id of a server-sent event, such as `1-1-2`.
impl std::fmt::Display for Versions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}-{}", self.order, self.payment, self.ticket)
    }
}
