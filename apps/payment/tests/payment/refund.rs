//! `POST /payments/{order_id}/refund`: staff give money back.

use cafe_events::{OrderId, Party, PaymentEvent};
use cafe_failures::{log, tried, vendor};

use crate::samples::TOTAL;
use crate::service::Cafe;

const SORRY: &str = r#"{"reason":"it was cold"}"#;

async fn approved(cafe: &Cafe, token: &str) -> OrderId {
    let order_id = cafe.place(token);
    cafe.until_said(order_id, |event| matches!(event, PaymentEvent::Approved(_))).await;
    order_id
}

#[tokio::test]
async fn everything_goes_back_by_way_of_a_cancel_if_making_has_not_started() {
    let cafe = Cafe::open().await;
    let order_id = approved(&cafe, "tok_ok").await;
    assert_eq!(cafe.refund(order_id, SORRY).await.status, 202);
    assert_eq!(cafe.refund(order_id, SORRY).await.status, 200, "asked twice, wanted once");
    let wish = cafe.until_said(order_id, |event| matches!(event, PaymentEvent::CancelRequested(_))).await;
    assert!(matches!(wish, PaymentEvent::CancelRequested(wish) if wish.by == Party::Staff));
    assert_eq!(cafe.payment(order_id).await["open"], true, "it waits for the barista's word");

    cafe.ticket_cancelled(order_id);
    cafe.until_said(order_id, |event| matches!(event, PaymentEvent::Refunded(_))).await;
    let answer = cafe.refund(order_id, SORRY).await;
    assert_eq!((answer.status, &answer.body["goodwill"]), (200, &0.into()));
    assert_eq!(answer.body["refunded"], TOTAL);
    assert_eq!(cafe.said(order_id).len(), 3);
    cafe.close().await;
}

#[tokio::test]
async fn all_of_it_by_its_amount_is_a_cancel_too_but_not_what_is_left_of_it() {
    let cafe = Cafe::open().await;
    let (untouched, given_some) = (approved(&cafe, "tok_ok").await, approved(&cafe, "tok_ok").await);
    let all = format!(r#"{{"reason":"it was cold","amount":{TOTAL}}}"#);
    assert_eq!(cafe.refund(untouched, &all).await.status, 202);
    assert_eq!(cafe.refund(untouched, &all).await.status, 200, "asked twice, wanted once");
    cafe.until_said(untouched, |event| matches!(event, PaymentEvent::CancelRequested(_))).await;
    assert!(cafe.refunds(untouched).is_empty(), "the barista decides first");
    cafe.ticket_cancelled(untouched);
    cafe.until_said(untouched, |event| matches!(event, PaymentEvent::Refunded(_))).await;
    assert_eq!(cafe.payment(untouched).await["goodwill"], 0);

    for amount in [500, TOTAL - 500] {
        let wish = format!(r#"{{"reason":"spilled","amount":{amount}}}"#);
        assert_eq!(cafe.refund(given_some, &wish).await.status, 202);
    }
    cafe.until_seen(given_some, |payment| payment["goodwill"] == TOTAL).await;
    cafe.close().await;
}

#[tokio::test]
async fn once_making_has_started_it_is_goodwill() {
    let cafe = Cafe::open().await;
    let order_id = approved(&cafe, "tok_ok").await;
    cafe.refund(order_id, SORRY).await;
    cafe.cancel_refused(order_id, Party::Staff);
    let event = cafe.until_said(order_id, |event| matches!(event, PaymentEvent::Refunded(_))).await;
    let PaymentEvent::Refunded(refunded) = event else { unreachable!() };
    assert!(refunded.goodwill);
    assert_eq!((refunded.amount, refunded.reason.as_str()), (TOTAL, "it was cold"));
    let payment = cafe.payment(order_id).await;
    assert_eq!((&payment["goodwill"], &payment["open"]), (&TOTAL.into(), &false.into()));
    cafe.close().await;
}

#[tokio::test]
async fn an_amount_is_given_at_once_and_never_more_than_is_left() {
    let cafe = Cafe::open().await;
    let order_id = approved(&cafe, "tok_ok").await;
    assert_eq!(cafe.refund(order_id, r#"{"reason":"spilled","amount":7000}"#).await.status, 202);
    let answer = cafe.refund(order_id, r#"{"reason":"spilled","amount":501}"#).await;
    assert_eq!(answer.status, 409);
    assert!(answer.body["detail"].as_str().unwrap().contains("500"), "{answer:?}");
    cafe.until_said(order_id, |event| matches!(event, PaymentEvent::Refunded(_))).await;
    assert_eq!(cafe.payment(order_id).await["goodwill"], 7_000);

    // A line that is rejected afterwards: what goodwill has taken turns out to have been owed.
    cafe.ticket_rejected(order_id, &[2], false);
    let payment = cafe.until_seen(order_id, |payment| payment["refunded"] == TOTAL).await;
    assert_eq!(payment["goodwill"], 3_500);
    cafe.close().await;
}

#[tokio::test]
async fn what_was_not_charged_cannot_be_given_back() {
    let cafe = Cafe::open().await;
    let declined = cafe.place("tok_declined");
    cafe.until_said(declined, |event| matches!(event, PaymentEvent::Declined(_))).await;
    assert_eq!(cafe.refund(declined, SORRY).await.status, 409);
    assert_eq!(cafe.refund(declined, r#"{"reason":"x","amount":1}"#).await.status, 409);
    assert_eq!(cafe.refund(cafe.new_order(), SORRY).await.status, 404);
    cafe.close().await;
}

#[tokio::test]
async fn a_wrong_body_names_the_field() {
    let cafe = Cafe::open().await;
    let order_id = cafe.new_order();
    for (body, field) in [
        (r#"{"reason":""}"#, "reason"),
        (r#"{"amount":5}"#, "reason"),
        (r#"{"reason":"x","amount":0}"#, "amount"),
        (r#"{"reason":"x","amount":1.5}"#, "amount"),
        (r#"{"reason":"x","sum":1}"#, "sum"),
    ] {
        let answer = cafe.refund(order_id, body).await;
        assert_eq!(answer.status, 422, "{body}");
        assert_eq!(answer.body["errors"][0]["field"], field, "{answer:?}");
    }
    let answer = cafe.without_key("POST", &format!("/payments/{order_id}/refund"), SORRY).await;
    assert_eq!(answer.status, 401);
    cafe.close().await;
}

#[tokio::test]
async fn staff_undo_an_order_whose_payment_is_not_decided() {
    let cafe = Cafe::open().await;
    let order_id = cafe.place("tok_slow");
    cafe.until_seen(order_id, |payment| payment["status"] == "asking").await;
    assert_eq!(cafe.refund(order_id, SORRY).await.status, 202);
    cafe.in_time_said(order_id, |event| matches!(event, PaymentEvent::Refunded(_))).await;
    assert!(matches!(&cafe.said(order_id)[0], PaymentEvent::Cancelled(wish) if wish.by == Party::Staff));
    cafe.close().await;
}

#[tokio::test]
async fn a_refund_without_an_answer_is_looked_up_and_made_once() {
    tried(&vendor::REFUND_UNANSWERED);
    let cafe = Cafe::open().await;
    let order_id = approved(&cafe, "tok_refund_timeout").await;
    cafe.ticket_rejected(order_id, &[1], false);
    cafe.until("the refund", || async { (!cafe.refunds(order_id).is_empty()).then_some(()) }).await;
    assert_eq!(cafe.said(order_id).len(), 1, "unknown is no outcome");
    cafe.in_time_said(order_id, |event| matches!(event, PaymentEvent::Refunded(_))).await;
    assert_eq!(cafe.refunds(order_id).len(), 1);
    cafe.close().await;
}

#[tokio::test]
async fn a_crowd_of_refunds_waits_in_the_database_while_the_vendor_is_silent() {
    tried(&vendor::REFUND_UNANSWERED);
    let cafe = Cafe::open().await;
    let orders = cafe.place_many("tok_ok", 400);
    cafe.until("approvals", || async { (cafe.count_said() == 400).then_some(()) }).await;
    cafe.outage("silent");
    tokio::time::sleep(std::time::Duration::from_millis(110)).await;
    for order_id in orders {
        cafe.ticket_cancelled(order_id);
    }
    let count = async |state: &str| {
        let page = cafe.get("/payments?limit=500").await.body;
        let payments = page["payments"].as_array().unwrap();
        payments.iter().filter(|payment| payment["refunds"][0]["state"] == state).count()
    };
    cafe.until("a crowd", || async { (count("asking").await >= 256).then_some(()) }).await;
    // What comes after the crowd is heard and asked, so that nothing of the crowd is still on its way.
    cafe.place("tok_declined");
    cafe.until("a later answer", || async { (cafe.all_charges().len() == 401).then_some(()) }).await;
    cafe.until("the last refund", || async {
        (count("asking").await + count("due").await == 400).then_some(())
    })
    .await;
    assert!(count("due").await > 0);

    cafe.outage("");
    cafe.in_time("all money", || async { (count("done").await == 400).then_some(()) }).await;
    cafe.close().await;
}

#[tokio::test]
async fn a_vendor_that_fails_while_money_goes_back_is_tried_again() {
    tried(&vendor::REFUND_UNANSWERED);
    let cafe = Cafe::open().await;
    let order_id = approved(&cafe, "tok_ok").await;
    cafe.outage("error");
    tokio::time::sleep(std::time::Duration::from_millis(110)).await;
    cafe.ticket_cancelled(order_id);
    cafe.in_time_seen(order_id, |payment| payment["refunds"][0]["state"] == "unknown").await;
    cafe.outage("");
    cafe.in_time_said(order_id, |event| matches!(event, PaymentEvent::Refunded(_))).await;
    let given: i64 = cafe.refunds(order_id).iter().map(|refund| refund.amount).sum();
    assert_eq!(given, TOTAL);
    cafe.close().await;
}

#[tokio::test]
async fn what_the_vendor_refuses_to_give_back_waits_for_a_person_who_tries_again() {
    tried(&vendor::REFUND_REFUSED);
    let log = log();
    let cafe = Cafe::open().await;
    let order_id = approved(&cafe, "tok_ok").await;
    let undo = cafe.refunded_elsewhere(order_id);
    cafe.ticket_rejected(order_id, &[2], false);
    let event = cafe.until_said(order_id, |event| matches!(event, PaymentEvent::RefundFailed(_))).await;
    assert!(matches!(event, PaymentEvent::RefundFailed(failed) if failed.amount == 4_000));
    let payment = cafe.payment(order_id).await;
    assert_eq!(payment["refunds"][0]["state"], "failed");
    assert_eq!(payment["refunds"][0]["refused"], "more_than_charged");
    assert_eq!(payment["open"], true, "somebody must see to it");
    assert!(log.says(&["a person must see to it", &order_id.to_string()]), "{}", log.text());

    undo();
    assert_eq!(cafe.refund(order_id, SORRY).await.status, 202);
    cafe.until_said(order_id, |event| matches!(event, PaymentEvent::Refunded(_))).await;
    let payment = cafe.payment(order_id).await;
    assert_eq!((&payment["refunded"], &payment["open"]), (&4_000.into(), &false.into()));
    cafe.close().await;
}
