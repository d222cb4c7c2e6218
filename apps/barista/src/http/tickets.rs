//! `/tickets`: what staff see and do.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use cafe_events::{LineId, OrderId};
use cafe_web::{JsonOrDefault, PageQuery, PathOf, Problem, QueryOf, Staff, checked_reason};
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{Array, ArrayBuilder, Object, ObjectBuilder, Type};
use uuid::Uuid;

use super::App;
use super::asked::{Asked, IfMatch};
use super::view::TicketView;
use crate::domain::{Refused, Request};
use crate::store;
use crate::ticket::{Command, Lines, Refusal};

/// Lines that a command names.
const LINES_LIMIT: usize = 100;

type Answer = Result<Json<TicketView>, Problem>;

/// Which ticket.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct TicketPath {
    /// Its order.
    order_id: Uuid,
}

/// Which line.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct LinePath {
    /// Its order.
    order_id: Uuid,
    /// Its number within the order.
    #[param(schema_with = line_number)]
    line_id: LineId,
}

/// Tickets in order of their order's id.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct TicketPage {
    tickets: Vec<TicketView>,
    /// Where the next page starts; null on the last one.
    #[schema(required)]
    next: Option<Uuid>,
}

/// Which lines, and why.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LinesAndReason {
    /// Which lines, at least one; without this field the whole ticket.
    #[schema(schema_with = some_lines)]
    lines: Option<Vec<LineId>>,
    /// Why, in staff's words.
    #[schema(min_length = 1, max_length = 200, example = "spilled")]
    reason: Option<String>,
}

/// Why.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OnlyReason {
    /// Why, in staff's words.
    #[schema(min_length = 1, max_length = 200, example = "no milk left")]
    reason: Option<String>,
}

/// Every ticket
///
/// Tickets of every status, in order of their order's id.
#[utoipa::path(get, path = "/tickets", tag = "tickets", params(PageQuery), security(("staff_key" = [])),
    responses((status = 200, description = "A page of tickets", body = TicketPage)))]
pub(super) async fn list(
    _: Staff,
    State(app): State<App>,
    QueryOf(query): QueryOf<PageQuery>,
) -> Result<Json<TicketPage>, Problem> {
    let (after, limit) = query.part()?;
    let page = app.desk.readers().read(move |db| store::page(db, &after, limit)).await?;
    let full = page.len() == limit as usize;
    let next = page.last().filter(|_| full).map(|(order_id, _)| *order_id);
    let tickets = page.iter().map(|(order_id, ticket)| TicketView::new(*order_id, ticket)).collect();
    Ok(Json(TicketPage { tickets, next }))
}

/// One ticket
#[utoipa::path(get, path = "/tickets/{order_id}", tag = "tickets", params(TicketPath), security(("staff_key" = [])),
    responses((status = 200, description = "The ticket", body = TicketView), NotFound))]
pub(super) async fn one(
    _: Staff,
    State(app): State<App>,
    PathOf(TicketPath { order_id }): PathOf<TicketPath>,
) -> Answer {
    let ticket = app.desk.readers().read(move |db| store::ticket(db, order_id)).await?;
    let ticket = ticket.ok_or_else(|| refused(&Refused::NoTicket))?;
    Ok(Json(TicketView::new(order_id, &ticket)))
}

/// Start making
///
/// From now on a cancel is refused.
#[utoipa::path(post, path = "/tickets/{order_id}/start", tag = "tickets", params(TicketPath, IfMatch), security(("staff_key" = [])),
    responses((status = 200, description = "The ticket, being made", body = TicketView), NotFound, NotNow, Changed))]
pub(super) async fn start(
    asked: Asked,
    State(app): State<App>,
    PathOf(TicketPath { order_id }): PathOf<TicketPath>,
) -> Answer {
    obey(&app, order_id, Command::Start, asked).await
}

/// Everything is made
///
/// All lines that are left become ready, and so does the ticket.
#[utoipa::path(post, path = "/tickets/{order_id}/ready", tag = "tickets", params(TicketPath, IfMatch), security(("staff_key" = [])),
    responses((status = 200, description = "The ticket, ready", body = TicketView), NotFound, NotNow, Changed))]
pub(super) async fn ready(
    asked: Asked,
    State(app): State<App>,
    PathOf(TicketPath { order_id }): PathOf<TicketPath>,
) -> Answer {
    obey(&app, order_id, Command::Ready, asked).await
}

/// Hand over
#[utoipa::path(post, path = "/tickets/{order_id}/pick-up", tag = "tickets", params(TicketPath, IfMatch), security(("staff_key" = [])),
    responses((status = 200, description = "The ticket, picked up", body = TicketView), NotFound, NotNow, Changed))]
pub(super) async fn pick_up(
    asked: Asked,
    State(app): State<App>,
    PathOf(TicketPath { order_id }): PathOf<TicketPath>,
) -> Answer {
    obey(&app, order_id, Command::PickUp, asked).await
}

/// Make again
///
/// Made lines go back to making at no charge, also after they were handed over. Without `lines`: all that are made.
#[utoipa::path(post, path = "/tickets/{order_id}/recall", tag = "tickets", params(TicketPath, IfMatch), security(("staff_key" = [])),
    request_body = Option<LinesAndReason>,
    responses((status = 200, description = "The ticket, being made again", body = TicketView), NotFound, NotNow, Changed))]
pub(super) async fn recall(
    asked: Asked,
    State(app): State<App>,
    PathOf(TicketPath { order_id }): PathOf<TicketPath>,
    JsonOrDefault(body): JsonOrDefault<Option<LinesAndReason>>,
) -> Answer {
    let (lines, reason) = body.unwrap_or_default().checked()?;
    obey(&app, order_id, Command::Recall(lines, reason), asked).await
}

/// Cannot be made
///
/// The price of the lines goes back. Without `lines`: the whole ticket, of which nothing may be made.
#[utoipa::path(post, path = "/tickets/{order_id}/reject", tag = "tickets", params(TicketPath, IfMatch), security(("staff_key" = [])),
    request_body = Option<LinesAndReason>,
    responses((status = 200, description = "The ticket without the lines", body = TicketView), NotFound, NotNow, Changed))]
pub(super) async fn reject(
    asked: Asked,
    State(app): State<App>,
    PathOf(TicketPath { order_id }): PathOf<TicketPath>,
    JsonOrDefault(body): JsonOrDefault<Option<LinesAndReason>>,
) -> Answer {
    let (lines, reason) = body.unwrap_or_default().checked()?;
    obey(&app, order_id, Command::Reject(lines, reason), asked).await
}

/// A line is made
///
/// Starts the ticket if nobody had; the last line makes it ready.
#[utoipa::path(post, path = "/tickets/{order_id}/lines/{line_id}/ready", tag = "tickets", security(("staff_key" = [])),
    params(LinePath, IfMatch),
    responses((status = 200, description = "The ticket with the line made", body = TicketView), NotFound, NotNow, Changed))]
pub(super) async fn line_ready(
    asked: Asked,
    State(app): State<App>,
    PathOf(LinePath { order_id, line_id }): PathOf<LinePath>,
) -> Answer {
    obey(&app, order_id, Command::LineReady(line_id), asked).await
}

/// Make a line again
#[utoipa::path(post, path = "/tickets/{order_id}/lines/{line_id}/recall", tag = "tickets", security(("staff_key" = [])),
    params(LinePath, IfMatch), request_body = Option<OnlyReason>,
    responses((status = 200, description = "The ticket, being made again", body = TicketView), NotFound, NotNow, Changed))]
pub(super) async fn line_recall(
    asked: Asked,
    State(app): State<App>,
    PathOf(LinePath { order_id, line_id }): PathOf<LinePath>,
    JsonOrDefault(body): JsonOrDefault<Option<OnlyReason>>,
) -> Answer {
    let recall = Command::Recall(Lines::Only(vec![line_id]), body.unwrap_or_default().checked()?);
    obey(&app, order_id, recall, asked).await
}

/// A line cannot be made
///
/// Its price goes back.
#[utoipa::path(post, path = "/tickets/{order_id}/lines/{line_id}/reject", tag = "tickets", security(("staff_key" = [])),
    params(LinePath, IfMatch), request_body = Option<OnlyReason>,
    responses((status = 200, description = "The ticket without the line", body = TicketView), NotFound, NotNow, Changed))]
pub(super) async fn line_reject(
    asked: Asked,
    State(app): State<App>,
    PathOf(LinePath { order_id, line_id }): PathOf<LinePath>,
    JsonOrDefault(body): JsonOrDefault<Option<OnlyReason>>,
) -> Answer {
    let reject = Command::Reject(Lines::Only(vec![line_id]), body.unwrap_or_default().checked()?);
    obey(&app, order_id, reject, asked).await
}

fn line_number() -> Object {
    let integer = ObjectBuilder::new().schema_type(Type::Integer);
    integer.minimum(Some(LineId::MIN)).maximum(Some(LineId::MAX)).build()
}

fn some_lines() -> Array {
    let description = "Which lines; without this field the whole ticket.";
    let lines = ArrayBuilder::new().items(line_number()).min_items(Some(1)).max_items(Some(LINES_LIMIT));
    lines.description(Some(description)).build()
}

/// There is no such ticket or line.
#[derive(utoipa::IntoResponses)]
#[response(status = 404)]
struct NotFound;

/// The ticket cannot do this now; `detail` says what it can.
#[derive(utoipa::IntoResponses)]
#[response(status = 409)]
struct NotNow;

/// The ticket has changed since it had the version that `If-Match` names; `detail` says what it is now.
#[derive(utoipa::IntoResponses)]
#[response(status = 412)]
struct Changed;

fn refused(why: &Refused) -> Problem {
    match why {
        Refused::NoTicket | Refused::Rule(Refusal::NoSuchLine(_)) => Problem::not_found(why.to_string()),
        Refused::Changed(_) => {
            Problem::new(StatusCode::PRECONDITION_FAILED, "changed", "Somebody else was faster.")
                .detail(why.to_string())
        }
        Refused::Rule(_) => Problem::new(StatusCode::CONFLICT, "not-now", "The ticket cannot do this now.")
            .detail(why.to_string()),
    }
}

async fn obey(app: &App, order_id: OrderId, command: Command, asked: Asked) -> Answer {
    let request = Request { order_id, command, seen: asked.seen };
    let ticket = app.desk.ask(request, asked.trace).await?.map_err(|why| refused(&why))?;
    Ok(Json(TicketView::new(order_id, &ticket)))
}

impl LinesAndReason {
    fn checked(self) -> Result<(Lines, Option<String>), Problem> {
        let lines = match self.lines {
            None => Lines::All,
            Some(lines) if (1..=LINES_LIMIT).contains(&lines.len()) => Lines::Only(lines),
            Some(_) => {
                let right = format!("must name 1 to {LINES_LIMIT} lines; leave it out for the whole ticket");
                return Err(Problem::invalid_body().field("lines", right));
            }
        };
        Ok((lines, self.reason.map(checked_reason).transpose()?))
    }
}

impl OnlyReason {
    fn checked(self) -> Result<Option<String>, Problem> {
        self.reason.map(checked_reason).transpose()
    }
}
