//! Amounts as people write them.

use cafe_events::Currency;

/// Currencies without a minor unit, and those with a thousand of them (ISO 4217); all others have a hundred.
const UNDIVIDED: [&str; 10] = ["CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND", "XAF", "XOF", "XPF"];
const IN_THOUSANDTHS: [&str; 7] = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];

/// An amount in minor units, as people write it: `₩3,500`, `USD 4.50`.
pub fn money(amount: i64, currency: Currency) -> String {
    let decimals = decimals(currency);
    let (sign, amount) = (if amount < 0 { "−" } else { "" }, amount.unsigned_abs());
    let one = 10_u64.pow(decimals);
    let whole = grouped(amount / one);
    let fraction = if decimals == 0 {
        String::new()
    } else {
        format!(".{:0width$}", amount % one, width = decimals as usize)
    };
    format!("{sign}{}{whole}{fraction}", unit(currency))
}

/// What is written before an amount.
pub fn unit(currency: Currency) -> String {
    if currency == Currency::KRW { "₩".to_owned() } else { format!("{} ", currency.code()) }
}

/// How many digits stand after the point.
pub fn decimals(currency: Currency) -> u32 {
    match currency.code() {
        code if UNDIVIDED.contains(&code) => 0,
        code if IN_THOUSANDTHS.contains(&code) => 3,
        _ => 2,
    }
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_currency(amount: i64, code: &str) -> String {
        money(amount, Currency::try_from(code.to_owned()).unwrap())
    }

    #[test]
    fn an_amount_has_as_many_decimals_as_its_currency() {
        assert_eq!(in_currency(1_234_500, "KRW"), "₩1,234,500");
        assert_eq!(in_currency(1_234_500, "USD"), "USD 12,345.00");
        assert_eq!(in_currency(1_234_005, "KWD"), "KWD 1,234.005");
        assert_eq!(in_currency(-500, "KRW"), "−₩500");
        assert_eq!(in_currency(0, "EUR"), "EUR 0.00");
    }
}
