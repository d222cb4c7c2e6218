//! Orders as payment would announce them.

use cafe_events::{Currency, LineId, Name, OrderLine, PaymentApproved, Size};

/// An approval of an order of `lines` lines.
pub(crate) fn approved(lines: LineId) -> PaymentApproved {
    PaymentApproved {
        number: "0001".to_owned(),
        day: "2026-11-23".to_owned(),
        placed_at: cafe_clock::from_ms(1_700_000_000_000),
        lines: (1..=lines).map(line).collect(),
        takeout: true,
        total: 3_500 * i64::from(lines),
        currency: Currency::KRW,
        vendor: "simulator".to_owned(),
        charge_id: "charge-1".to_owned(),
    }
}

/// One americano, which takes 2 s to make.
pub(crate) fn line(line_id: LineId) -> OrderLine {
    OrderLine {
        line_id,
        menu: "americano".to_owned(),
        name: Name { en: "Americano".to_owned(), ko: "아메리카노".to_owned() },
        size: Size::Medium,
        quantity: 1,
        options: Vec::new(),
        takeout: true,
        unit_price: 3_500,
        price: 3_500,
        making_ms: 2_000,
    }
}
