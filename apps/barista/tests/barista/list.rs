//! `GET /tickets`.

use crate::service::Cafe;

#[tokio::test]
async fn staff_read_every_ticket_page_by_page() {
    let cafe = Cafe::open().await;
    let mut orders = Vec::new();
    for _ in 0..5 {
        orders.push(cafe.queued(1).await.to_string());
    }
    cafe.staff(orders[0].parse().unwrap(), "reject").await;
    orders.sort();

    let (mut path, mut seen, mut pages) = ("/tickets?limit=2".to_owned(), Vec::new(), 0);
    loop {
        let page = cafe.get(&path).await.body;
        pages += 1;
        seen.extend(
            page["tickets"]
                .as_array()
                .unwrap()
                .iter()
                .map(|ticket| ticket["order_id"].as_str().unwrap().to_owned()),
        );
        match page["next"].as_str() {
            Some(next) => path = format!("/tickets?limit=2&after={next}"),
            None => break,
        }
    }
    assert_eq!((seen, pages), (orders, 3));
    cafe.close().await;
}

#[tokio::test]
async fn a_page_that_makes_no_sense_is_refused_by_name() {
    let cafe = Cafe::open().await;
    for (query, field) in
        [("limit=0", "limit"), ("limit=501", "limit"), ("after=soon", "after"), ("page=2", "page")]
    {
        let refused = cafe.get(&format!("/tickets?{query}")).await;
        assert_eq!(
            (refused.status, &refused.body["errors"][0]["field"]),
            (400, &field.into()),
            "{refused:?}"
        );
    }
    cafe.close().await;
}
