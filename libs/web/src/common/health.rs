//! Whether the service lives, and whether it can take work.

use axum::Json;
use axum::extract::State;
use cafe_clock::from_ms;
use cafe_delivery::{Link, Status};
use cafe_events::Source;
use serde::Serialize;
use utoipa::ToSchema;

use super::Common;
use crate::Problem;
use crate::credentials::Watcher;

/// The process answers.
#[derive(Serialize, ToSchema)]
pub(super) struct Alive {
    /// Always `alive`.
    #[schema(example = "alive")]
    status: &'static str,
}

/// The service can take work. Beyond `status` and `service` it is for callers on the same machine, and for staff.
#[derive(Serialize, ToSchema)]
pub(super) struct Ready {
    /// Always `ready`.
    #[schema(example = "ready")]
    status: &'static str,
    /// Which service this is.
    #[schema(example = "order")]
    service: &'static str,
    /// One per service that is listened to. A link that lags makes nobody unready: the work waits in its source's log.
    #[serde(skip_serializing_if = "Option::is_none")]
    links: Option<Vec<LinkReport>>,
    /// Events that wait for an earlier version.
    #[serde(skip_serializing_if = "Option::is_none")]
    held: Option<i64>,
    /// Events that were set aside and wait for a person; see `/parked`.
    #[serde(skip_serializing_if = "Option::is_none")]
    parked: Option<i64>,
    /// How the outbox gets to its topic, where events are carried by Kafka and this replica writes them.
    #[serde(skip_serializing_if = "Option::is_none")]
    relay: Option<RelayReport>,
}

/// How the writing of the outbox to its topic stands.
#[derive(Serialize, ToSchema)]
#[schema(as = Relay)]
pub(super) struct RelayReport {
    /// The last position that is in the topic.
    position: i64,
    /// The last position of the outbox.
    last: i64,
    /// How many events wait for the topic.
    behind: i64,
    /// Why nothing can be written at the moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    silent: Option<String>,
}

/// How the listening to one service stands.
#[derive(Serialize, ToSchema)]
#[schema(as = Link)]
pub(super) struct LinkReport {
    /// Who is listened to.
    source: Source,
    /// The last position taken in of the source's log.
    position: i64,
    /// The last position seen there.
    last: i64,
    /// How many events wait.
    behind: i64,
    /// When the oldest event that waits was said, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    waiting_since: Option<String>,
    /// Why nothing can be heard.
    #[serde(skip_serializing_if = "Option::is_none")]
    silent: Option<String>,
}

/// Says that the process answers
///
/// It looks at nothing else, so that a slow disk gets nobody killed.
#[utoipa::path(get, path = "/health/live", tag = "operation", responses((status = 200, body = Alive, description = "It does.")))]
pub(super) async fn live() -> Json<Alive> {
    Json(Alive { status: "alive" })
}

/// Says whether the service can take work, and how far it is behind
///
/// Whether it can, to everybody. How far it is behind, and why it cannot, to callers on the service's own machine, and with the
/// staff key to those elsewhere.
#[utoipa::path(
    get,
    path = "/health/ready",
    tag = "operation",
    responses(
        (status = 200, body = Ready, description = "It can."),
        (status = 503, description = "It cannot; `errors` says why, to those who may know."),
    )
)]
pub(super) async fn ready(
    watcher: Result<Watcher, Problem>,
    State(common): State<Common>,
) -> Result<Json<Ready>, Problem> {
    let status = common.delivery.status();
    let service = common.delivery.service();
    match (unreadiness(&status), watcher) {
        (None, Ok(Watcher)) => Ok(Json(Ready::in_full(service, status))),
        (None, Err(_)) => Ok(Json(Ready::in_short(service))),
        (Some(problem), Ok(Watcher)) => Err(problem),
        (Some(_), Err(_)) => Err(unready().detail("Why is told on its own machine, and to staff.")),
    }
}

impl Ready {
    fn in_short(service: &'static str) -> Self {
        Self { status: "ready", service, links: None, held: None, parked: None, relay: None }
    }

    fn in_full(service: &'static str, status: Status) -> Self {
        let relay = status.relay.map(|relay| RelayReport {
            position: relay.position,
            last: relay.last,
            behind: relay.behind(),
            silent: relay.silent,
        });
        Self {
            links: Some(status.links.iter().map(report).collect()),
            held: Some(status.held),
            parked: Some(status.parked),
            relay,
            ..Self::in_short(service)
        }
    }
}

fn unready() -> Problem {
    Problem::unavailable("not-ready", "This service cannot take work at the moment.", 1)
}

/// Only what keeps this service itself from working: others that are down do not make it unready.
pub(super) fn unreadiness(status: &Status) -> Option<Problem> {
    let reasons = [("writer", &status.stopped), ("commits", &status.failing)];
    let problem = reasons
        .into_iter()
        .filter_map(|(field, reason)| Some((field, reason.as_ref()?)))
        .fold(unready(), |problem, (field, reason)| problem.field(field, reason));
    problem.names_fields().then_some(problem)
}

fn report(link: &Link) -> LinkReport {
    LinkReport {
        source: link.source,
        position: link.position,
        last: link.last,
        behind: link.behind(),
        waiting_since: link.waiting_since_ms.map(|ms| from_ms(ms).to_string()),
        silent: link.silent.clone(),
    }
}
