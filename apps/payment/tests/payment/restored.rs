//! The service's database is an older copy of itself: the vendor remembers what it does not.

use std::time::Duration;

use cafe_delivery::mark_restored;
use cafe_events::{Party, PaymentEvent, Source};
use cafe_failures::{disk, tried};
use cafe_store::{Connection, copy_while_in_use};

use crate::samples::TOTAL;
use crate::service::Cafe;

/// Ends the service, puts the copy that `copy` made in place, and starts it again.
async fn restored(mut cafe: Cafe, copy: &std::path::Path) -> Cafe {
    cafe.stop().await;
    cafe.clock.advance(Duration::from_secs(1));
    let file = cafe.data.path().join(format!("{}.sqlite", Source::Payment));
    for suffix in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", file.display()));
    }
    std::fs::copy(copy, &file).unwrap();
    let mut db = Connection::open_as_it_is(&file).unwrap();
    mark_restored(&mut db, "restored", cafe.clock.now()).unwrap();
    drop(db);
    cafe.started().await
}

fn copy(cafe: &Cafe) -> std::path::PathBuf {
    let to = cafe.data.path().join("copy.sqlite");
    copy_while_in_use(&cafe.data.path().join("payment.sqlite"), &to).unwrap();
    to
}

#[tokio::test]
async fn what_was_charged_meanwhile_is_found_and_approved_again_not_charged_again() {
    tried(&disk::PAYMENT_RESTORED);
    let cafe = Cafe::open().await;
    let copy = copy(&cafe);
    let (plain, second_try) = (cafe.place("tok_ok"), cafe.place("tok_error"));
    for order_id in [plain, second_try] {
        cafe.in_time_said(order_id, |event| matches!(event, PaymentEvent::Approved(_))).await;
    }
    let before = [cafe.said(plain), cafe.said(second_try)];

    let cafe = restored(cafe, &copy).await;
    for order_id in [plain, second_try] {
        // At once, whichever attempt it was.
        cafe.until_said(order_id, |event| matches!(event, PaymentEvent::Approved(_))).await;
        assert_eq!(cafe.charges(order_id).len(), 1);
    }
    assert_eq!([cafe.said(plain), cafe.said(second_try)], before, "the same is said again");
    cafe.close().await;
}

#[tokio::test]
async fn what_was_given_back_meanwhile_is_not_given_back_again() {
    tried(&disk::PAYMENT_RESTORED);
    let cafe = Cafe::open().await;
    let copy = copy(&cafe);
    let (rejected, cancelled) = (cafe.place("tok_ok"), cafe.place("tok_slow"));
    cafe.until_said(rejected, |event| matches!(event, PaymentEvent::Approved(_))).await;
    cafe.ticket_rejected(rejected, &[1], false);
    cafe.until_said(rejected, |event| matches!(event, PaymentEvent::Refunded(_))).await;
    cafe.until_seen(cancelled, |payment| payment["status"] == "asking").await;
    cafe.cancel(cancelled);
    cafe.in_time_said(cancelled, |event| matches!(event, PaymentEvent::Refunded(_))).await;
    let before = [cafe.said(rejected), cafe.said(cancelled)];

    let cafe = restored(cafe, &copy).await;
    for (order_id, given) in [(rejected, 3_500), (cancelled, TOTAL)] {
        cafe.in_time_said(order_id, |event| matches!(event, PaymentEvent::Refunded(_))).await;
        let refunds = cafe.refunds(order_id);
        assert_eq!(refunds.iter().map(|refund| refund.amount).sum::<i64>(), given);
        assert_eq!(refunds.len(), 1);
    }
    assert_eq!([cafe.said(rejected), cafe.said(cancelled)], before, "the same is said again");
    cafe.close().await;
}

#[tokio::test]
async fn a_refused_cancel_is_forwarded_again_and_the_order_stays_paid() {
    tried(&disk::PAYMENT_RESTORED);
    let cafe = Cafe::open().await;
    let copy = copy(&cafe);
    let order_id = cafe.place("tok_ok");
    cafe.until_said(order_id, |event| matches!(event, PaymentEvent::Approved(_))).await;
    cafe.cancel(order_id);
    cafe.until_said(order_id, |event| matches!(event, PaymentEvent::CancelRequested(_))).await;
    cafe.cancel_refused(order_id, Party::Customer);
    let before = cafe.said(order_id);

    let cafe = restored(cafe, &copy).await;
    cafe.in_time_said(order_id, |event| matches!(event, PaymentEvent::CancelRequested(_))).await;
    assert_eq!(cafe.said(order_id), before);
    assert!(cafe.refunds(order_id).is_empty());
    cafe.close().await;
}

#[tokio::test]
async fn what_was_never_asked_is_asked_once_that_is_certain() {
    tried(&disk::PAYMENT_RESTORED);
    let cafe = Cafe::open().await;
    let copy = copy(&cafe);
    let mut cafe = cafe;
    cafe.stop().await;
    let order_id = cafe.place("tok_ok");
    let cafe = restored(cafe, &copy).await;
    let payment = cafe.until_seen(order_id, |payment| payment["status"] == "unknown").await;
    assert_eq!((&payment["checking"], &payment["attempts"][0]["probe"]), (&true.into(), &true.into()));
    cafe.in_time_said(order_id, |event| matches!(event, PaymentEvent::Approved(_))).await;
    let payment = cafe.payment(order_id).await;
    assert_eq!((&payment["checking"], &payment["attempts"][0]["probe"]), (&false.into(), &false.into()));
    assert_eq!(cafe.charges(order_id).len(), 1);
    cafe.close().await;
}
