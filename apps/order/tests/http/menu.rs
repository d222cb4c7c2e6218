use crate::cafe::Cafe;

#[tokio::test]
async fn the_menu_tells_names_sizes_and_prices() {
    let cafe = Cafe::open();
    let reply = cafe.get("/menu").await;
    assert_eq!((reply.status.as_u16(), reply.header("content-type")), (200, "application/json"));
    let menu = reply.json();
    assert_eq!(menu["currency"], "KRW");
    assert_eq!(menu["drinks"].as_array().unwrap().len(), 8);
    let americano = &menu["drinks"][1];
    assert_eq!(americano["name"], serde_json::json!({"en": "Americano", "ko": "아메리카노"}));
    assert_eq!(americano["sizes"][2], serde_json::json!({"size": "large", "price": 3500}));
}

#[tokio::test]
async fn a_menu_that_is_known_is_not_sent_again() {
    let cafe = Cafe::open();
    let etag = cafe.get("/menu").await.header("etag").to_owned();
    for known in [etag.as_str(), "*", &format!("\"other\", W/{etag}")] {
        let reply = cafe.send("GET", "/menu", &[("if-none-match", known)], b"").await;
        assert_eq!((reply.status.as_u16(), reply.body.len(), reply.header("etag")), (304, 0, etag.as_str()));
    }
    let reply = cafe.send("GET", "/menu", &[("if-none-match", "\"other\"")], b"").await;
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn a_cafe_may_have_a_menu_of_its_own() {
    let cafe = Cafe::open_with(|config| {
        let menu = "[[drink]]\nmenu='tea'\nname={en='Tea',ko='차'}\nprice=100\nmaking_ms=1\nprice_by_size={large=150}";
        config.menu = cafe_order::menu::Menu::parse(menu).unwrap();
    });
    let body = serde_json::json!({
        "items": [{"menu": "tea", "size": "large"}, {"menu": "tea", "quantity": 2}],
        "payment": {"vendor": "simulator"},
    });
    assert_eq!(cafe.post("/orders", &[], &body).await.json()["total"], 350);
}
