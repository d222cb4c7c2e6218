//! Values that say what would be right when they are wrong.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use cafe_events::Currency;
use cafe_order::wish::{STORE_RIGHT, is_store_name};
use hyper::Uri;
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

/// An address of this machine to listen on, or all of them: `0.0.0.0`, with IPv6 `::`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Written")]
pub(crate) struct ListenAddress(pub(crate) IpAddr);

impl FromStr for ListenAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |what: &str| {
            Err(format!(
                "{text:?} {what}; write 0.0.0.0 for everybody on the network, 127.0.0.1 for this machine alone, or one of its \
                 addresses"
            ))
        };
        if text.parse::<SocketAddr>().is_ok() {
            return wrong("names a port too, and each service has a port of its own (--order-port)");
        }
        match text.parse().map(|ip: IpAddr| ip.to_canonical()) {
            Ok(ip) if is_of_one_machine(ip) => Ok(Self(ip)),
            Ok(_) => wrong("is not what a machine can be called at by others"),
            Err(_) => wrong("is not an IP address"),
        }
    }
}

/// Not an address of many, and not one that means another machine on each network.
fn is_of_one_machine(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !ip.is_multicast() && !ip.is_broadcast(),
        IpAddr::V6(ip) => !ip.is_multicast() && !ip.is_unicast_link_local(),
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a cafe is called from outside: `https://cafe.example`, or with a path below which it is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Written")]
pub(crate) struct PublicUrl(String);

impl PublicUrl {
    /// The address of what is at `path` below it; a path begins with `/`.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

impl FromStr for PublicUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |what: &str| Err(format!("{text:?} {what}; write one such as https://cafe.example"));
        let Ok(url) = text.parse::<Uri>() else { return wrong("is not a URL in plain ASCII") };
        let Some(authority) = url.authority().filter(|_| matches!(url.scheme_str(), Some("https" | "http")))
        else {
            return wrong("does not begin with https:// or http://");
        };
        // `Uri` drops what follows a `#`, and takes what follows a `:` as it is.
        if url.query().is_some() || text.contains('#') {
            return wrong("goes on after its path");
        }
        let host_and_port = authority.as_str();
        if host_and_port.contains('@') {
            return wrong("names a user");
        }
        let port = host_and_port.strip_prefix(authority.host()).unwrap_or_default();
        if authority.host().is_empty()
            || (!port.is_empty() && authority.port_u16().is_none_or(|port| port == 0))
        {
            return wrong("has no host, or a port that cannot be");
        }
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
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

from_written!(Span, Port, ListenAddress, PublicUrl, StoreName, ZoneName);

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
    fn an_address_to_listen_on_is_one_machines_or_all_of_this_ones() {
        for (text, ip) in [
            ("0.0.0.0", "0.0.0.0"),
            ("192.168.0.7", "192.168.0.7"),
            ("::", "::"),
            ("::1", "::1"),
            ("::ffff:192.168.0.7", "192.168.0.7"),
        ] {
            assert_eq!(text.parse::<ListenAddress>().unwrap().to_string(), ip);
        }
        for (text, what) in [
            ("localhost", "is not an IP address"),
            ("", "is not an IP address"),
            ("[::]", "is not an IP address"),
            ("192.168.0.0/24", "is not an IP address"),
            ("0.0.0.0:3000", "names a port too"),
            ("[::]:3000", "names a port too"),
            ("224.0.0.1", "called at"),
            ("255.255.255.255", "called at"),
            ("ff02::1", "called at"),
            ("fe80::1", "called at"),
        ] {
            let error = text.parse::<ListenAddress>().unwrap_err();
            assert!(error.contains(what) && error.contains("write 0.0.0.0 for everybody"), "{error}");
        }
    }

    #[test]
    fn a_public_url_is_one_that_a_path_can_follow() {
        for (text, shop) in [
            ("https://cafe.example", "https://cafe.example/"),
            ("https://cafe.example/", "https://cafe.example/"),
            ("http://192.168.0.7:8080", "http://192.168.0.7:8080/"),
            ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443/"),
            ("https://street.example/our/cafe/", "https://street.example/our/cafe/"),
            ("HTTPS://Cafe.example", "HTTPS://Cafe.example/"),
        ] {
            assert_eq!(text.parse::<PublicUrl>().unwrap().at("/"), shop);
        }
        for text in [
            "",
            "cafe.example",
            "cafe.example:443",
            "/cafe",
            "ftp://cafe.example",
            "https://",
            "https:///cafe",
            "https://:443",
            "https://cafe.example:",
            "https://cafe.example:0",
            "https://cafe.example:99999",
            "https://owner:secret@cafe.example",
            "https://cafe.example?menu",
            "https://cafe.example/#menu",
            "https://cafe example",
            "https://카페.example",
        ] {
            let error = text.parse::<PublicUrl>().unwrap_err();
            assert!(error.contains("write one such as https://cafe.example"), "{error}");
        }
    }

    #[test]
    fn a_store_or_a_time_zone_that_cannot_be_is_refused() {
        assert!("gangnam-2".parse::<StoreName>().is_ok());
        assert!("".parse::<StoreName>().is_err() && "a b".parse::<StoreName>().is_err());
        assert!("Asia/Seoul".parse::<ZoneName>().is_ok() && "Asia/Soul".parse::<ZoneName>().is_err());
    }
}
