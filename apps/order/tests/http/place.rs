use cafe_failures::{customer, tried};
use cafe_order::menu::{DEFAULT, Menu};
use serde_json::json;

use crate::cafe::{Cafe, Taken, wish};

#[tokio::test]
async fn an_order_is_taken_at_the_menus_prices() {
    let cafe = Cafe::open();
    let reply = cafe.post("/orders", &[], &wish()).await;
    assert_eq!(reply.status, 201);
    let taken = Taken::of(&reply);
    assert_eq!(reply.header("location"), taken.path());
    assert_eq!(reply.header("cache-control"), "no-store");
    assert_eq!(reply.header("idempotent-replayed"), "");
    let view = &taken.view;
    assert_eq!((view["number"].as_str(), view["status"].as_str()), (Some("0001"), Some("placed")));
    assert_eq!((view["total"].as_i64(), view["currency"].as_str()), (Some(11_000), Some("KRW")));
    assert_eq!((view["store"].as_str(), view["day"].as_str()), (Some("main"), Some("2026-11-23")));
    assert_eq!(view["placed_at"], "2026-11-23T10:00:00Z");
    assert_eq!(view["pay_by"], "2026-11-23T10:10:00Z");
    assert_eq!(view["lines"][0]["name"]["ko"], "아메리카노");
    assert_eq!(view["lines"][1]["size"], "medium");
    assert_eq!(view["lines"][1]["state"], "waiting");
    assert_eq!(view["steps"], json!([{"status": "placed", "at": "2026-11-23T10:00:00Z"}]));
    assert_eq!(view["versions"], json!({"order": 1, "payment": 0, "ticket": 0}));
    assert_eq!((&view["cancel"], &view["payment_delayed"]), (&json!(null), &json!(false)));
    assert!(taken.token.len() >= 22, "128 random bits");
}

#[tokio::test]
async fn the_order_is_announced_without_the_customers_token() {
    let cafe = Cafe::open();
    let taken = cafe.place().await;
    let announced = cafe.announced();
    assert_eq!(announced.len(), 1);
    let (kind, body) = &announced[0];
    assert_eq!(kind, "cafe.order.placed.v1");
    assert_eq!(body["order_id"], taken.id.to_string());
    assert_eq!(
        (&body["version"], &body["total"], &body["number"]),
        (&json!(1), &json!(11_000), &json!("0001"))
    );
    assert_eq!(body["payment"], json!({"vendor": "simulator", "token": "tok_ok"}));
    assert!(!body.to_string().contains(&taken.token));
}

#[tokio::test]
async fn the_front_door_takes_orders_too() {
    let cafe = Cafe::open();
    let reply = cafe.post("/", &[], &wish()).await;
    assert_eq!(reply.status, 201);
    assert_eq!(cafe.order(&Taken::of(&reply)).await["total"], 11_000);
}

#[tokio::test]
async fn without_a_key_each_post_is_a_new_order() {
    let cafe = Cafe::open();
    let (first, second) = (cafe.place().await, cafe.place().await);
    assert_ne!(first.id, second.id);
    assert_ne!(first.token, second.token);
    assert_eq!([first.number, second.number], ["0001", "0002"]);
}

#[tokio::test]
async fn the_proof_of_payment_may_come_later() {
    let cafe = Cafe::open();
    let mut body = wish();
    body["payment"] = json!({"vendor": "simulator"});
    assert_eq!(cafe.post("/orders", &[], &body).await.status, 201);
    assert_eq!(cafe.announced()[0].1["payment"], json!({"vendor": "simulator"}));
}

#[tokio::test]
async fn at_another_price_than_the_customer_was_told_nothing_is_taken() {
    tried(&customer::PRICES_CHANGE);
    let mut cafe = Cafe::open();
    let told = |total: i64| {
        let mut body = wish();
        body["expected_total"] = total.into();
        body
    };
    for key in [None, Some(("idempotency-key", "a"))] {
        let headers: Vec<_> = key.into_iter().collect();
        let reply = cafe.post("/orders", &headers, &told(10_500)).await;
        assert_eq!((reply.status.as_u16(), reply.fields()), (409, vec!["expected_total".to_owned()]));
        assert_eq!(reply.json()["type"], "urn:cafe:problem:price-changed");
        assert_eq!(reply.json()["errors"][0]["detail"], "is 11000 now");
    }
    assert!(cafe.announced().is_empty());
    let taken = cafe.post("/orders", &[("idempotency-key", "a")], &told(11_000)).await;
    assert_eq!((taken.status.as_u16(), Taken::of(&taken).number.as_str()), (201, "0001"));

    // An order that was taken before is the same order, whatever the menu says now.
    cafe.reopen_with(|config| {
        config.menu = Menu::parse(&DEFAULT.replace("price = 3500", "price = 3600")).unwrap();
    })
    .await;
    let again = cafe.post("/orders", &[("idempotency-key", "a")], &told(11_000)).await;
    assert_eq!((again.status.as_u16(), Taken::of(&again).id), (201, Taken::of(&taken).id));
    assert_eq!(cafe.post("/orders", &[("idempotency-key", "b")], &told(11_000)).await.status, 409);
}
