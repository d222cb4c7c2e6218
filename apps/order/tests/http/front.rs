use std::time::Duration;

use crate::cafe::{Cafe, PATIENCE};

#[tokio::test]
async fn a_program_is_greeted() {
    let cafe = Cafe::open();
    let greeting = cafe.get("/").await;
    let seen = (greeting.status.as_u16(), greeting.header("content-type"), greeting.header("vary"));
    assert_eq!(seen, (200, "text/plain; charset=utf-8", "accept"));
    assert!(greeting.body.starts_with(b"Welcome"));
}

#[tokio::test]
async fn what_every_service_has_is_there() {
    let cafe = Cafe::open();
    for path in ["/health/live", "/health/ready", "/openapi.json", "/metrics"] {
        assert_eq!(cafe.get(path).await.status, 200, "{path}");
    }
    cafe.place().await;
    let counted = async {
        while !String::from_utf8_lossy(&cafe.get("/metrics").await.body)
            .contains("cafe_orders_accepted_total")
        {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, counted).await.expect("orders are counted");
    assert_eq!(cafe.get_with("/parked", &cafe.staff_key()).await.json()["parked"], serde_json::json!([]));
}
