//! A service as small as can be: it notes what payment says, and answers each note with a `ticket.started`.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test file uses its part"
)]

use std::sync::atomic::{AtomicBool, Ordering};

use cafe_clock::{Clock, Ids};
use cafe_delivery::{Announcement, Domain, Outbox, Place, Poison, Rows, Tables, Turn};
use cafe_events::{
    Event, Heard, OrderId, PaymentDeclined, PaymentEvent, Record, Said, Source, TicketEvent, TicketStarted,
};
use cafe_store::{Connection, Error, Migration};
use jiff::Timestamp;

pub struct Toy;

/// Stands for a lock that is held while `busy` is written alone.
pub static LOCKED: AtomicBool = AtomicBool::new(false);

/// What was heard about an order; one event was announced per word.
pub type Notes = Rows<OrderId, Vec<String>>;

pub enum Request {
    Say(OrderId, &'static str),
}

impl Domain for Toy {
    const SOURCE: Source = Source::Barista;
    type Tables = Notes;
    type Request = Request;
    type Answer = usize;
    type Effect = OrderId;

    fn needs_of_heard(&self, heard: &Heard, notes: &mut Notes) {
        notes.need(heard.order_id);
    }

    fn needs_of_request(&self, Request::Say(order_id, _): &Request, notes: &mut Notes) {
        notes.need(*order_id);
    }

    fn hear(
        &self,
        notes: &mut Notes,
        heard: &Heard,
        now: Timestamp,
        turn: &mut Turn<OrderId>,
    ) -> Result<(), Poison> {
        match &heard.said {
            Said::Known(Event::Payment(PaymentEvent::Declined(PaymentDeclined { reason, .. }))) => {
                assert_ne!(reason, "panic", "a bug in a rule");
                if reason == "poison" {
                    return Err(Poison("this will not do".to_owned()));
                }
                note(notes, heard.order_id, reason, now, turn);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn decide(
        &self,
        notes: &mut Notes,
        request: &Request,
        now: Timestamp,
        turn: &mut Turn<OrderId>,
    ) -> usize {
        let Request::Say(order_id, word) = request;
        note(notes, *order_id, word, now, turn)
    }
}

fn note(notes: &mut Notes, order_id: OrderId, word: &str, now: Timestamp, turn: &mut Turn<OrderId>) -> usize {
    let mut words = notes.get(&order_id).cloned().unwrap_or_default();
    words.push(word.to_owned());
    let count = words.len();
    notes.put(order_id, words);
    turn.announce(Announcement {
        order_id,
        store: "main".to_owned(),
        version: count as u32,
        at: now,
        event: Event::Ticket(TicketEvent::Started(TicketStarted {})),
    });
    turn.after_commit(order_id);
    count
}

impl Tables for Toy {
    /// A word that the database refuses stands for whatever fails only there.
    const STATEMENTS: cafe_store::Statements = cafe_store::Statements { texts: &[], puts: &[], finds: &[] };
    const MIGRATIONS: &'static [Migration] = &[Migration {
        name: "toy/0001_notes",
        sql: "CREATE TABLE notes (order_id TEXT PRIMARY KEY, words TEXT NOT NULL CHECK (words NOT LIKE '%refused%')) STRICT",
    }];

    fn load(db: &mut Connection, notes: &mut Notes) -> Result<(), Error> {
        for order_id in notes.wanted() {
            let words = words(db, order_id)?;
            if words.as_ref().is_some_and(|words| words == &["?"]) {
                return Err(Error::Refused("the row cannot be read".to_owned()));
            }
            notes.fill(order_id, words);
        }
        Ok(())
    }

    fn write(db: &mut Connection, notes: &Notes) -> Result<(), Error> {
        let alone = notes.changed().count() == 1;
        for (order_id, words) in notes.changed() {
            if alone && words.contains(&"busy".to_owned()) && LOCKED.load(Ordering::SeqCst) {
                return Err(Error::Busy("somebody else writes".to_owned()));
            }
            let sql = "INSERT INTO notes (order_id, words) VALUES ($1, $2) ON CONFLICT (order_id) DO UPDATE SET words = $2";
            db.execute(sql, &[(&order_id.to_string()).into(), (&words.join(" ")).into()])?;
        }
        Ok(())
    }
}

/// The words noted for an order, as the database has them.
pub fn words(db: &mut Connection, order_id: OrderId) -> Result<Option<Vec<String>>, Error> {
    let sql = "SELECT words FROM notes WHERE order_id = $1";
    db.query_one(sql, &[(&order_id.to_string()).into()], |row| {
        Ok(row.str(0)?.split(' ').map(str::to_owned).collect())
    })
}

pub fn order(number: u128) -> OrderId {
    OrderId::from_u128(number)
}

pub fn at(ms: i64) -> Timestamp {
    cafe_clock::from_ms(ms)
}

/// Payment says `word` about an order.
pub fn said(order_id: OrderId, version: u32, word: &str) -> Record {
    let declined = PaymentDeclined { vendor: "simulator".to_owned(), reason: word.to_owned() };
    let event = Event::Payment(PaymentEvent::Declined(declined));
    Record::write(&event, order_id, "main", version, at(1_000), Some(format!("trace-{version}")))
}

pub fn outbox_of_payment(place: &Place) -> Outbox {
    Outbox::open(place, Source::Payment, &Clock::Real, &Ids::random()).unwrap()
}
