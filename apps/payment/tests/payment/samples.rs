//! Orders to pay.

use std::time::Duration;

use cafe_clock::after;
use cafe_events::{Currency, LineId, Name, OrderLine, OrderPlaced, PaymentChoice, Size};
use jiff::Timestamp;

/// Total of every order here: lines of 3,500 and 4,000 won.
pub(crate) const TOTAL: i64 = 7_500;

/// An order of two lines, to be paid through the simulator within 10 minutes.
pub(crate) fn order(token: &str, now: Timestamp) -> OrderPlaced {
    OrderPlaced {
        number: "0001".to_owned(),
        day: "2027-01-15".to_owned(),
        lines: vec![line(1, 3_500), line(2, 4_000)],
        takeout: true,
        total: TOTAL,
        currency: Currency::KRW,
        payment: PaymentChoice { vendor: "simulator".to_owned(), token: Some(token.to_owned()) },
        pay_by: after(now, Duration::from_mins(10)),
    }
}

fn line(line_id: LineId, price: i64) -> OrderLine {
    OrderLine {
        line_id,
        menu: "latte".to_owned(),
        name: Name { en: "Latte".to_owned(), ko: "라떼".to_owned() },
        size: Size::Medium,
        quantity: 1,
        options: Vec::new(),
        takeout: true,
        unit_price: price,
        price,
        making_ms: 2_000,
    }
}
