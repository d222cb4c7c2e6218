//! Values that say what would be right when they are wrong.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use cafe_events::Currency;
use cafe_order::wish::{STORE_RIGHT, is_store_name};
use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// A length of time, written as `500ms`, `15s`, `10m` or `2h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Written")]
pub(crate) struct Span(pub(crate) Duration);

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not a length of time; write one such as 500ms, 15s, 10m or 2h");
        let span: jiff::SignedDuration = text.parse().map_err(|_| wrong())?;
        Duration::try_from(span).map(Self).map_err(|_| wrong())
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::SignedDuration::try_from(self.0) {
            // As it would be written, to the nanosecond.
            Ok(span) => write!(f, "{span:#}"),
            Err(_) => write!(f, "{}s", self.0.as_secs()),
        }
    }
}

/// A TCP port that can be named: 1 to 65535.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Written")]
pub(crate) struct Port(pub(crate) u16);

impl FromStr for Port {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(port) if port != 0 => Ok(Self(port)),
            _ => Err(format!("{text:?} is not a port; write a number from 1 to 65535")),
        }
    }
}

/// A store's name, short enough to stand in every row and URL.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Written")]
pub(crate) struct StoreName(String);

impl FromStr for StoreName {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        if is_store_name(name) { Ok(Self(name.to_owned())) } else { Err(format!("{name:?} {STORE_RIGHT}")) }
    }
}

impl fmt::Display for StoreName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A time zone of the IANA database.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Written")]
pub(crate) struct ZoneName {
    name: String,
    zone: jiff::tz::TimeZone,
}

impl ZoneName {
    pub(crate) fn zone(&self) -> jiff::tz::TimeZone {
        self.zone.clone()
    }
}

impl FromStr for ZoneName {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match jiff::tz::TimeZone::get(name) {
            Ok(zone) => Ok(Self { name: name.to_owned(), zone }),
            Err(_) => Err(format!("{name:?} is not a time zone; write one such as Asia/Seoul or UTC")),
        }
    }
}

impl fmt::Display for ZoneName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// A value as it was written: in the environment everything is text, in a file it may be a number as well.
#[derive(Deserialize)]
#[serde(untagged, expecting = "this must be a plain value: a text, a number, true or false")]
enum Written {
    Text(String),
    Truth(bool),
    Whole(i64),
    Fraction(f64),
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Truth(truth) => truth.fmt(f),
            Self::Whole(number) => number.fmt(f),
            Self::Fraction(number) => number.fmt(f),
        }
    }
}

macro_rules! from_written {
    ($($type:ty),*) => {$(
        impl TryFrom<Written> for $type {
            type Error = String;

            fn try_from(written: Written) -> Result<Self, String> {
                written.to_string().parse()
            }
        }
    )*};
}

from_written!(Span, Port, StoreName, ZoneName);

/// Reads what is on or off.
pub(super) fn truth<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    let written = Written::deserialize(deserializer)?.to_string();
    match written.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => Ok(true),
        "false" | "no" | "0" => Ok(false),
        _ => Err(D::Error::custom(format!("{written:?} is neither; write true or false"))),
    }
}

/// Reads a number that may have a fraction.
pub(super) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    parsed(deserializer, "a number such as 10")
}

/// Reads how many of something there are.
pub(super) fn count<'de, D: Deserializer<'de>, T: FromStr>(deserializer: D) -> Result<T, D::Error> {
    parsed(deserializer, "a whole number such as 4")
}

fn parsed<'de, D: Deserializer<'de>, T: FromStr>(deserializer: D, right: &str) -> Result<T, D::Error> {
    let written = Written::deserialize(deserializer)?.to_string();
    written.parse().map_err(|_| D::Error::custom(format!("{written:?} cannot be used; write {right}")))
}

/// Reads a currency's code from a flag.
pub(super) fn currency(code: &str) -> Result<Currency, String> {
    Currency::try_from(code.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_reads_back_as_it_is_written() {
        for (text, ms) in
            [("500ms", 500), ("15s", 15_000), ("10m", 600_000), ("1h30m", 5_400_000), ("0ms", 0)]
        {
            let span: Span = text.parse().unwrap();
            assert_eq!(span.0, Duration::from_millis(ms));
            assert_eq!(span.to_string().parse(), Ok(span));
        }
    }

    #[test]
    fn a_wrong_length_of_time_is_answered_with_a_right_one() {
        for text in ["", "10", "-5s", "ten minutes", "10 x"] {
            let error = text.parse::<Span>().unwrap_err();
            assert!(error.contains("such as 500ms, 15s, 10m or 2h"), "{error}");
        }
    }

    #[test]
    fn a_store_or_a_time_zone_that_cannot_be_is_refused() {
        assert!("gangnam-2".parse::<StoreName>().is_ok());
        assert!("".parse::<StoreName>().is_err() && "a b".parse::<StoreName>().is_err());
        assert!("Asia/Seoul".parse::<ZoneName>().is_ok() && "Asia/Soul".parse::<ZoneName>().is_err());
    }
}
