use std::time::Duration;

use cafe_events::{
    Currency, Event, Party, PaymentCancelled, PaymentEvent, PaymentRefunded, TicketCancelled, TicketEvent,
};
use cafe_failures::{customer, tried};
use serde_json::json;

use crate::cafe::{Cafe, PATIENCE, Reply, Taken, declined, started};

#[tokio::test]
async fn a_cancel_is_noted_and_announced_once() {
    tried(&customer::CANCELS);
    let cafe = Cafe::open();
    let taken = cafe.place().await;
    let first = cancel(&cafe, &taken, &json!({"reason": "too late for the train"})).await;
    assert_eq!((first.status.as_u16(), first.json()["cancel"].as_str()), (202, Some("requested")));
    assert_eq!(first.json()["status"], "placed");
    let again = cancel(&cafe, &taken, &json!({})).await;
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    let announced = cafe.announced();
    assert_eq!(announced.len(), 2);
    let (kind, body) = &announced[1];
    assert_eq!(kind, "cafe.order.cancel_requested.v1");
    assert_eq!((&body["version"], &body["by"]), (&json!(2), &json!("customer")));
    assert_eq!(body["reason"], "too late for the train");
}

#[tokio::test]
async fn staff_may_cancel_and_the_body_may_be_empty() {
    let cafe = Cafe::open();
    let taken = cafe.place().await;
    let path = format!("{}/cancel", taken.path());
    let key = format!("Bearer {}", cafe.staff_key());
    let reply = cafe.send("POST", &path, &[("authorization", &key)], b"").await;
    assert_eq!(reply.status, 202);
    assert_eq!(cafe.announced()[1].1["by"], "staff");
}

#[tokio::test]
async fn a_cancelled_order_is_cancelled_already() {
    tried(&customer::CANCELS);
    let cafe = Cafe::open();
    let taken = cafe.place().await;
    cancel(&cafe, &taken, &json!({})).await;
    let cancelled = PaymentEvent::Cancelled(PaymentCancelled { by: Party::Customer, reason: None });
    cafe.say(&taken, 1, &Event::Payment(cancelled));
    cafe.until(&taken, "cancelled").await;
    let reply = cancel(&cafe, &taken, &json!({})).await;
    assert_eq!((reply.status.as_u16(), reply.json()["status"].as_str()), (200, Some("cancelled")));
}

#[tokio::test]
async fn of_an_order_that_was_paid_the_money_comes_back() {
    tried(&customer::CANCELS);
    let cafe = Cafe::open();
    let taken = cafe.place().await;
    cafe.say(&taken, 1, &taken.approved());
    cafe.say(&taken, 1, &taken.queued());
    cafe.until(&taken, "paid").await;
    assert_eq!(cancel(&cafe, &taken, &json!({})).await.status, 202);
    let cancelled = TicketCancelled { by: Party::Customer, reason: None };
    cafe.say(&taken, 2, &Event::Ticket(TicketEvent::Cancelled(cancelled)));
    cafe.say(&taken, 2, &refunded(&taken));
    cafe.until(&taken, "cancelled").await;
    let all_is_back = async {
        while cafe.order(&taken).await["refunded"] != taken.view["total"] {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, all_is_back).await.expect("all of it comes back");
}

#[tokio::test]
async fn a_cancel_that_another_end_forestalled_is_refused() {
    tried(&customer::CANCELS);
    let cafe = Cafe::open();
    let taken = cafe.place().await;
    assert_eq!(cancel(&cafe, &taken, &json!({})).await.json()["cancel"], "requested");
    cafe.say(&taken, 1, &declined());
    assert_eq!(cafe.until(&taken, "declined").await["cancel"], "refused");
}

#[tokio::test]
async fn it_is_too_late_once_making_has_started_or_the_order_has_ended() {
    tried(&customer::CANCELS);
    let cafe = Cafe::open();
    let (made, refused) = (cafe.place().await, cafe.place().await);
    cafe.say(&made, 1, &made.approved());
    cafe.say(&made, 1, &made.queued());
    cafe.say(&made, 2, &started());
    cafe.say(&refused, 1, &declined());
    cafe.until(&made, "making").await;
    cafe.until(&refused, "declined").await;
    for (taken, says) in [(&made, "Making has started"), (&refused, "it is declined")] {
        let reply = cancel(&cafe, taken, &json!({})).await;
        assert_eq!((reply.status.as_u16(), reply.header("content-type")), (409, "application/problem+json"));
        assert_eq!(reply.json()["type"], "urn:cafe:problem:cannot-cancel");
        assert!(reply.json()["detail"].as_str().unwrap().contains(says), "{}", reply.json());
    }
    assert_eq!(cafe.announced().len(), 2, "nothing was announced");
}

#[tokio::test]
async fn a_wrong_cancel_is_refused() {
    let cafe = Cafe::open();
    let taken = cafe.place().await;
    let path = format!("{}/cancel", taken.path());
    assert_eq!(cafe.post(&path, &[], &json!({})).await.status, 401);
    assert_eq!(cafe.post(&format!("{path}?token=guess"), &[], &json!({})).await.status, 401);
    let unknown = cancel(&cafe, &taken, &json!({"why": "because"})).await;
    assert_eq!((unknown.status.as_u16(), unknown.fields()), (422, vec!["why".to_owned()]));
    for reason in [json!(""), json!("x".repeat(201)), json!("two\nlines"), json!(3)] {
        let reply = cancel(&cafe, &taken, &json!({"reason": reason})).await;
        assert_eq!((reply.status.as_u16(), reply.fields()), (422, vec!["reason".to_owned()]));
    }
    let key = format!("Bearer {}", cafe.staff_key());
    let nowhere = "/orders/01890a5d-ac96-774b-bcce-b302099a8057/cancel";
    assert_eq!(cafe.post(nowhere, &[("authorization", &key)], &json!({})).await.status, 404);
}

async fn cancel(cafe: &Cafe, taken: &Taken, body: &serde_json::Value) -> Reply {
    let bearer = format!("Bearer {}", taken.token);
    cafe.post(&format!("{}/cancel", taken.path()), &[("authorization", &bearer)], body).await
}

/// All of it.
fn refunded(taken: &Taken) -> Event {
    let total = taken.view["total"].as_i64().unwrap();
    Event::Payment(PaymentEvent::Refunded(PaymentRefunded {
        amount: total,
        currency: Currency::KRW,
        refunded_total: total,
        lines: Vec::new(),
        reason: "cancelled".to_owned(),
        goodwill: false,
    }))
}
