//! What older programs have stored must stay readable: these texts are never changed, new ones are added.

use cafe_payment::payment::{Payment, Status};

const ASKING: &str = r#"{"store":"main","version":0,"order":{"order_id":"019ab2f4-0000-7000-8000-000000000001",
"placed_at":"2027-01-15T08:00:00Z","placed":{"number":"0001","day":"2027-01-15","lines":[{"line_id":1,"menu":"latte",
"name":{"en":"Latte","ko":"라떼"},"size":"medium","quantity":1,"options":[],"takeout":false,"unit_price":4000,
"price":4000,"making_ms":4000}],"takeout":false,"total":4000,"currency":"KRW","payment":{"vendor":"simulator",
"token":"tok_ok"},"pay_by":"2027-01-15T08:10:00Z"}},"attempts":[{"number":1,"asked_at":"2027-01-15T08:00:00Z",
"state":"asking","look_at":"2027-01-15T08:00:30Z"}]}"#;

const GIVEN_BACK: &str = r#"{"store":"main","version":3,"order":{"order_id":"019ab2f4-0000-7000-8000-000000000001",
"placed_at":"2027-01-15T08:00:00Z","placed":{"number":"0001","day":"2027-01-15","lines":[{"line_id":1,"menu":"latte",
"name":{"en":"Latte","ko":"라떼"},"size":"medium","quantity":1,"options":[],"takeout":false,"unit_price":4000,
"price":4000,"making_ms":4000}],"takeout":false,"total":4000,"currency":"KRW","payment":{"vendor":"simulator"},
"pay_by":"2027-01-15T08:10:00Z"}},"decision":{"approved":{"attempt":2}},"attempts":[{"number":1,
"asked_at":"2027-01-15T08:00:00Z","state":"not_charged","look_at":"2027-01-15T09:00:00Z"},{"number":2,
"asked_at":"2027-01-15T08:01:00Z","state":{"charged":{"charge_id":"sim_1","amount":4000,"at":"2027-01-15T08:01:00Z"}}}],
"refunds":[{"number":1,"cause":"goodwill-1","attempt":2,"amount":1000,"goodwill":true,"reason":"cold","try":1,
"asked_at":"2027-01-15T08:05:00Z","state":"done"},{"number":2,"cause":"ticket-4","attempt":2,"amount":3000,"lines":[1],
"reason":"no milk","try":1,"asked_at":"2027-01-15T08:06:00Z","state":{"failed":{"reason":"account_closed"}}}],
"unmade":[1],"excused":1000}"#;

#[test]
fn a_payment_under_way_is_taken_up_again() {
    let payment: Payment = serde_json::from_str(ASKING).unwrap();
    assert_eq!(payment.status(), Status::Asking);
    assert!(payment.next_task().is_some());
    assert_eq!(serde_json::to_string(&payment).unwrap(), ASKING.replace('\n', ""));
}

#[test]
fn a_payment_that_was_given_back_still_adds_up() {
    let payment: Payment = serde_json::from_str(GIVEN_BACK).unwrap();
    assert_eq!((payment.charged(), payment.refunded(), payment.goodwill()), (4_000, 1_000, 0));
    assert!(payment.is_open(), "a refused refund waits for a person");
    assert_eq!(serde_json::to_string(&payment).unwrap(), GIVEN_BACK.replace('\n', ""));
}
