//! Events that were set aside: seen, sent again, dropped, by staff.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use cafe_clock::from_ms;
use cafe_delivery::{Parked, ParkedOutcome};
use cafe_events::Source;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Common;
use crate::{PathOf, Problem, QueryOf, Staff};

/// How many events a page has unless asked otherwise.
const PAGE: u32 = 100;
/// How many a page has at most.
const LONGEST_PAGE: u32 = 500;

/// Which part of the list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Page {
    /// Only events with a higher number.
    #[serde(default)]
    #[param(minimum = 0, maximum = 9_007_199_254_740_991_i64, default = 0)]
    after: i64,
    /// How many at most.
    #[serde(default = "page")]
    #[param(minimum = 1, maximum = 500, default = 100)]
    limit: u32,
}

fn page() -> u32 {
    PAGE
}

impl Page {
    /// After which number it begins, and how many events it has at most.
    ///
    /// # Errors
    /// 400: either is out of range.
    pub fn part(&self) -> Result<(i64, u32), Problem> {
        if self.after < 0 {
            return Err(Problem::invalid_parameter("after", "must be 0 or more"));
        }
        if !(1..=LONGEST_PAGE).contains(&self.limit) {
            return Err(Problem::invalid_parameter("limit", format!("must be 1 to {LONGEST_PAGE}")));
        }
        Ok((self.after, self.limit))
    }
}

/// A page of events that were set aside.
#[derive(Serialize, ToSchema)]
pub(super) struct ParkedPage {
    /// In the order in which they were set aside.
    parked: Vec<ParkedReport>,
    /// What to send as `after` for the next page; null when this is the last one.
    #[schema(required)]
    next: Option<i64>,
}

/// An event that was set aside. At most its own order waits for it.
#[derive(Serialize, ToSchema)]
#[schema(as = Parked)]
pub(super) struct ParkedReport {
    /// Its number on the list.
    id: i64,
    /// Who said it.
    source: Source,
    /// Where in the source's log.
    position: i64,
    /// The order it is about, if it names one.
    #[schema(required)]
    order_id: Option<String>,
    /// Its version, if it has one.
    #[schema(required)]
    version: Option<i64>,
    /// Its type.
    kind: String,
    /// Its value, as it came.
    body: String,
    /// Why it was set aside.
    reason: String,
    /// When, RFC 3339.
    #[schema(format = DateTime)]
    parked_at: String,
}

impl From<Parked> for ParkedReport {
    fn from(parked: Parked) -> Self {
        let Parked { id, source, position, order_id, version, kind, body, reason, parked_at_ms, .. } = parked;
        let parked_at = from_ms(parked_at_ms).to_string();
        Self { id, source, position, order_id, version, kind, body, reason, parked_at }
    }
}

/// What became of an event that was set aside.
#[derive(Serialize, ToSchema)]
pub(super) struct Settled {
    /// Its number; it is off the list.
    id: i64,
}

/// Lists the events that were set aside
#[utoipa::path(
    get,
    path = "/parked",
    tag = "operation",
    operation_id = "list_parked",
    params(Page),
    security(("staff_key" = [])),
    responses((status = 200, body = ParkedPage, description = "A page of them."))
)]
pub(super) async fn list(
    _: Staff,
    QueryOf(page): QueryOf<Page>,
    State(common): State<Common>,
) -> Result<Json<ParkedPage>, Problem> {
    let (after, limit) = page.part()?;
    let parked: Vec<ParkedReport> =
        common.delivery.parked(after, limit).await?.into_iter().map(Into::into).collect();
    let is_full = parked.len() == limit as usize;
    let next = parked.last().filter(|_| is_full).map(|last| last.id);
    Ok(Json(ParkedPage { parked, next }))
}

/// Takes in an event that was set aside, once more
///
/// What is held behind it follows.
#[utoipa::path(
    post,
    path = "/parked/{id}/retry",
    tag = "operation",
    operation_id = "retry_parked",
    params(("id" = i64, Path, minimum = 1, maximum = 9_007_199_254_740_991_i64, description = "The event's number on the list.")),
    security(("staff_key" = [])),
    responses(
        (status = 200, body = Settled, description = "It was taken in."),
        (status = 404, description = "No event is set aside under this number."),
        (status = 409, description = "It is refused as before, and stays on the list."),
    )
)]
pub(super) async fn retry(
    _: Staff,
    PathOf(id): PathOf<i64>,
    State(common): State<Common>,
) -> Result<Json<Settled>, Problem> {
    settled(id, common.delivery.retry_parked(id).await?)
}

/// Forgets an event that was set aside
///
/// Its order goes on without it.
#[utoipa::path(
    post,
    path = "/parked/{id}/drop",
    tag = "operation",
    operation_id = "drop_parked",
    params(("id" = i64, Path, minimum = 1, maximum = 9_007_199_254_740_991_i64, description = "The event's number on the list.")),
    security(("staff_key" = [])),
    responses(
        (status = 200, body = Settled, description = "It is forgotten."),
        (status = 404, description = "No event is set aside under this number."),
        (status = 409, description = "It cannot be dropped as things stand, and stays on the list."),
    )
)]
pub(super) async fn drop(
    _: Staff,
    PathOf(id): PathOf<i64>,
    State(common): State<Common>,
) -> Result<Json<Settled>, Problem> {
    settled(id, common.delivery.drop_parked(id).await?)
}

fn settled(id: i64, outcome: ParkedOutcome) -> Result<Json<Settled>, Problem> {
    match outcome {
        ParkedOutcome::Done => Ok(Json(Settled { id })),
        ParkedOutcome::NotFound => {
            Err(Problem::not_found(format!("No event is set aside under number {id}.")))
        }
        ParkedOutcome::StillRefused(reason) => {
            Err(Problem::new(StatusCode::CONFLICT, "still-refused", "The event stays on the list.")
                .detail(reason))
        }
    }
}
