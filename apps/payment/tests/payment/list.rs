//! `GET /payments` and `GET /payments/{order_id}`.

use cafe_events::PaymentEvent;

use crate::service::Cafe;

#[tokio::test]
async fn staff_page_through_every_payment() {
    let cafe = Cafe::open().await;
    let mut orders = cafe.place_many("tok_ok", 5);
    orders.sort();
    for order_id in &orders {
        cafe.until_said(*order_id, |event| matches!(event, PaymentEvent::Approved(_))).await;
    }
    let first = cafe.get("/payments?limit=3").await.body;
    let next = first["next"].as_str().unwrap();
    let second = cafe.get(&format!("/payments?limit=3&after={next}")).await.body;
    assert!(second["next"].is_null());
    let ids = [&first, &second].map(|page| page["payments"].as_array().unwrap().clone()).concat();
    let ids: Vec<_> = ids.iter().map(|payment| payment["order_id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids, orders.iter().map(ToString::to_string).collect::<Vec<_>>());
    cafe.close().await;
}

#[tokio::test]
async fn nobody_else_sees_anything() {
    let cafe = Cafe::open().await;
    let order_id = cafe.place("tok_ok");
    cafe.until_said(order_id, |_| true).await;
    for path in ["/payments".to_owned(), format!("/payments/{order_id}")] {
        assert_eq!(cafe.without_key("GET", &path, "").await.status, 401);
    }
    assert_eq!(cafe.get("/payments?limit=0").await.status, 400);
    assert_eq!(cafe.get("/payments/nobody").await.status, 400);
    assert_eq!(cafe.get(&format!("/payments/{}", cafe.new_order())).await.status, 404);
    let shown = cafe.payment(order_id).await.to_string();
    assert!(!shown.contains("tok_ok"), "the customer's proof is nobody's business");
    cafe.close().await;
}
