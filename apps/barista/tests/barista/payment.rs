//! A payment service that says what a test tells it to, and remembers what the barista service said.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use cafe_clock::{Clock, Ids};
use cafe_delivery::{Announcement, Desk, Domain, Hooks, Place, Poison, Tables, Turn};
use cafe_events::{Event, Heard, OrderId, PaymentEvent, Said, Source, TicketEvent};
use cafe_store::{Connection, Error, Migration};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

/// What the barista service said: order, version, event.
type HeardSaid = Arc<Mutex<Vec<(OrderId, u32, TicketEvent)>>>;

pub(crate) struct Payment {
    desk: Desk<Mouth>,
    versions: Mutex<HashMap<OrderId, u32>>,
    heard: HeardSaid,
    stop: CancellationToken,
}

impl Payment {
    pub(crate) fn start(place: &Place) -> Self {
        let heard = HeardSaid::default();
        let (note, stop) = (Arc::clone(&heard), CancellationToken::new());
        let on_commit = move |said| note.lock().unwrap().push(said);
        let desk = cafe_delivery::start(
            Mouth,
            place,
            Clock::Real,
            &Ids::random(),
            Hooks::new(on_commit),
            stop.clone(),
        )
        .unwrap();
        Self { desk, versions: Mutex::default(), heard, stop }
    }

    pub(crate) async fn say(&self, store: &str, said: Vec<(OrderId, PaymentEvent)>) {
        let announcements =
            said.into_iter().map(|(order_id, event)| self.announcement(store, order_id, event));
        let announcements = announcements.collect();
        self.desk.ask(announcements, None).await.unwrap();
    }

    /// What the barista service said about an order, in the order of versions.
    pub(crate) fn heard_about(&self, order_id: OrderId) -> Vec<TicketEvent> {
        let heard = self.heard.lock().unwrap();
        heard.iter().filter(|(about, ..)| *about == order_id).map(|(.., event)| event.clone()).collect()
    }

    /// Orders in the order in which the barista service said `what` of them.
    pub(crate) fn in_order_of(&self, what: impl Fn(&TicketEvent) -> bool) -> Vec<OrderId> {
        let heard = self.heard.lock().unwrap();
        heard.iter().filter(|(.., event)| what(event)).map(|(order_id, ..)| *order_id).collect()
    }

    pub(crate) async fn stop(&self) {
        self.stop.cancel();
        self.desk.stopped().await.unwrap();
    }

    fn announcement(&self, store: &str, order_id: OrderId, event: PaymentEvent) -> Announcement {
        let mut versions = self.versions.lock().unwrap();
        let version = versions.entry(order_id).or_default();
        *version += 1;
        Announcement {
            order_id,
            store: store.to_owned(),
            version: *version,
            at: Clock::Real.now(),
            event: Event::Payment(event),
        }
    }
}

struct Mouth;

impl Domain for Mouth {
    const SOURCE: Source = Source::Payment;
    type Tables = ();
    type Request = Vec<Announcement>;
    type Answer = ();
    type Effect = (OrderId, u32, TicketEvent);

    fn needs_of_heard(&self, _: &Heard, (): &mut ()) {}

    fn needs_of_request(&self, _: &Vec<Announcement>, (): &mut ()) {}

    fn hear(
        &self,
        (): &mut (),
        heard: &Heard,
        _: Timestamp,
        turn: &mut Turn<Self::Effect>,
    ) -> Result<(), Poison> {
        if let Said::Known(Event::Ticket(event)) = &heard.said {
            turn.after_commit((heard.order_id, heard.version, event.clone()));
        }
        Ok(())
    }

    fn decide(&self, (): &mut (), said: &Vec<Announcement>, _: Timestamp, turn: &mut Turn<Self::Effect>) {
        for announcement in said {
            turn.announce(announcement.clone());
        }
    }
}

impl Tables for Mouth {
    const STATEMENTS: cafe_store::Statements = cafe_store::Statements { texts: &[], puts: &[], finds: &[] };
    const MIGRATIONS: &'static [Migration] = &[];

    fn load(_: &mut Connection, (): &mut ()) -> Result<(), Error> {
        Ok(())
    }

    fn write(_: &mut Connection, (): &()) -> Result<(), Error> {
        Ok(())
    }
}
