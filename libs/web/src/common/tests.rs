use std::sync::Mutex;

use axum::body::Body;
use axum::http::{self, Request, StatusCode};
use axum::response::IntoResponse;
use cafe_clock::Ids;
use cafe_delivery::Link;
use cafe_events::Source;
use cafe_failures::{customer, database, disk, event, tried};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;
use crate::StaffKey;
use crate::nearness::OverLoopback;

#[tokio::test]
async fn a_service_lives_as_soon_as_it_answers() {
    let status = Status { stopped: Some("the disk is gone".to_owned()), ..Status::default() };
    let (status, answer) = Cafe::new(status).get("/health/live").await;
    assert_eq!((status, answer), (StatusCode::OK, json!({"status": "alive"})));
}

#[tokio::test]
async fn a_service_that_lags_is_ready_and_says_how_far_it_is_behind() {
    tried(&event::GAP);
    tried(&event::HEARD_LATE);
    tried(&event::HEARD_OUT_OF_ORDER);
    tried(&event::TOO_MUCH_ASIDE);
    let status = Status { links: vec![lagging()], held: 1, parked: 2, ..Status::default() };
    let (status, answer) = Cafe::new(status).get("/health/ready").await;
    let link = json!({
        "source": "payment", "position": 7, "last": 10, "behind": 3,
        "waiting_since": "1970-01-01T00:00:01Z", "silent": "no log yet",
    });
    let ready = json!({"status": "ready", "service": "order", "links": [link], "held": 1, "parked": 2});
    assert_eq!((status, answer), (StatusCode::OK, ready));
}

#[tokio::test]
async fn a_service_that_cannot_commit_is_not_ready_and_says_why() {
    tried(&disk::LOCK_HELD);
    let status = Status { failing: Some("the disk is full".to_owned()), ..Status::default() };
    let (status, answer) = Cafe::new(status).get("/health/ready").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer["type"], "urn:cafe:problem:not-ready");
    assert_eq!(answer["errors"], json!([{"field": "commits", "detail": "the disk is full"}]));
}

#[tokio::test]
async fn metrics_show_how_delivery_stands() {
    let cafe = Cafe::new(Status { links: vec![lagging()], held: 1, parked: 2, ..Status::default() });
    let (_, page) = cafe.ask("GET", "/metrics", false).await;
    let page = String::from_utf8(page).unwrap();
    for line in [
        "cafe_ready 1",
        "cafe_held 1",
        "cafe_parked 2",
        "cafe_backlog{source=\"payment\"} 3",
        "cafe_silent{source=\"payment\"} 1",
        "# HELP cafe_backlog_age_seconds Age",
    ] {
        assert!(page.contains(line), "{line} is not in {page}");
    }
}

#[tokio::test]
async fn how_a_service_stands_is_told_on_its_machine_and_to_staff_and_to_nobody_else() {
    let status =
        Status { links: vec![lagging()], failing: Some("the disk is full".to_owned()), ..Status::default() };
    let well = Cafe::new(Status { failing: None, ..status.clone() });
    let unwell = Cafe::new(status);
    let elsewhere = |path: &str| Request::get(path);
    let through_a_proxy =
        |path: &str| Request::get(path).extension(OverLoopback).header("x-forwarded-for", "203.0.113.9");
    for ask in [elsewhere, through_a_proxy] {
        assert_eq!(well.send(ask("/metrics"), false).await.0, StatusCode::UNAUTHORIZED);
        assert_eq!(well.send(ask("/metrics"), true).await.0, StatusCode::OK);

        let (status, said) = well.send(ask("/health/ready"), false).await;
        let said: Value = serde_json::from_slice(&said).unwrap();
        assert_eq!((status, said), (StatusCode::OK, json!({"status": "ready", "service": "order"})));
        let (status, said) = well.send(ask("/health/ready"), true).await;
        assert!(status.is_success() && String::from_utf8(said).unwrap().contains("no log yet"));

        let (status, said) = unwell.send(ask("/health/ready"), false).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(!String::from_utf8(said).unwrap().contains("disk"));
        let (_, said) = unwell.send(ask("/health/ready"), true).await;
        assert!(String::from_utf8(said).unwrap().contains("the disk is full"));
        assert_eq!(well.send(ask("/health/live"), false).await.0, StatusCode::OK);
    }
}

#[tokio::test]
async fn set_aside_events_are_for_staff() {
    let cafe = Cafe::new(Status::default());
    for (method, path) in [("GET", "/parked"), ("POST", "/parked/1/retry"), ("POST", "/parked/1/drop")] {
        assert_eq!(cafe.ask(method, path, false).await.0, StatusCode::UNAUTHORIZED, "{path}");
    }
    assert_eq!(*cafe.asked.lock().unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn set_aside_events_come_in_pages() {
    let cafe = Cafe::new(Status::default());
    let (_, first) = cafe.staff("GET", "/parked?limit=2").await;
    assert_eq!((&first["parked"][1]["id"], &first["next"]), (&json!(2), &json!(2)));
    assert_eq!(first["parked"][0]["parked_at"], "1970-01-01T00:00:01Z");
    let (_, last) = cafe.staff("GET", "/parked?limit=2&after=2").await;
    assert_eq!((&last["parked"][0]["id"], &last["next"]), (&json!(3), &Value::Null));
    for query in ["limit=0", "limit=501", "after=-1", "limit=x"] {
        let (status, problem) = cafe.staff("GET", &format!("/parked?{query}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert_eq!(problem["errors"][0]["field"], query.split('=').next().unwrap());
    }
}

#[tokio::test]
async fn a_set_aside_event_is_sent_again_or_dropped() {
    let cafe = Cafe::new(Status::default());
    assert_eq!(cafe.staff("POST", "/parked/1/retry").await, (StatusCode::OK, json!({"id": 1})));
    assert_eq!(cafe.staff("POST", "/parked/1/drop").await, (StatusCode::OK, json!({"id": 1})));
    assert_eq!(*cafe.asked.lock().unwrap(), ["retry 1", "drop 1"]);
    let (status, problem) = cafe.staff("POST", "/parked/2/retry").await;
    assert_eq!((status, &problem["detail"]), (StatusCode::CONFLICT, &json!("not in this world")));
    assert_eq!(cafe.staff("POST", "/parked/3/drop").await.0, StatusCode::NOT_FOUND);
    assert_eq!(cafe.staff("POST", "/parked/first/drop").await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_turn_that_does_not_answer_is_told_by_what_to_do() {
    tried(&customer::TOO_MUCH_WAITS);
    tried(&database::COMMIT_UNANSWERED);
    tried(&disk::FULL);
    tried(&disk::COMMIT_NOT_SYNCED);
    tried(&disk::LOCK_HELD);
    tried(&event::REFUSED_IN_A_CROWD);
    for (error, status, slug, retry_after) in [
        (TurnError::Busy, 503, "busy", Some("1")),
        (TurnError::DiskFull, 503, "disk-full", Some("10")),
        (TurnError::Stopped, 503, "stopping", Some("1")),
        (TurnError::OutcomeUnknown, 504, "outcome-unknown", Some("1")),
        (TurnError::Failed("no such column".to_owned()), 500, "internal", None),
    ] {
        let problem = crate::Problem::from(error);
        assert_eq!((problem.status().as_u16(), problem.slug()), (status, slug));
        assert!(!String::from_utf8(problem.json()).unwrap().contains("column"));
        let answer = problem.into_response();
        let told = answer.headers().get("retry-after").map(|seconds| seconds.to_str().unwrap());
        assert_eq!(told, retry_after, "{slug}");
    }
}

#[tokio::test]
async fn the_events_are_documented_beside_the_addresses() {
    let cafe = Cafe::new(Status::default());
    let (status, events) = cafe.get("/asyncapi.json").await;
    assert_eq!((status, &events["asyncapi"]), (StatusCode::OK, &json!("3.0.0")));
    assert_eq!(events, serde_json::to_value(cafe_events::asyncapi()).unwrap());
    let (_, document) = cafe.get("/openapi.json").await;
    assert!(document["paths"]["/asyncapi.json"]["get"]["responses"]["200"].is_object());
}

#[tokio::test]
async fn the_document_lists_every_address_with_every_problem() {
    let (_, document) = Cafe::new(Status::default()).get("/openapi.json").await;
    assert_eq!(document["openapi"], "3.1.0");
    let statuses = |path: &str, method: &str| -> Vec<String> {
        document["paths"][path][method]["responses"].as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(statuses("/health/live", "get"), ["200", "500", "503"]);
    assert_eq!(statuses("/parked", "get"), ["200", "400", "401", "500", "503"]);
    let change = ["200", "400", "401", "404", "409", "500", "503", "504"];
    assert_eq!(statuses("/parked/{id}/retry", "post"), change);
    assert_eq!(statuses("/parked/{id}/drop", "post"), change);
    let refused = &document["paths"]["/parked"]["get"]["responses"]["401"];
    assert_eq!(
        refused["content"]["application/problem+json"]["schema"]["$ref"],
        "#/components/schemas/Problem"
    );
    assert!(refused["headers"]["WWW-Authenticate"].is_object());
    assert_every_reference_leads_somewhere(&document, &document);
}

#[test]
fn completing_a_document_twice_changes_nothing_more() {
    let once = documented(OpenApi::default());
    assert_eq!(json!(documented(once.clone())), json!(once));
}

fn assert_every_reference_leads_somewhere(document: &Value, part: &Value) {
    match part {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get("$ref") {
                assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
            }
            for part in fields.values() {
                assert_every_reference_leads_somewhere(document, part);
            }
        }
        Value::Array(parts) => {
            for part in parts {
                assert_every_reference_leads_somewhere(document, part);
            }
        }
        _ => {}
    }
}

fn lagging() -> Link {
    let silent = Some("no log yet".to_owned());
    Link { source: Source::Payment, position: 7, last: 10, waiting_since_ms: Some(1_000), silent }
}

/// A service whose delivery stands as it is told, with three events set aside.
struct Cafe {
    router: Router,
    key: StaffKey,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Cafe {
    fn new(status: Status) -> Self {
        let data = tempfile::tempdir().unwrap();
        let key = StaffKey::load_or_create(data.path(), &Ids::seeded(1)).unwrap();
        let asked = Arc::default();
        let desk = Told { status, asked: Arc::clone(&asked) };
        Self {
            router: routes_over(Arc::new(desk), StaffAccess::new(key.clone(), "order"), OpenApi::default()),
            key,
            asked,
        }
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        let (status, body) = self.ask("GET", path, false).await;
        (status, serde_json::from_slice(&body).unwrap())
    }

    async fn staff(&self, method: &str, path: &str) -> (StatusCode, Value) {
        let (status, body) = self.ask(method, path, true).await;
        (status, serde_json::from_slice(&body).unwrap())
    }

    async fn ask(&self, method: &str, path: &str, as_staff: bool) -> (StatusCode, Vec<u8>) {
        // As a caller on this machine is let in by the server.
        self.send(Request::builder().method(method).uri(path).extension(OverLoopback), as_staff).await
    }

    async fn send(&self, request: http::request::Builder, as_staff: bool) -> (StatusCode, Vec<u8>) {
        let mut request = request;
        if as_staff {
            request = request.header("authorization", format!("Bearer {}", self.key.reveal()));
        }
        let answer = self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let status = answer.status();
        (status, answer.into_body().collect().await.unwrap().to_bytes().to_vec())
    }
}

struct Told {
    status: Status,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Told {
    fn outcome(&self, what: &str, id: i64) -> BoxFuture<'_, Result<ParkedOutcome, TurnError>> {
        self.asked.lock().unwrap().push(format!("{what} {id}"));
        let outcome = match id {
            1 => ParkedOutcome::Done,
            2 => ParkedOutcome::StillRefused("not in this world".to_owned()),
            _ => ParkedOutcome::NotFound,
        };
        std::future::ready(Ok(outcome)).boxed()
    }
}

impl Delivery for Told {
    fn service(&self) -> &'static str {
        "order"
    }

    fn status(&self) -> Status {
        self.status.clone()
    }

    fn parked(&self, after: i64, limit: u32) -> BoxFuture<'_, Result<Vec<Parked>, cafe_store::Error>> {
        let parked = |id| Parked {
            id,
            event: format!("payment/7/{id}"),
            source: Source::Payment,
            position: 10 + id,
            order_id: None,
            version: None,
            kind: "cafe.payment.approved.v1".to_owned(),
            at_ms: 500,
            body: "{}".to_owned(),
            traceparent: None,
            reason: "unreadable".to_owned(),
            parked_at_ms: 1_000,
        };
        let page = (after + 1..=3).take(limit as usize).map(parked).collect();
        std::future::ready(Ok(page)).boxed()
    }

    fn retry_parked(&self, id: i64) -> BoxFuture<'_, Result<ParkedOutcome, TurnError>> {
        self.outcome("retry", id)
    }

    fn drop_parked(&self, id: i64) -> BoxFuture<'_, Result<ParkedOutcome, TurnError>> {
        self.outcome("drop", id)
    }
}
