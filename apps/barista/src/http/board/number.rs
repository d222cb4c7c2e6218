//! How an order's number and its day are said.

use cafe_web::screen::{Both, Language};
use jiff::civil::Date;

/// A number as it is called out: people say 42 where the receipt says 0042.
pub(super) fn spoken(number: &str) -> String {
    let significant = number.trim_start_matches('0');
    let is_number = !significant.is_empty() && significant.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { significant } else { number }.to_owned()
}

/// A business day as it is written beside a number.
pub(super) fn date(day: &str, language: Language) -> String {
    let format = language.of(&Both { ko: "%-m월 %-d일", en: "%-d %b" });
    day.parse::<Date>().map_or_else(|_| day.to_owned(), |date| date.strftime(format).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_called_out_without_the_zeros_before_it() {
        assert_eq!(spoken("0042"), "42");
        assert_eq!(spoken("0100"), "100");
        assert_eq!(spoken("10042"), "10042");
    }

    #[test]
    fn what_is_no_number_is_called_out_as_it_is() {
        assert_eq!(spoken("A-07"), "A-07");
        assert_eq!(spoken("00A7"), "00A7");
        assert_eq!(spoken("0000"), "0000");
    }

    #[test]
    fn a_day_is_written_as_people_write_it() {
        assert_eq!(date("2026-11-03", Language::Ko), "11월 3일");
        assert_eq!(date("2026-11-03", Language::En), "3 Nov");
        assert_eq!(date("someday", Language::En), "someday");
    }
}
