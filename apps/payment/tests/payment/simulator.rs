//! The vendor inside the program, as any vendor must be.

use std::time::Duration;

use cafe_clock::{Clock, from_ms};
use cafe_events::{Currency, OrderId};
use cafe_payment::payment::attempt::{ChargeAnswer, Finding};
use cafe_payment::payment::refund::RefundAnswer;
use cafe_payment::timer::Timer;
use cafe_payment::vendor::simulator::Simulator;
use cafe_payment::vendor::{ChargeRequest, LookUpRequest, RefundRequest, Vendor};
use tempfile::TempDir;

const ORDER: OrderId = OrderId::from_u128(7);

fn vendor() -> (Vendor, Clock, TempDir) {
    let data = tempfile::tempdir().unwrap();
    let clock = Clock::simulated(from_ms(1_800_000_000_000));
    let simulator = Simulator::open(data.path(), Timer::new(clock.clone()), Duration::ZERO).unwrap();
    (Vendor::Simulator(simulator), clock, data)
}

fn request(token: &str, amount: i64) -> ChargeRequest {
    let (key, token) = (format!("{ORDER}/1"), token.to_owned());
    ChargeRequest { key, order_id: ORDER, amount, currency: Currency::KRW, token, traceparent: None }
}

fn refund(number: u32, amount: i64) -> RefundRequest {
    let (key, charge_id) = (format!("{ORDER}/refund/x/{number}"), format!("sim_{ORDER}/1"));
    RefundRequest { key, charge_id, amount, traceparent: None }
}

fn under(key: String) -> LookUpRequest {
    LookUpRequest { key, traceparent: None }
}

#[tokio::test]
async fn the_same_key_is_charged_once_and_answered_the_same() {
    let (vendor, clock, _data) = vendor();
    let first = vendor.charge(request("tok_ok", 5_000)).await;
    clock.advance(Duration::from_mins(1));
    assert_eq!(vendor.charge(request("tok_ok", 9_000)).await, first);
    let ChargeAnswer::Approved(charge) = first else { panic!("{first:?}") };
    assert_eq!(vendor.look_up(under(format!("{ORDER}/1"))).await, Finding::Found(charge));
    assert_eq!(vendor.look_up(under(format!("{ORDER}/2"))).await, Finding::NotFound);
}

#[tokio::test]
async fn a_refusal_is_remembered() {
    let (vendor, ..) = vendor();
    let refused = ChargeAnswer::Declined { reason: "card_declined".to_owned() };
    assert_eq!(vendor.charge(request("tok_declined", 5_000)).await, refused);
    assert_eq!(vendor.charge(request("tok_ok", 5_000)).await, refused);
}

#[tokio::test]
async fn never_more_goes_back_than_was_charged_and_the_same_key_gives_back_once() {
    let (vendor, ..) = vendor();
    vendor.charge(request("tok_ok", 5_000)).await;
    let done = |amount| RefundAnswer::Done { amount };
    assert_eq!(vendor.refund(refund(1, 3_000)).await, done(3_000));
    assert_eq!(vendor.refund(refund(1, 3_000)).await, done(3_000));
    assert!(matches!(vendor.refund(refund(2, 2_001)).await, RefundAnswer::Refused { .. }));
    assert_eq!(vendor.refund(refund(3, 2_000)).await, done(2_000));
    assert_eq!(vendor.look_up_refund(under(format!("{ORDER}/refund/x/3"))).await, done(2_000));
    assert_eq!(vendor.look_up_refund(under(format!("{ORDER}/refund/x/2"))).await, RefundAnswer::NotFound);
    let Finding::Found(charge) = vendor.look_up(under(format!("{ORDER}/1"))).await else {
        panic!("not found")
    };
    assert_eq!(charge.refunds.iter().map(|refund| refund.amount).sum::<i64>(), 5_000);
}
