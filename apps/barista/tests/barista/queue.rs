//! `GET /queue`.

use crate::samples;
use crate::service::{Cafe, until};

#[tokio::test]
async fn everybody_sees_a_stores_open_tickets_first_in_first_out() {
    let cafe = Cafe::open().await;
    let (first, second, third) = (cafe.queued(1).await, cafe.queued(1).await, cafe.queued(1).await);
    cafe.staff(third, "start").await;
    cafe.staff(second, "reject").await;
    let elsewhere = cafe.approved("harbour", samples::approved(1)).await;

    let queue = cafe.without_key("GET", "/queue").await.body;
    let orders: Vec<&str> = queue["tickets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|ticket| ticket["order_id"].as_str().unwrap())
        .collect();
    assert_eq!(orders, [first.to_string(), third.to_string()]);
    assert_eq!(queue["more"], false);

    until("the other store's ticket", || async {
        let harbour = cafe.get("/queue?store=harbour").await.body;
        (harbour["tickets"][0]["order_id"] == elsewhere.to_string()).then_some(())
    })
    .await;
    cafe.close().await;
}

#[tokio::test]
async fn a_long_queue_shows_its_first_five_hundred_and_says_that_there_are_more() {
    let cafe = Cafe::open().await;
    cafe.approved_many(510).await;
    cafe.queued(1).await;
    let queue = cafe.get("/queue").await.body;
    assert_eq!(queue["tickets"].as_array().unwrap().len(), 500);
    assert_eq!(queue["more"], true);
    assert_eq!(queue["tickets"][499]["sequence"], 500);
    cafe.close().await;
}
