//! Who may, and who may not.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use cafe_clock::Ids;
use cafe_web::{Presented, Staff, StaffKey};

use crate::support::{Answer, Service};

fn key() -> StaffKey {
    let data = tempfile::tempdir().unwrap();
    StaffKey::load_or_create(data.path(), &Ids::seeded(1)).unwrap()
}

fn router(key: StaffKey) -> Router {
    let shown = |presented: Presented, State(key): State<StaffKey>| async move {
        let who = [(presented.is_staff(&key), "staff"), (presented.is("order's token"), "customer")];
        let nobody = if presented.is_nothing() { "nobody" } else { "stranger" };
        who.into_iter().find(|(is, _)| *is).map_or(nobody, |(_, name)| name)
    };
    Router::new().route("/staff", get(|_: Staff| async { "in" })).route("/who", get(shown)).with_state(key)
}

async fn ask(service: &Service, path: &str, authorization: &str) -> Answer {
    let request = format!("GET {path} HTTP/1.1\r\nhost: cafe\r\nauthorization: {authorization}\r\n\r\n");
    service.call().await.ask(&request).await
}

#[tokio::test]
async fn the_staff_key_opens_what_is_for_staff() {
    let key = key();
    let service = Service::start(router(key.clone()));
    for scheme in ["Bearer", "bearer", "BEARER"] {
        assert_eq!(ask(&service, "/staff", &format!("{scheme} {}", key.reveal())).await.status, 200);
    }
}

#[tokio::test]
async fn anything_else_is_401_with_a_challenge() {
    let key = key();
    let service = Service::start(router(key.clone()));
    let answers = [
        service.get("/staff").await,
        service.get(&format!("/staff?token={}", key.reveal())).await,
        ask(&service, "/staff", "Bearer").await,
        ask(&service, "/staff", "Bearer wrong").await,
        ask(&service, "/staff", key.reveal()).await,
        ask(&service, "/staff", &format!("Basic {}", key.reveal())).await,
    ];
    for answer in answers {
        answer.problem(401, "unauthorized");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        assert!(!answer.text().contains(key.reveal()));
    }
}

#[tokio::test]
async fn a_secret_is_taken_from_the_header_or_the_query() {
    let key = key();
    let service = Service::start(router(key.clone()));
    assert_eq!(service.get("/who").await.text(), "nobody");
    assert_eq!(service.get("/who?token=guess").await.text(), "stranger");
    assert_eq!(
        service.get("/who?lang=ko&token=order's%20token").await.text(),
        "stranger",
        "a token needs no escapes"
    );
    assert_eq!(ask(&service, "/who", "Bearer order's token").await.text(), "customer");
    assert_eq!(service.get(&format!("/who?token={}", key.reveal())).await.text(), "staff");
    assert_eq!(ask(&service, "/who?token=guess", &format!("Bearer {}", key.reveal())).await.text(), "staff");
}
