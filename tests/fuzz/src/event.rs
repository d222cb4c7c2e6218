//! A message on a topic, whoever wrote it.
//!
//! The input is the message's key on the first line, its headers as `name: value` up to an empty line, and its value. Whatever
//! comes, each service either hears an event of the type and the order that the envelope names, which reads back as it was
//! when it is sent on, or says that the message is not ours, or that it is and what is wrong with it.

use cafe_clock::from_ms;
use cafe_delivery::message::{self, Standing};
use cafe_events::{Event, Heard, OrderId, Record, Said, Source, Unreadable};
use rdkafka::message::{Header, OwnedHeaders, OwnedMessage, Timestamp};

/// More headers than this are not tried.
const HEADERS_LIMIT: usize = 32;

/// Reads a message as every service does.
pub fn check(input: &[u8]) {
    let message = message_of(input);
    let read = message::read(&message);
    assert_eq!((read.part, read.offset), (3, 42));
    let Record { order_id, kind, body, traceparent, .. } = &read.record;
    let texts = [order_id, kind, body].into_iter().chain(traceparent);
    assert!(texts.into_iter().all(|text| !text.contains('\0')), "no database of ours keeps a NUL");
    for source in Source::ALL {
        reads_back(source, &read.record, read.standing.clone());
        match read.record.read(source) {
            Ok(heard) => is_what_the_envelope_says(source, &read.record, &heard),
            Err(Unreadable::Foreign(why)) => {
                let is_ours = read.record.is_of(source) && OrderId::try_parse(order_id).is_ok();
                assert!(!is_ours && !why.is_empty(), "{why}");
            }
            Err(Unreadable::Malformed { kind: named, reason }) => {
                assert!(read.record.is_of(source) && named == *kind && !reason.is_empty());
            }
        }
    }
}

fn message_of(input: &[u8]) -> OwnedMessage {
    let (head, value) = split_at(input, b"\n\n").unwrap_or((input, b""));
    let mut lines = head.split(|byte| *byte == b'\n');
    let key = lines.next().map(<[u8]>::to_vec);
    let mut headers = OwnedHeaders::new();
    for line in lines.take(HEADERS_LIMIT) {
        let (name, value) = split_at(line, b": ").unwrap_or((line, b""));
        // Of names that are no UTF-8 the client knows nothing.
        let Ok(name) = std::str::from_utf8(name) else { continue };
        headers = headers.insert(Header { key: name, value: Some(value) });
    }
    let at = Timestamp::CreateTime(1_764_000_000_000);
    OwnedMessage::new(Some(value.to_vec()), key, "order".to_owned(), at, 3, 42, Some(headers))
}

fn split_at<'a>(bytes: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = bytes.windows(mark.len()).position(|window| window == mark)?;
    Some((&bytes[..at], &bytes[at + mark.len()..]))
}

/// A record that is sent comes to whoever reads the topic as it was sent.
fn reads_back(source: Source, record: &Record, standing: Option<Standing>) {
    let standing = standing.unwrap_or(Standing { log_id: "log".into(), position: 7, previous: 0 });
    // What is in no calendar is never sent.
    let at_ms = from_ms(record.at_ms).as_millisecond();
    let sent = Record { position: standing.position, at_ms, ..record.clone() };
    let headers = message::headers(source, &sent, &standing);
    let (key, value) = (sent.order_id.clone().into_bytes(), sent.body.clone().into_bytes());
    let at = Timestamp::NotAvailable;
    let message = OwnedMessage::new(Some(value), Some(key), source.to_string(), at, 0, 0, Some(headers));
    let read = message::read(&message);
    assert_eq!((read.record, read.standing), (sent, Some(standing)));
}

fn is_what_the_envelope_says(source: Source, record: &Record, heard: &Heard) {
    assert_eq!((heard.source, i64::from(heard.version)), (source, record.version));
    assert!(heard.version >= 1 && OrderId::try_parse(&record.order_id) == Ok(heard.order_id));
    let is_known = Event::TYPES.contains(&(source, record.kind.as_str()));
    let Said::Known(event) = &heard.said else {
        assert!(!is_known, "{} is known", record.kind);
        return;
    };
    assert!(is_known && event.kind() == record.kind);
    let said_at =
        |at| Record::write(event, heard.order_id, &heard.store, heard.version, at, heard.traceparent.clone());
    let again = said_at(heard.at).read(source).expect("what was heard can be said");
    assert_eq!(Heard { hash: heard.hash, ..again.clone() }, *heard);
    let later = said_at(from_ms(0)).read(source).expect("it can be said at any time");
    assert_eq!(later.hash, again.hash, "what is said at another time is the same");
}
