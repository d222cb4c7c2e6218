//! `POST /tickets/{order_id}/recall`.

use crate::service::Cafe;

#[tokio::test]
async fn a_ticket_that_was_handed_over_comes_back_to_be_made_again() {
    let cafe = Cafe::open().await;
    let order_id = cafe.queued(2).await;
    cafe.staff(order_id, "ready").await;
    cafe.staff(order_id, "pick-up").await;
    let recalled = cafe.staff_with(order_id, "recall", r#"{"lines":[2],"reason":"cold"}"#).await;
    assert_eq!((recalled.status, &recalled.body["status"]), (200, &"making".into()));
    assert_eq!(
        (&recalled.body["lines"][0]["recalled"], &recalled.body["lines"][1]["recalled"]),
        (&false.into(), &true.into())
    );
    assert_eq!(cafe.get("/queue").await.body["tickets"][0]["order_id"], order_id.to_string());
    assert_eq!(cafe.staff(order_id, "lines/2/ready").await.body["status"], "ready");
    cafe.close().await;
}

#[tokio::test]
async fn what_was_never_made_cannot_be_recalled() {
    let cafe = Cafe::open().await;
    let order_id = cafe.queued(2).await;
    assert_eq!(cafe.staff(order_id, "recall").await.status, 409);
    cafe.staff(order_id, "lines/1/ready").await;
    let refused = cafe.staff_with(order_id, "recall", r#"{"lines":[1,2]}"#).await;
    assert_eq!(refused.body["detail"], "line 2 is not made yet; possible now: ready, reject");
    assert_eq!(cafe.ticket(order_id).await["lines"][0]["state"], "ready");
    cafe.close().await;
}

#[tokio::test]
async fn a_body_that_is_not_right_names_the_field() {
    let cafe = Cafe::open().await;
    let order_id = cafe.queued(1).await;
    let long = format!(r#"{{"reason":"{}"}}"#, "x".repeat(201));
    for (body, status, field) in [
        (r#"{"lines":[]}"#, 422, "lines"),
        (r#"{"lines":["one"]}"#, 422, "lines[0]"),
        (r#"{"line":1}"#, 422, "line"),
        (long.as_str(), 422, "reason"),
        (r#"{"reason":""}"#, 422, "reason"),
        (r#"{"reason":"two\nlines"}"#, 422, "reason"),
    ] {
        let refused = cafe.staff_with(order_id, "recall", body).await;
        assert_eq!(
            (refused.status, &refused.body["errors"][0]["field"]),
            (status, &field.into()),
            "{refused:?}"
        );
    }
    assert_eq!(cafe.staff_with(order_id, "recall", "{").await.status, 400);
    cafe.close().await;
}
