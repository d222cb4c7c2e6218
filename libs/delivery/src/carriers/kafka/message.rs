//! A record as a Kafka message: `CloudEvents` 1.0 in binary mode
//! (<https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md>), with three attributes of
//! our own that tell where it stands.

use std::panic::{AssertUnwindSafe, catch_unwind};

use cafe_clock::from_ms;
use cafe_events::{Record, Source};
use rdkafka::Message;
use rdkafka::message::{Header, Headers, OwnedHeaders};

pub use super::chain::Standing;

const ID: &str = "ce_id";
const TYPE: &str = "ce_type";
const SOURCE: &str = "ce_source";
const TIME: &str = "ce_time";
const SUBJECT: &str = "ce_subject";
const SPEC_VERSION: &str = "ce_specversion";
const CONTENT_TYPE: &str = "content-type";
const TRACEPARENT: &str = "traceparent";
/// The name of the speaker's log.
const LOG: &str = "ce_cafelog";
/// The record's place in it.
const POSITION: &str = "ce_cafeposition";
/// The place of the record before it in the same partition.
const PREVIOUS: &str = "ce_cafeprevious";

/// A message as it was read.
#[derive(Debug)]
pub struct Read {
    /// Its partition.
    pub part: i64,
    /// Its place in the partition.
    pub offset: i64,
    /// What it says, or claims to say.
    pub record: Record,
    /// Nothing in a message that no relay wrote.
    pub standing: Option<Standing>,
}

/// The headers of what `source` says.
pub fn headers(source: Source, record: &Record, standing: &Standing) -> OwnedHeaders {
    let time = from_ms(record.at_ms).to_string();
    let (id, position, previous) =
        (record.id(source), standing.position.to_string(), standing.previous.to_string());
    let mut headers = OwnedHeaders::new_with_capacity(11);
    let all = [
        (SPEC_VERSION, "1.0"),
        (ID, &id),
        (TYPE, &record.kind),
        (SOURCE, source.name()),
        (TIME, &time),
        (SUBJECT, &record.order_id),
        (CONTENT_TYPE, "application/json"),
        (LOG, &standing.log_id),
        (POSITION, &position),
        (PREVIOUS, &previous),
    ];
    for (key, value) in all {
        headers = headers.insert(Header { key, value: Some(value) });
    }
    match &record.traceparent {
        Some(traceparent) => headers.insert(Header { key: TRACEPARENT, value: Some(traceparent) }),
        None => headers,
    }
}

/// Reads a message, whoever wrote it. What lacks our envelope becomes a record that claims nothing.
pub fn read(message: &impl Message) -> Read {
    let headers = headers_of(message);
    let header = |name: &str| {
        let found = headers.iter().find(|header| header.key == name)?;
        Some(text(found.value?))
    };
    let number = |name: &str| header(name)?.parse::<i64>().ok();
    let standing = || {
        let (log_id, position, previous) = (header(LOG)?, number(POSITION)?, number(PREVIOUS)?);
        Some(Standing { log_id: log_id.into(), position, previous })
    };
    let version = header(ID).and_then(|id| id.rsplit_once('/')?.1.parse().ok());
    let time = header(TIME).and_then(|time| time.parse::<jiff::Timestamp>().ok());
    let standing = standing();
    let record = Record {
        position: standing.as_ref().map_or(message.offset(), |standing| standing.position),
        order_id: message.key().map(text).unwrap_or_default(),
        version: version.unwrap_or_default(),
        kind: header(TYPE).unwrap_or_default(),
        at_ms: time
            .map_or(message.timestamp().to_millis().unwrap_or_default(), jiff::Timestamp::as_millisecond),
        body: message.payload().map(text).unwrap_or_default(),
        traceparent: header(TRACEPARENT),
    };
    Read { part: i64::from(message.partition()), offset: message.offset(), record, standing }
}

/// None, if any has a name that is not UTF-8: Kafka carries it, and the client panics on it.
fn headers_of(message: &impl Message) -> Vec<Header<'_, &[u8]>> {
    let read = || message.headers().map(|headers| headers.iter().collect());
    catch_unwind(AssertUnwindSafe(read)).ok().flatten().unwrap_or_default()
}

/// Bytes of anybody's, as a text that every database can keep.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace('\0', "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use cafe_events::Unreadable;
    use rdkafka::message::{OwnedMessage, Timestamp};

    use super::*;

    fn message(key: Option<&str>, body: &[u8], headers: Option<OwnedHeaders>) -> OwnedMessage {
        OwnedMessage::new(
            Some(body.to_vec()),
            key.map(|key| key.as_bytes().to_vec()),
            "order".to_owned(),
            Timestamp::CreateTime(1_000),
            3,
            42,
            headers,
        )
    }

    #[test]
    fn a_record_reads_back_as_it_was_written() {
        let record = Record {
            position: 17,
            order_id: "0193-a".to_owned(),
            version: 2,
            kind: "cafe.order.placed.v1".to_owned(),
            at_ms: 1_700_000_000_123,
            body: "{}".to_owned(),
            traceparent: Some("00-a-b-01".to_owned()),
        };
        let standing = Standing { log_id: "log".into(), position: 17, previous: 9 };
        let headers = headers(Source::Order, &record, &standing);
        let read = read(&message(Some("0193-a"), b"{}", Some(headers)));
        assert_eq!((read.part, read.offset, read.record, read.standing), (3, 42, record, Some(standing)));
    }

    #[test]
    fn what_somebody_else_wrote_claims_nothing() {
        for foreign in [message(None, b"hello\0", None), message(Some("k"), &[0xff, 0], None)] {
            let read = read(&foreign);
            assert!(matches!(read.record.read(Source::Order), Err(Unreadable::Foreign(_))), "{read:?}");
            assert!(!read.record.body.contains('\0') && read.standing.is_none());
        }
    }
}
