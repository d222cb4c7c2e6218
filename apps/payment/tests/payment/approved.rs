//! `tok_ok`: the vendor charges at once.

use cafe_events::PaymentEvent;

use crate::samples::TOTAL;
use crate::service::Cafe;

#[tokio::test]
async fn an_order_is_approved_with_everything_the_barista_needs() {
    let cafe = Cafe::open().await;
    let order_id = cafe.place("tok_ok");
    let PaymentEvent::Approved(approved) = cafe.until_said(order_id, |_| true).await else {
        panic!("it was not approved")
    };
    assert_eq!(approved.number, "0001");
    assert_eq!(approved.lines.len(), 2);
    assert_eq!(approved.total, TOTAL);
    assert!(approved.takeout);
    assert_eq!(approved.placed_at, cafe.clock.now());

    let charges = cafe.charges(order_id);
    assert_eq!(charges.len(), 1);
    assert_eq!((charges[0].amount, &charges[0].charge_id), (TOTAL, &approved.charge_id));
    let payment = cafe.payment(order_id).await;
    assert_eq!(payment["status"], "approved");
    assert_eq!(payment["charged"], TOTAL);
    assert_eq!(payment["open"], false);
    assert_eq!(payment["attempts"][0]["state"], "charged");
    cafe.close().await;
}

#[tokio::test]
async fn a_crowd_is_approved_each_charged_once() {
    let cafe = Cafe::open().await;
    let mut orders = cafe.place_many("tok_ok", 700);
    orders.sort();
    cafe.until("all approvals", || async { (cafe.count_said() == orders.len()).then_some(()) }).await;
    let charged: Vec<_> = cafe.all_charges().iter().map(|charge| charge.order_id).collect();
    assert_eq!(charged, orders);
    assert!(orders.iter().all(|order_id| matches!(cafe.said(*order_id)[..], [PaymentEvent::Approved(_)])));
    cafe.close().await;
}
