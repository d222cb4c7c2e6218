//! A ticket as everybody may see it: nothing in it is about a person.

use cafe_events::{LineId, Name, OrderId, OrderLine, Size};
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use crate::ticket::{LineState, Status, Ticket, TicketLine};

/// A paid order at the counter.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Ticket)]
pub(crate) struct TicketView {
    /// The order it belongs to.
    order_id: Uuid,
    /// Where it is made.
    store: String,
    /// What is called out.
    #[schema(example = "0001")]
    number: String,
    /// The business day that `number` belongs to.
    #[schema(example = "2026-11-23")]
    day: String,
    /// Place in the store's line of all tickets ever queued, from 1: first in, first out.
    sequence: i64,
    /// How far it is.
    status: Status,
    /// What is to be made.
    lines: Vec<LineView>,
    /// Running number of its changes: of two views, the one with the higher version is newer.
    version: u32,
    /// When it joined the queue.
    #[schema(value_type = String, format = DateTime)]
    queued_at: Timestamp,
    /// When making started.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    started_at: Option<Timestamp>,
    /// When it became ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    ready_at: Option<Timestamp>,
}

/// One line of a ticket.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = TicketLine)]
struct LineView {
    /// Number within the order, from 1.
    #[schema(value_type = u16)]
    line_id: LineId,
    /// The drink's key in the menu.
    #[schema(example = "americano")]
    menu: String,
    /// The drink's name when it was ordered.
    name: Name,
    /// Its size.
    size: Size,
    /// How many.
    quantity: u32,
    /// Chosen options.
    options: Vec<String>,
    /// To go, rather than here.
    takeout: bool,
    /// Price of one, in minor units.
    unit_price: i64,
    /// `unit_price` times `quantity`, in minor units.
    price: i64,
    /// How far it is.
    state: LineState,
    /// It was made once and is made again.
    recalled: bool,
}

impl TicketView {
    /// The ticket of `order_id` as it is shown.
    pub(crate) fn new(order_id: OrderId, ticket: &Ticket) -> Self {
        Self {
            order_id,
            store: ticket.store.clone(),
            number: ticket.number.clone(),
            day: ticket.day.clone(),
            sequence: ticket.sequence,
            status: ticket.status,
            lines: ticket.lines.iter().map(LineView::new).collect(),
            version: ticket.version,
            queued_at: ticket.queued_at,
            started_at: ticket.started_at,
            ready_at: ticket.ready_at,
        }
    }
}

impl LineView {
    fn new(line: &TicketLine) -> Self {
        let OrderLine {
            line_id,
            menu,
            name,
            size,
            quantity,
            options,
            takeout,
            unit_price,
            price,
            making_ms: _,
        } = line.ordered.clone();
        let TicketLine { state, recalled, ordered: _ } = *line;
        Self { line_id, menu, name, size, quantity, options, takeout, unit_price, price, state, recalled }
    }
}
