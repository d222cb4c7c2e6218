use std::time::Duration;

use crate::cafe::{Cafe, PATIENCE};

#[tokio::test]
async fn a_browser_gets_a_page_and_everyone_else_a_greeting() {
    let cafe = Cafe::open();
    let page = cafe.send("GET", "/", &[("accept", "text/html,application/xhtml+xml,*/*;q=0.8")], b"").await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (200, "text/html; charset=utf-8"));
    let shown = String::from_utf8_lossy(&page.body);
    for there in ["/menu", "아메리카노", "Americano", "₩3,500", "홍차"] {
        assert!(shown.contains(there), "{there}: {shown}");
    }
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
