//! `GET /openapi.json` and `GET /metrics`.

use serde_json::Value;

use crate::service::{Cafe, until};

#[tokio::test]
async fn the_document_names_every_endpoint_and_every_problem() {
    let cafe = Cafe::open().await;
    let document = cafe.get("/openapi.json").await.body;
    assert_eq!(document, serde_json::to_value(cafe_barista::openapi()).unwrap());
    let paths = document["paths"].as_object().unwrap();
    for path in [
        "/",
        "/board",
        "/queue",
        "/queue/events",
        "/tickets",
        "/tickets/{order_id}",
        "/parked",
        "/health/live",
    ] {
        assert!(paths[path]["get"].is_object(), "{path}");
    }
    for command in ["start", "ready", "pick-up", "recall", "reject"] {
        let answers = &paths[&format!("/tickets/{{order_id}}/{command}")]["post"]["responses"];
        for status in ["200", "400", "401", "404", "409", "500", "503", "504"] {
            assert!(answers[status].is_object(), "{command} {status}");
        }
    }
    let body = &paths["/tickets/{order_id}/recall"]["post"]["requestBody"];
    assert_ne!(body["required"], Value::Bool(true), "a recall needs no body");
    cafe.close().await;
}

#[tokio::test]
async fn the_metrics_count_the_queue() {
    let cafe = Cafe::open().await;
    let order_id = cafe.queued(1).await;
    cafe.staff(order_id, "start").await;
    cafe.staff(order_id, "ready").await;
    until("the figures", || async {
        let metrics = cafe.text("/metrics").await;
        let expected = [
            "cafe_tickets_queued_total",
            "cafe_tickets_made_total",
            "cafe_ticket_making_seconds",
            "cafe_tickets_open{status=\"queued\"}",
            "cafe_tickets_oldest_seconds",
        ];
        expected.iter().all(|name| metrics.contains(name)).then_some(())
    })
    .await;
    cafe.close().await;
}
