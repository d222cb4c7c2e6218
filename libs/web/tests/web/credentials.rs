//! Who may, and who may not.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::routing::get;
use cafe_clock::Ids;
use cafe_web::{Presented, Staff, StaffAccess, StaffKey};

use crate::support::{Answer, Service};

fn key() -> StaffKey {
    let data = tempfile::tempdir().unwrap();
    StaffKey::load_or_create(data.path(), &Ids::seeded(1)).unwrap()
}

fn access() -> StaffAccess {
    StaffAccess::new(key(), "barista")
}

fn router(access: StaffAccess) -> Router {
    let shown = |presented: Presented, State(access): State<StaffAccess>| async move {
        let who = [(presented.is_staff(access.key()), "staff"), (presented.is("order's token"), "customer")];
        let nobody = if presented.is_nothing() { "nobody" } else { "stranger" };
        who.into_iter().find(|(is, _)| *is).map_or(nobody, |(_, name)| name)
    };
    let for_staff = |_: Staff| async { "in" };
    Router::new().route("/staff", get(for_staff).post(for_staff)).route("/who", get(shown)).with_state(access)
}

async fn ask(service: &Service, path: &str, authorization: &str) -> Answer {
    let request = format!("GET {path} HTTP/1.1\r\nhost: cafe\r\nauthorization: {authorization}\r\n\r\n");
    service.call().await.ask(&request).await
}

#[tokio::test]
async fn the_staff_key_opens_what_is_for_staff() {
    let (access, key) = (access(), key());
    let service = Service::start(router(access));
    for scheme in ["Bearer", "bearer", "BEARER"] {
        assert_eq!(ask(&service, "/staff", &format!("{scheme} {}", key.reveal())).await.status, 200);
    }
}

#[tokio::test]
async fn anything_else_is_401_with_a_challenge() {
    let (access, key) = (access(), key());
    let service = Service::start(router(access));
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
    let (access, key) = (access(), key());
    let service = Service::start(router(access));
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

/// What a page of the service `http://cafe` sends along.
fn own_page() -> HeaderMap {
    headers(&[("host", "cafe"), ("origin", "http://cafe")])
}

fn headers(all: &[(&'static str, &'static str)]) -> HeaderMap {
    all.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
}

/// The cookie as a browser sends it back.
fn badge(access: &StaffAccess) -> String {
    let cookie = access.sign_in(access.key().reveal(), &own_page()).expect("it is the key");
    let (pair, attributes) = cookie.to_str().unwrap().split_once("; ").unwrap();
    for attribute in ["HttpOnly", "SameSite=Strict"] {
        assert!(attributes.split("; ").any(|it| it == attribute), "{attributes}");
    }
    assert!(!pair.contains(access.key().reveal()));
    pair.to_owned()
}

async fn with(service: &Service, method: &str, headers: &str) -> Answer {
    service
        .call()
        .await
        .ask(&format!("{method} /staff HTTP/1.1\r\nhost: cafe\r\n{headers}content-length: 0\r\n\r\n"))
        .await
}

#[tokio::test]
async fn a_browser_that_showed_the_key_once_is_let_in_by_its_cookie() {
    let access = access();
    let service = Service::start(router(access.clone()));
    let cookie = format!("cookie: lang=ko; {}; other=1\r\n", badge(&access));
    assert_eq!(with(&service, "GET", &cookie).await.status, 200);
    assert_eq!(with(&service, "POST", &format!("{cookie}origin: http://cafe\r\n")).await.status, 200);
    let told = format!("{cookie}origin: http://cafe:80\r\nsec-fetch-site: same-origin\r\n");
    assert_eq!(with(&service, "POST", &told).await.status, 200, "behind a proxy that changes `Host`");
    assert!(access.sign_out().to_str().unwrap().contains("Max-Age=0"));
}

#[tokio::test]
async fn another_site_cannot_act_through_a_browser_that_is_signed_in() {
    let access = access();
    let service = Service::start(router(access.clone()));
    let cookie = format!("cookie: {}\r\n", badge(&access));
    for from in [
        "",
        "origin: http://evil\r\n",
        "origin: null\r\n",
        "origin: http://cafe\r\nsec-fetch-site: same-site\r\n",
    ] {
        with(&service, "POST", &format!("{cookie}{from}")).await.problem(403, "another-site");
    }
    for elsewhere in [headers(&[("host", "cafe"), ("origin", "http://evil")]), headers(&[("host", "cafe")])] {
        assert_eq!(access.sign_in(access.key().reveal(), &elsewhere), None, "nor sign it in");
    }
}

#[tokio::test]
async fn a_cookie_opens_one_service_of_one_cafe() {
    let access = access();
    let service = Service::start(router(access.clone()));
    let others = [StaffAccess::new(key(), "payment"), StaffAccess::new(other_key(), "barista")];
    let guesses =
        [badge(&others[0]).replace("payment", "barista"), badge(&others[1]), "cafe-barista=".to_owned()];
    for guess in guesses {
        with(&service, "GET", &format!("cookie: {guess}\r\n")).await.problem(401, "unauthorized");
    }
    assert_eq!(access.sign_in(other_key().reveal(), &own_page()), None);
    assert_eq!(access.sign_in("", &own_page()), None);
}

fn other_key() -> StaffKey {
    let data = tempfile::tempdir().unwrap();
    StaffKey::load_or_create(data.path(), &Ids::seeded(2)).unwrap()
}
