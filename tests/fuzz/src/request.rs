//! The head of a request: cursors, tokens, and the headers that are heeded.
//!
//! The input is the path with its query on the first line, and headers as `name: value`. Whatever comes, a page begins at an id as
//! ids are kept and has 1 to 500 rows, or the parameter at fault is named; an order is opened by its own token and by the staff
//! key and by nothing else; a screen has seen a change that there was; and what is kept of a header is what the next service
//! reads back.

use std::sync::LazyLock;
use std::time::Duration;

use axum::Router;
use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Uri};
use axum::response::IntoResponse;
use axum::routing::any;
use cafe_events::{OrderId, Party};
use cafe_order::{Terms, Tokens, who_asks};
use cafe_trace::TraceContext;
use cafe_web::{ParkedQuery, PathOf, Presented, Problem, QueryOf, Staff, StaffAccess, StaffKey};
use serde::de::DeserializeOwned;
use tower::ServiceExt;

use crate::problem::must_be_plain;
use crate::wait;

/// The order that is asked about.
const ORDER: OrderId = OrderId::from_u128(0x0193_5a3c_7e00_7000_8000_0000_0000_0001);
/// As the owner may have chosen it.
const STAFF_KEY: &str = "a-key-that-a-person-has-chosen";
/// Names the changes of this process.
const EPOCH: &str = "01935a3c7e0070008000000000000002";
/// How many there were.
const LAST: u64 = 1_000;
/// The longest that an answer may be waited for.
const WAIT_LIMIT: Duration = Duration::from_secs(30);
/// The most rows of a page.
const LONGEST_PAGE: u32 = 500;

static TOKENS: LazyLock<Tokens> = LazyLock::new(|| Tokens::new("secret"));
static STAFF: LazyLock<StaffAccess> = LazyLock::new(|| {
    let data = tempfile::tempdir().expect("there is room for a key");
    std::fs::write(data.path().join("staff.key"), STAFF_KEY).expect("there is room for a key");
    StaffAccess::new(StaffKey::load(data.path()).expect("it is long enough"), "order")
});
/// The parameters of a path are known to a router only.
static PATHS: LazyLock<Router> = LazyLock::new(|| {
    Router::new()
        .route("/orders/{id}", any(async |PathOf(id): PathOf<OrderId>| id.to_string()))
        .route("/parked/{id}/retry", any(async |PathOf(id): PathOf<i64>| id.to_string()))
});

/// Reads the head of a request as the services do.
pub fn check(input: &[u8]) {
    let Some(mut parts) = head(input) else { return };
    names_a_row(&parts);
    pages(&mut parts);
    opens_its_own_order(&mut parts, input);
    keeps_terms(&mut parts);
    if let Some(seen) = cafe_barista::last_seen(&parts.headers, EPOCH, LAST) {
        assert!(seen <= LAST && parts.headers["last-event-id"].as_bytes().starts_with(EPOCH.as_bytes()));
    }
    for value in parts.headers.values().filter_map(|value| value.to_str().ok()) {
        travels_on(value);
        if let Some((order_id, attempt)) = cafe_payment::attempt_of(value) {
            assert_eq!(cafe_payment::attempt_of(&format!("{order_id}/{attempt}")), Some((order_id, attempt)));
        }
    }
}

/// As far as the server would let it in.
fn head(input: &[u8]) -> Option<Parts> {
    let mut lines = input.split(|byte| *byte == b'\n');
    let uri = Uri::try_from(lines.next()?).ok().filter(|uri| uri.path().starts_with('/'))?;
    let mut request = Request::new(());
    *request.uri_mut() = uri;
    for line in lines {
        let at = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = (&line[..at], line[at + 1..].trim_ascii());
        request
            .headers_mut()
            .append(HeaderName::from_bytes(name).ok()?, HeaderValue::from_bytes(value).ok()?);
    }
    Some(request.into_parts().0)
}

fn names_a_row(parts: &Parts) {
    let request = Request::from_parts(parts.clone(), axum::body::Body::empty());
    let path = request.uri().path().to_owned();
    let answer = wait(PATHS.clone().oneshot(request)).unwrap_or_else(|never| match never {});
    match answer.status().as_u16() {
        200 => {
            let row = wait(axum::body::to_bytes(answer.into_body(), 64)).expect("an id is short");
            let row = std::str::from_utf8(&row).expect("an id is ASCII");
            let is_right = if path.starts_with("/orders/") {
                OrderId::try_parse(row).is_ok_and(|id| id.to_string() == row)
            } else {
                row.parse::<i64>().is_ok_and(|id| id.to_string() == row)
            };
            assert!(is_right, "{path} is not {row}");
        }
        404 => {}
        _ => must_be_plain(answer, &[400]),
    }
}

/// Every list that is read page by page.
fn pages(parts: &mut Parts) {
    page(parts, cafe_order::Page::part);
    page(parts, cafe_web::PageQuery::part);
    let parked = query(parts, ParkedQuery::part);
    assert!(parked.is_none_or(|(after, limit)| after >= 0 && (1..=LONGEST_PAGE).contains(&limit)));
}

fn page<Q: DeserializeOwned>(parts: &mut Parts, part: fn(&Q) -> Result<(String, u32), Problem>) {
    let Some((after, limit)) = query(parts, part) else { return };
    assert!((1..=LONGEST_PAGE).contains(&limit));
    assert!(after.is_empty() || OrderId::try_parse(&after).is_ok_and(|id| id.to_string() == after));
    let next =
        if after.is_empty() { format!("/?limit={limit}") } else { format!("/?after={after}&limit={limit}") };
    let mut next = Request::get(next).body(()).expect("it is a path").into_parts().0;
    assert_eq!(query(&mut next, part), Some((after, limit)), "the next page begins elsewhere");
}

/// What a query asks for; nothing if it was refused as it should be.
fn query<Q: DeserializeOwned, T>(parts: &mut Parts, part: fn(&Q) -> Result<T, Problem>) -> Option<T> {
    let asked = wait(QueryOf::<Q>::from_request_parts(parts, &())).and_then(|QueryOf(query)| part(&query));
    asked.map_err(|problem| must_be_plain(problem.into_response(), &[400])).ok()
}

fn opens_its_own_order(parts: &mut Parts, input: &[u8]) {
    let shows = |secret: &str| input.windows(secret.len()).any(|part| part == secret.as_bytes());
    let presented = wait(Presented::from_request_parts(parts, &())).unwrap_or_else(|never| match never {});
    match who_asks(ORDER, &presented, &TOKENS, STAFF.key()) {
        Ok(Party::Customer) => assert!(shows(&TOKENS.token(ORDER))),
        Ok(by) => assert!(by == Party::Staff && shows(STAFF_KEY)),
        Err(problem) => must_be_plain(problem.into_response(), &[401]),
    }
    match wait(Staff::from_request_parts(parts, &*STAFF)) {
        Ok(Staff) => assert!(shows(STAFF_KEY)),
        Err(problem) => must_be_plain(problem.into_response(), &[401]),
    }
}

fn keeps_terms(parts: &mut Parts) {
    match wait(Terms::from_request_parts(parts, &())) {
        Ok(Terms { key, wait }) => {
            assert!(wait.is_none_or(|wait| !wait.is_zero() && wait <= WAIT_LIMIT));
            let sent: Vec<_> = parts.headers.get_all("idempotency-key").iter().collect();
            assert!(
                sent.len() <= 1
                    && key.as_ref().map(String::as_bytes) == sent.first().map(|key| key.as_bytes())
            );
            assert!(key.is_none_or(
                |key| (1..=255).contains(&key.len()) && key.bytes().all(|it| matches!(it, b' '..=b'~'))
            ));
        }
        Err(problem) => must_be_plain(problem.into_response(), &[400]),
    }
}

/// What is read of a `traceparent` is what the next service reads.
fn travels_on(header: &str) {
    let Some(context) = TraceContext::read(header) else { return };
    let passed_on = context.to_string();
    assert_eq!(TraceContext::read(&passed_on), Some(context));
    assert!(passed_on.len() == 55 && passed_on.starts_with("00-") && passed_on[3..52] == header[3..52]);
}
