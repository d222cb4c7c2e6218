//! What needs the staff key.

use crate::service::Cafe;

#[tokio::test]
async fn without_the_staff_key_nothing_is_shown_or_done() {
    let cafe = Cafe::open().await;
    let order_id = cafe.queued(1).await;
    for path in ["/tickets".to_owned(), format!("/tickets/{order_id}"), "/parked".to_owned()] {
        assert_eq!(cafe.without_key("GET", &path).await.status, 401, "{path}");
    }
    for what in
        ["start", "ready", "pick-up", "recall", "reject", "lines/1/ready", "lines/1/recall", "lines/1/reject"]
    {
        assert_eq!(
            cafe.without_key("POST", &format!("/tickets/{order_id}/{what}")).await.status,
            401,
            "{what}"
        );
    }
    assert_eq!(cafe.ticket(order_id).await["version"], 1);
    cafe.close().await;
}
