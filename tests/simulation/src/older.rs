//! A program that is older than the ones that it listens to: it does not know all types of events.

use cafe_delivery::parts::{Carrier, News, Parts};
use cafe_events::{Event, PaymentEvent, Said, Source, TicketEvent};

use crate::bugs::Bug;

/// Hears what an older program hears.
pub struct OlderEar {
    own: Source,
    ear: Box<dyn Carrier>,
    bug: Option<Bug>,
}

impl OlderEar {
    /// In front of an ear of `own`.
    pub fn new(own: Source, ear: Box<dyn Carrier>, bug: Option<Bug>) -> Self {
        Self { own, ear, bug }
    }
}

impl Carrier for OlderEar {
    fn read_after(&mut self, heard: &Parts, limit: usize) -> Result<News, String> {
        let mut news = self.ear.read_after(heard, limit)?;
        let own = self.own;
        if self.bug == Some(Bug::UnknownNotCounted) {
            let last = news.records.len().saturating_sub(1);
            let mut index = 0..;
            news.records.retain(|(arrived, _)| {
                let is_new = arrived.read.as_ref().is_ok_and(|heard| is_new_to(own, &heard.said));
                index.next() == Some(last) || !is_new
            });
        }
        for (arrived, _) in &mut news.records {
            if let Ok(heard) = &mut arrived.read
                && is_new_to(own, &heard.said)
            {
                heard.said = Said::Unknown;
            }
        }
        Ok(news)
    }

    fn wait(&mut self) {
        self.ear.wait();
    }

    fn system(&self) -> &'static str {
        self.ear.system()
    }

    fn taken_in(&mut self, heard: &Parts) {
        self.ear.taken_in(heard);
    }
}

/// Of what a service hears, what it does nothing about: it may as well not know it, as long as it counts it.
fn is_new_to(own: Source, said: &Said) -> bool {
    let Said::Known(event) = said else { return false };
    match own {
        Source::Order => matches!(event, Event::Payment(PaymentEvent::RefundFailed(_))),
        Source::Payment => matches!(
            event,
            Event::Ticket(
                TicketEvent::Queued(_)
                    | TicketEvent::Started(_)
                    | TicketEvent::LineReady(_)
                    | TicketEvent::Ready(_)
                    | TicketEvent::PickedUp(_)
                    | TicketEvent::Recalled(_)
            )
        ),
        Source::Barista => matches!(
            event,
            Event::Payment(
                PaymentEvent::Declined(_)
                    | PaymentEvent::Expired(_)
                    | PaymentEvent::Cancelled(_)
                    | PaymentEvent::Refunded(_)
                    | PaymentEvent::RefundFailed(_)
            )
        ),
    }
}
