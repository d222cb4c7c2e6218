use crate::cafe::Cafe;

#[tokio::test]
async fn a_browser_gets_a_page_and_everyone_else_a_greeting() {
    let cafe = Cafe::open();
    let page = cafe.send("GET", "/", &[("accept", "text/html,application/xhtml+xml,*/*;q=0.8")], b"").await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(String::from_utf8_lossy(&page.body).contains("/menu"));
    let greeting = cafe.get("/").await;
    assert_eq!(
        (greeting.status.as_u16(), greeting.header("content-type")),
        (200, "text/plain; charset=utf-8")
    );
    assert!(greeting.body.starts_with(b"Welcome"));
    assert_eq!((page.header("vary"), greeting.header("vary")), ("accept", "accept"));
}

#[tokio::test]
async fn what_every_service_has_is_there() {
    let cafe = Cafe::open();
    for path in ["/health/live", "/health/ready", "/openapi.json", "/metrics"] {
        assert_eq!(cafe.get(path).await.status, 200, "{path}");
    }
    cafe.place().await;
    let metrics = String::from_utf8(cafe.get("/metrics").await.body.to_vec()).unwrap();
    assert!(metrics.contains("cafe_orders_accepted_total"), "{metrics}");
    assert_eq!(cafe.get_with("/parked", &cafe.staff_key()).await.json()["parked"], serde_json::json!([]));
}
