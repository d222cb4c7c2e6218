//! What is told of listening, on a log that says what it is told to.

use std::collections::VecDeque;

use cafe_clock::from_ms;
use cafe_events::{Event, OrderId, PaymentDeclined, PaymentEvent, Record};

use super::*;
use crate::status::Status;
use crate::tables::Position;
use crate::turn::Arrived;

/// Answers one reading after the other.
struct Script(VecDeque<Result<News, String>>);

impl Carrier for Script {
    fn read_after(&mut self, _: &Parts, _: usize) -> Result<News, String> {
        self.0.pop_front().expect("it is read no more often than that")
    }

    fn wait(&mut self) {}

    fn system(&self) -> &'static str {
        "script"
    }
}

fn listener(readings: impl Into<VecDeque<Result<News, String>>>) -> Listener {
    let heard = [(0, at(0, 4)), (1, at(1, 7))].into();
    let carrier = Box::new(Script(readings.into()));
    let clock = Clock::simulated(from_ms(50_000));
    Listener::new(Source::Barista, Source::Payment, carrier, heard, Board::default(), clock)
}

fn at(part: i64, position: i64) -> Position {
    Position { part, log_id: "log".into(), position, next_offset: None }
}

/// Said at 1 s and so on, and up to where its part was heard then; ten records come after what was heard before.
fn news(positions: &[i64]) -> News {
    let record = |position: &i64| {
        let declined = PaymentDeclined { vendor: "simulator".to_owned(), reason: "no".to_owned() };
        let event = Event::Payment(PaymentEvent::Declined(declined));
        let said_at = from_ms(position * 1_000);
        let record = Record::write(&event, OrderId::from_u128(1), "main", 1, said_at, None);
        (Arrived::new(Source::Payment, record), at(1, *position))
    };
    News {
        records: positions.iter().map(record).collect(),
        parts: Vec::new(),
        behind: 10,
        is_another_log: false,
    }
}

fn link(listener: &Listener) -> crate::status::Link {
    listener.board.read().links.remove(0)
}

#[test]
fn it_is_shown_how_far_the_log_is_heard_and_how_much_is_still_to_come() {
    let mut listener = listener([Ok(news(&[8, 9]))]);
    assert_eq!((listener.position(), link(&listener).position), (7, 7));
    let (batch, handed) = listener.read().expect("there is news");
    assert_eq!(batch.arrived.len(), 2);
    let shown = link(&listener);
    assert_eq!((shown.position, shown.last, shown.behind()), (7, 17, 10));
    assert_eq!(shown.waiting_since_ms, Some(8_000), "since its oldest was said");
    listener.is_taken_in(handed);
    let shown = link(&listener);
    assert_eq!((listener.position(), shown.position, shown.last, shown.behind()), (9, 9, 17, 8));
}

#[test]
fn an_event_that_was_said_by_a_clock_ahead_of_ours_waits_since_now() {
    let mut listener = listener([Ok(news(&[99]))]);
    assert!(listener.read().is_some());
    assert_eq!(link(&listener).waiting_since_ms, Some(50_000));
}

#[test]
fn why_nothing_can_be_heard_is_shown_until_something_is() {
    let mut listener = listener([Err("no log yet".to_owned()), Ok(news(&[]))]);
    assert!(listener.read().is_none());
    assert_eq!(link(&listener).silent.as_deref(), Some("no log yet"));
    assert!(listener.read().is_none());
    assert_eq!((link(&listener).silent, link(&listener).waiting_since_ms), (None, None));
}

#[test]
fn nothing_more_is_heard_while_too_much_waits_for_a_person() {
    let aside = |listener: &Listener, parked, held| {
        listener.board.change(|status: &mut Status| (status.parked, status.held) = (parked, held));
    };
    let mut listener = listener([Ok(news(&[8])), Ok(news(&[8]))]);
    aside(&listener, 60_000, 40_000);
    assert!(listener.read().is_none());
    let silent = link(&listener).silent.expect("it says why");
    assert!(silent.starts_with("60000 events are set aside and 40000 wait behind them"), "{silent}");
    aside(&listener, 60_000, 39_999);
    assert!(listener.read().is_some());
    assert_eq!(link(&listener).silent, None);
}
