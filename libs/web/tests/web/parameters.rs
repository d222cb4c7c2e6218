//! What becomes of an address and of headers.

use axum::Router;
use axum::routing::get;
use cafe_web::{PathOf, QueryOf};
use serde::Deserialize;
use uuid::Uuid;

use crate::support::Service;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    #[serde(default)]
    limit: u32,
}

fn router() -> Router {
    Router::new()
        .route("/orders/{order_id}", get(|PathOf(id): PathOf<Uuid>| async move { id.to_string() }))
        .route(
            "/lines/{order_id}/{line_id}",
            get(|PathOf((_, line)): PathOf<(Uuid, u16)>| async move { line.to_string() }),
        )
        .route("/orders", get(|QueryOf(page): QueryOf<Page>| async move { page.limit.to_string() }))
}

#[tokio::test]
async fn a_good_address_is_taken() {
    let service = Service::start(router());
    let id = Uuid::from_u128(7);
    assert_eq!(service.get(&format!("/orders/{id}")).await.text(), id.to_string());
    assert_eq!(service.get(&format!("/lines/{id}/2")).await.text(), "2");
    assert_eq!(service.get("/orders?limit=5").await.text(), "5");
    assert_eq!(service.get("/orders").await.text(), "0");
}

#[tokio::test]
async fn what_does_not_fit_names_the_parameter() {
    let service = Service::start(router());
    let id = Uuid::from_u128(7);
    for (path, field) in [
        ("/orders/seven".to_owned(), "order_id"),
        ("/orders?limit=".to_owned(), "limit"),
        (format!("/lines/{id}/-1"), "line_id"),
        (format!("/lines/{id}/70000"), "line_id"),
        ("/orders/%ff".to_owned(), "order_id"),
        ("/orders?limit=-1".to_owned(), "limit"),
        ("/orders?limit=many".to_owned(), "limit"),
        ("/orders?limit=1&limit=2".to_owned(), "limit"),
        ("/orders?page=1".to_owned(), "page"),
    ] {
        let problem = service.get(&path).await.problem(400, "invalid-parameter");
        assert_eq!(problem["errors"][0]["field"], field, "{path}: {problem}");
        assert!(problem["errors"][0]["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
    }
}

#[tokio::test]
async fn what_would_be_right_is_said_in_the_words_of_the_caller() {
    let service = Service::start(router());
    for (path, detail) in [
        ("/orders?limit=many", "`limit` must be a whole number."),
        ("/orders?limit=99999999999", "`limit` is too large."),
        ("/orders?page=1", "`page` is not known here; known: `limit`."),
        (
            "/lines/00000000-0000-0000-0000-000000000007/x",
            "`line_id` must be a whole number from 0 to 65535, not \"x\".",
        ),
    ] {
        assert_eq!(service.get(path).await.problem(400, "invalid-parameter")["detail"], detail);
    }
}

#[tokio::test]
async fn an_unknown_address_or_method_is_a_problem() {
    let service = Service::start(router());
    service.get("/nowhere?token=secret").await.problem(404, "not-found");
    let answer = service.post("/orders", None, "").await;
    answer.problem(405, "method-not-allowed");
    assert_eq!(answer.header("allow"), Some("GET,HEAD"));
}
