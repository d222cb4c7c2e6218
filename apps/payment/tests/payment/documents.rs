//! `GET /`, `GET /openapi.json` and `GET /metrics`.

use cafe_events::PaymentEvent;

use crate::service::Cafe;

#[tokio::test]
async fn the_document_names_every_endpoint_and_every_problem() {
    let cafe = Cafe::open().await;
    let document = cafe.get("/openapi.json").await.body;
    assert_eq!(document, serde_json::to_value(cafe_payment::openapi()).unwrap());
    let paths = document["paths"].as_object().unwrap();
    for path in ["/", "/payments", "/payments/{order_id}", "/parked", "/health/live"] {
        assert!(paths[path]["get"].is_object(), "{path}");
    }
    let answers = &paths["/payments/{order_id}/refund"]["post"]["responses"];
    for status in ["200", "202", "400", "401", "404", "409", "413", "415", "422", "500", "503", "504"] {
        assert!(answers[status].is_object(), "{status}");
    }
    let answers = &paths["/webhooks/{vendor}"]["post"]["responses"];
    assert!(answers["202"].is_object() && answers["404"].is_object());
    cafe.close().await;
}

#[tokio::test]
async fn the_front_page_says_where_things_are() {
    let cafe = Cafe::open().await;
    let greeting = cafe.without_key("GET", "/", "").await;
    assert!(greeting.body.as_str().unwrap().contains("/payments/{order_id}/refund"), "{greeting:?}");
    cafe.close().await;
}

#[tokio::test]
async fn the_metrics_count_payments_and_time_the_vendor() {
    let cafe = Cafe::open().await;
    let order_id = cafe.place("tok_ok");
    cafe.until_said(order_id, |event| matches!(event, PaymentEvent::Approved(_))).await;
    cafe.until("the figures", || async {
        let metrics = cafe.get("/metrics").await.body;
        let expected = [
            "cafe_payments_total{outcome=\"approved\"}",
            "cafe_vendor_seconds",
            "cafe_breaker_state",
            "cafe_payments_unknown",
            "cafe_payments_due",
            "cafe_payments_due_oldest_seconds",
        ];
        expected.iter().all(|name| metrics.as_str().unwrap().contains(name)).then_some(())
    })
    .await;
    cafe.close().await;
}
