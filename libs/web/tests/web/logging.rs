//! What is written down about a request, and what never is.

use axum::Router;
use axum::routing::{get, post};
use cafe_failures::log;
use cafe_web::{JsonBody, Problem};

use crate::support::Service;

#[tokio::test]
async fn a_request_is_one_line_without_its_query_body_or_key() {
    let log = log();
    let failing = || async { Problem::internal("the disk is upside down") };
    let router = Router::new()
        .route("/logged/{order_id}", get(|| async {}))
        .route("/logged", post(|_: JsonBody<Vec<u8>>| async {}))
        .route("/logged/failing", get(failing));
    let service = Service::start(router);

    service.get("/logged/7?token=confidential").await;
    service.post("/logged", Some("application/json"), "{\"card\":\"confidential\"}").await;
    let request = "GET /logged/7 HTTP/1.1\r\nhost: cafe\r\ntraceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\nauthorization: Bearer confidential\r\n\r\n";
    service.call().await.ask(request).await;
    let answer = service.get("/logged/failing?token=confidential").await;
    assert!(!answer.text().contains("upside down"), "why is for the log only");
    service.end().await;

    let text = log.text();
    let requests: Vec<&str> = text.lines().filter(|line| line.contains("path=\"/logged")).collect();
    assert_eq!(requests.len(), 4, "{requests:#?}");
    assert!(
        requests[0].contains("DEBUG") && requests[0].contains("path=\"/logged/{order_id}\""),
        "{}",
        requests[0]
    );
    assert!(requests[2].contains("trace_id=4bf92f3577b34da6a3ce929d0e0e4736"), "{}", requests[2]);
    assert!(requests[3].contains("WARN") && requests[3].contains("upside down"), "{}", requests[3]);
    assert!(!text.contains("confidential"), "{text}");
}
