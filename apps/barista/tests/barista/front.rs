//! `GET /`.

use crate::service::Cafe;

#[tokio::test]
async fn the_front_page_says_where_things_are() {
    let cafe = Cafe::open().await;
    assert!(cafe.text("/").await.contains("/queue/events"));
    assert_eq!(cafe.get("/nowhere").await.status, 404);
    cafe.close().await;
}
