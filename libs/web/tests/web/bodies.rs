//! What becomes of a request's body.

use std::time::Duration;

use axum::routing::post;
use axum::{Json, Router};
use cafe_failures::{customer, tried};
use cafe_web::{BODY_LIMIT_BYTES, JsonBody, JsonOrDefault, Problem};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::support::Service;

const JSON: Option<&str> = Some("application/json");

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct NewOrder {
    items: Vec<Item>,
    #[serde(default)]
    takeout: bool,
    #[serde(default)]
    payment: Option<Payment>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Item {
    menu: String,
    #[serde(default)]
    size: Size,
    #[serde(default)]
    quantity: u32,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Size {
    #[default]
    Medium,
    Large,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Payment {
    vendor: String,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Reason {
    #[serde(default)]
    reason: Option<String>,
}

fn router() -> Router {
    Router::new()
        .route("/orders", post(|JsonBody(order): JsonBody<NewOrder>| async { Json(order) }))
        .route("/cancel", post(|JsonOrDefault(reason): JsonOrDefault<Reason>| async { Json(reason) }))
        .route("/helpful", post(helpful))
}

async fn helpful(body: Result<JsonBody<NewOrder>, Problem>) -> Result<(), Problem> {
    body.map(drop).map_err(|problem| problem.example(json!({"items": [{"menu": "latte"}]})))
}

#[tokio::test]
async fn a_good_body_is_taken() {
    let service = Service::start(router());
    for content_type in
        ["application/json", "Application/JSON; charset=UTF-8", "application/json;charset=\"utf-8\""]
    {
        let answer = service.post("/orders", Some(content_type), r#"{"items":[{"menu":"latte"}]}"#).await;
        assert_eq!(answer.status, 200, "{content_type}: {}", answer.text());
        assert_eq!(answer.json()["items"][0]["menu"], "latte");
    }
}

#[tokio::test]
async fn what_does_not_fit_names_the_field_and_what_would_be_right() {
    let service = Service::start(router());
    for (body, field, detail) in [
        (
            r#"{"items":[{"menu":"latte","quantity":-1}]}"#,
            "items[0].quantity",
            "must be a whole number from 0 to 4294967295, not integer `-1`",
        ),
        (
            r#"{"items":[{"menu":"latte","quantity":1.5}]}"#,
            "items[0].quantity",
            "must be a whole number from 0 to 4294967295, not floating point `1.5`",
        ),
        (
            r#"{"items":[{"menu":"latte","quantity":99999999999}]}"#,
            "items[0].quantity",
            "must be a whole number from 0 to 4294967295, not integer `99999999999`",
        ),
        (
            r#"{"items":[{"menu":"latte","quantity":"2"}]}"#,
            "items[0].quantity",
            "must be a whole number from 0 to 4294967295, not string \"2\"",
        ),
        (r#"{"items":[{"menu":"latte"},{"menu":7}]}"#, "items[1].menu", "must be a string, not integer `7`"),
        (
            r#"{"items":[{"menu":"latte","size":"huge"}]}"#,
            "items[0].size",
            "must be `medium` or `large`, not `huge`",
        ),
        (
            r#"{"items":[{"menu":"latte","sugar":1}]}"#,
            "items[0].sugar",
            "is not known here; known: `menu`, `size`, `quantity`",
        ),
        (r#"{"items":[{"size":"large"}]}"#, "items[0].menu", "is missing"),
        (r#"{"items":[["latte"]]}"#, "items[0]", "must be an object, not a list"),
        (r#"{"items":[7]}"#, "items[0]", "must be an object, not integer `7`"),
        (r#"{"items":{}}"#, "items", "must be a list, not an object"),
        (r#"{"items":[],"takeout":"yes"}"#, "takeout", "must be true or false, not string \"yes\""),
        (r#"{"items":[],"takeout":null}"#, "takeout", "must be true or false, not null"),
        (
            r#"{"items":[],"payment":{"vendor":"x","card":"y"}}"#,
            "payment.card",
            "is not known here; known: `vendor`",
        ),
        (r#"{"items":[],"payment":{}}"#, "payment.vendor", "is missing"),
        (r#"{"items":[],"payment":["x"]}"#, "payment", "must be an object, not a list"),
        (r#"{"takeout":true}"#, "items", "is missing"),
        (r#"{"items":[],"items":[]}"#, "items", "is given twice"),
        (r#"{"items":[],"":1}"#, "\"\"", "is not known here; known: `items`, `takeout`, `payment`"),
        (r#"{"items":[]," ":1}"#, "\" \"", "is not known here; known: `items`, `takeout`, `payment`"),
        (r#"{"items":[],"tip":1}"#, "tip", "is not known here; known: `items`, `takeout`, `payment`"),
        ("[]", "body", "must be an object, not a list"),
        ("[[],true,null]", "body", "must be an object, not a list"),
        ("null", "body", "must be an object, not null"),
        ("7", "body", "must be an object, not integer `7`"),
    ] {
        let problem = service.post("/orders", JSON, body).await.problem(422, "invalid-body");
        let found = &problem["errors"][0];
        assert_eq!((&found["field"], &found["detail"]), (&json!(field), &json!(detail)), "{body}");
    }
}

#[tokio::test]
async fn what_is_not_json_is_told_as_such() {
    let service = Service::start(router());
    let deep = "[".repeat(1_000);
    for (body, part) in [
        (&b"{\"items\":[}"[..], "The JSON is broken: expected value at line 1 column 11."),
        (b"{\"items\":[\"latte\"", "The JSON is broken: EOF while parsing a list"),
        (b"hello", "The JSON is broken"),
        (b"{} {}", "The JSON is broken: trailing characters"),
        (b"{\"items\":\"\xff\xfe\"}", "It is not UTF-8 from byte 10 on"),
        (deep.as_bytes(), "The JSON is broken: EOF while parsing"),
    ] {
        let problem = service.post("/orders", JSON, body).await.problem(400, "malformed-json");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(part), "{detail}");
    }
}

#[tokio::test]
async fn an_empty_body_is_refused_where_one_is_needed_and_fine_where_not() {
    let service = Service::start(router());
    for (content_type, blank) in [(None, ""), (JSON, ""), (JSON, " \r\n\t")] {
        service.post("/orders", content_type, blank).await.problem(422, "empty-body");
        let answer = service.post("/cancel", content_type, blank).await;
        assert_eq!((answer.status, answer.json()), (200, json!({"reason": null})));
    }
    let problem = service.post("/cancel", JSON, "[]").await.problem(422, "invalid-body");
    assert_eq!(problem["errors"][0]["field"], "body");
}

#[tokio::test]
async fn a_handler_can_add_a_complete_example() {
    let service = Service::start(router());
    let problem: Value = service.post("/helpful", None, "").await.problem(422, "empty-body");
    assert_eq!(problem["example"], json!({"items": [{"menu": "latte"}]}));
}

#[tokio::test]
async fn another_media_type_is_refused() {
    let service = Service::start(router());
    for content_type in [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("application/json; charset=latin1"),
    ] {
        for path in ["/orders", "/cancel"] {
            let problem = service.post(path, content_type, "{}").await.problem(415, "not-json");
            assert!(problem["detail"].is_string());
        }
    }
}

#[tokio::test]
async fn a_compressed_body_is_refused_as_such() {
    let service = Service::start(router());
    for (encoding, status) in [("gzip", 415), ("identity, br", 415), ("identity", 422)] {
        let head =
            "POST /orders HTTP/1.1\r\nhost: cafe\r\ncontent-type: application/json\r\ncontent-length: 2";
        let request = format!("{head}\r\ncontent-encoding: {encoding}\r\n\r\n{{}}");
        assert_eq!(service.call().await.ask(&request).await.status, status, "{encoding}");
    }
}

#[tokio::test]
async fn a_body_that_says_it_is_too_long_is_answered_before_it_is_sent() {
    tried(&customer::BODY_TOO_LONG);
    let service = Service::start(router());
    let mut caller = service.call().await;
    let head = format!("POST /orders HTTP/1.1\r\nhost: cafe\r\ncontent-length: {}\r\n\r\n", 10_000_000);
    let answer = caller.ask(&head).await;
    answer.problem(413, "body-too-long");
    assert_eq!(answer.header("connection"), Some("close"));
}

#[tokio::test]
async fn whoever_sends_a_body_that_is_too_long_still_reads_the_answer() {
    tried(&customer::BODY_TOO_LONG);
    let service = Service::start(router());
    assert_eq!(BODY_LIMIT_BYTES, 64 * 1024);
    for length in [10_000_000, BODY_LIMIT_BYTES + 1] {
        let answer = service.post("/orders", JSON, vec![b' '; length]).await;
        answer.problem(413, "body-too-long");
        assert_eq!(answer.header("connection"), Some("close"));
    }
    service.post("/orders", JSON, vec![b'x'; BODY_LIMIT_BYTES]).await.problem(400, "malformed-json");
}

#[tokio::test]
async fn a_body_without_an_end_is_answered_once_it_is_too_long() {
    tried(&customer::BODY_TOO_LONG);
    let service = Service::start(router());
    let mut caller = service.call().await;
    caller.send(b"POST /orders HTTP/1.1\r\nhost: cafe\r\ntransfer-encoding: chunked\r\n\r\n").await;
    let chunk = [&b"4000\r\n"[..], &[b' '; 0x4000], b"\r\n"].concat();
    for _ in 0..=BODY_LIMIT_BYTES / 0x4000 {
        caller.send(&chunk).await;
    }
    let answer = caller.answer().await;
    answer.problem(413, "body-too-long");
    assert_eq!(answer.header("connection"), Some("close"));
}

#[tokio::test]
async fn a_body_that_ends_early_is_refused() {
    tried(&customer::NEVER_ENDS);
    let service = Service::start(router());
    let mut caller = service.call().await;
    caller
        .send(b"POST /orders HTTP/1.1\r\nhost: cafe\r\ntransfer-encoding: chunked\r\n\r\nnonsense\r\n")
        .await;
    caller.answer().await.problem(400, "body-cut-short");
}

#[tokio::test]
async fn a_body_that_never_comes_is_given_up() {
    tried(&customer::NEVER_ENDS);
    let service = Service::start(router());
    let mut caller = service.call().await;
    caller.send(b"POST /orders HTTP/1.1\r\nhost: cafe\r\ncontent-length: 100\r\n\r\n{\"items\"").await;
    tokio::time::pause();
    let (started, limit) = (tokio::time::Instant::now(), Duration::from_secs(10));
    caller.answer().await.problem(408, "body-too-slow");
    assert!((limit..limit + Duration::from_secs(3)).contains(&started.elapsed()), "{:?}", started.elapsed());
}
