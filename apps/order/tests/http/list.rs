use cafe_store::Connection;

use crate::cafe::Cafe;

#[tokio::test]
async fn staff_page_through_all_orders_in_order_of_id() {
    let cafe = Cafe::open();
    let mut placed = Vec::new();
    for _ in 0..5 {
        placed.push(cafe.place().await.id.to_string());
    }
    placed.sort();
    let mut seen = Vec::new();
    let mut path = "/orders?limit=2".to_owned();
    loop {
        let reply = cafe.get_with(&path, &cafe.staff_key()).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let page = reply.json();
        let orders = page["orders"].as_array().unwrap();
        assert!(orders.len() <= 2 && orders.iter().all(|order| order["token"].is_null()));
        seen.extend(orders.iter().map(|order| order["id"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => path = format!("/orders?limit=2&after={next}"),
            None => break,
        }
    }
    assert_eq!(seen, placed);
}

#[tokio::test]
async fn nobody_else_may() {
    let cafe = Cafe::open();
    let taken = cafe.place().await;
    assert_eq!(cafe.get("/orders").await.status, 401);
    assert_eq!(cafe.get_with("/orders", &taken.token).await.status, 401);
}

#[tokio::test]
async fn a_wrong_page_is_named() {
    let cafe = Cafe::open();
    cafe.place().await;
    for (query, field) in
        [("limit=0", "limit"), ("limit=501", "limit"), ("after=latte", "after"), ("page=2", "page")]
    {
        let reply = cafe.get_with(&format!("/orders?{query}"), &cafe.staff_key()).await;
        assert_eq!((reply.status.as_u16(), reply.fields()), (400, vec![field.to_owned()]), "{query}");
    }
}

#[tokio::test]
async fn the_audit_reads_the_same_from_the_file() {
    let cafe = Cafe::open();
    let taken = cafe.place().await;
    let mut db = Connection::open_peer(&cafe.folder.path().join("order.sqlite")).unwrap();
    let orders = cafe_order::page(&mut db, "", 10).unwrap();
    assert_eq!(orders.len(), 1);
    assert_eq!((orders[0].0, orders[0].1.placed.as_ref().unwrap().total), (taken.id, 11_000));
    assert_eq!(cafe_order::page(&mut db, &taken.id.to_string(), 10).unwrap(), []);
}
