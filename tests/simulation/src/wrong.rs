//! The services' decisions with bugs planted in them.

use std::time::Duration;

use cafe_barista::{Barista, Status as TicketStatus};
use cafe_clock::after;
use cafe_delivery::{Domain, Poison, Turn};
use cafe_events::{Event, Heard, OrderEvent, OrderId, PaymentEvent, Said, TicketEvent};
use cafe_order::numbers::business_day;
use cafe_order::{Answer, OrderTables, Orders, PlaceOrder, Request};
use cafe_payment::domain::{Cashier, Done, Payments, Request as Ask, What};
use cafe_payment::payment::attempt::{ChargeAnswer, Finding};
use cafe_payment::payment::refund::NotMade;
use cafe_payment::payment::{Payment, Refusal};
use jiff::Timestamp;

use crate::bugs::Bug;
use crate::people::PAY_WITHIN;
use crate::planted::{Memo, Plantable};

impl Plantable for Orders {
    fn decide_wrongly(
        &self,
        bug: Bug,
        memo: &Memo,
        tables: &mut OrderTables,
        request: &Request,
        now: Timestamp,
        turn: &mut Turn<cafe_order::Change>,
    ) -> Answer {
        match (bug, request) {
            (Bug::KeyNotKept, Request::Place(place)) => {
                let place = PlaceOrder { key: None, ..place.clone() };
                self.decide(tables, &Request::Place(place), now, turn)
            }
            (Bug::BodyIgnored, Request::Place(place)) => {
                let mut place = place.clone();
                place.key.iter_mut().for_each(|key| key.body_hash.clear());
                self.decide(tables, &Request::Place(place), now, turn)
            }
            (Bug::NumbersFollowTheClock, Request::Place(place)) => {
                let store = &place.order.store;
                let today = business_day(now, &self.zone);
                if tables.numbers.get(store).is_some_and(|numbers| numbers.day > today) {
                    tables.numbers.fill(store.clone(), None);
                }
                self.decide(tables, request, now, turn)
            }
            (Bug::NumberOutsideTransaction, Request::Place(place)) => {
                let store = &place.order.store;
                if let Some(numbers) = memo.numbers() {
                    tables.numbers.fill(store.clone(), Some(numbers));
                }
                let answer = self.decide(tables, request, now, turn);
                memo.keep_numbers(tables.numbers.get(store).cloned());
                answer
            }
            (Bug::CancelOnlyAcknowledged, Request::Cancel { order_id, .. }) => {
                match tables.orders.get(order_id) {
                    Some(order) => Answer::CancelAsked { order: order.clone(), already: true },
                    None => Answer::NoSuchOrder,
                }
            }
            _ => self.decide(tables, request, now, turn),
        }
    }

    fn hear_wrongly(
        &self,
        bug: Bug,
        tables: &mut OrderTables,
        heard: &Heard,
        now: Timestamp,
        turn: &mut Turn<cafe_order::Change>,
    ) -> Result<(), Poison> {
        let is_ticket = matches!(heard.said, Said::Known(Event::Ticket(_)));
        let order = tables.orders.get(&heard.order_id);
        if bug == Bug::NewsInOrderOnly
            && is_ticket
            && order.is_none_or(|order| order.payment.outcome.is_none())
        {
            return Ok(());
        }
        self.hear(tables, heard, now, turn)
    }
}

impl Plantable for Cashier {
    fn decide_wrongly(
        &self,
        bug: Bug,
        _memo: &Memo,
        tables: &mut Payments,
        request: &Ask,
        now: Timestamp,
        turn: &mut Turn<cafe_payment::domain::Effect>,
    ) -> Result<Done, Refusal> {
        let mut request = request.clone();
        match (bug, &mut request.what) {
            (Bug::UnknownIsDeclined, What::Answered(_, answer @ ChargeAnswer::Unclear { .. }, _)) => {
                *answer = ChargeAnswer::Declined { reason: "no answer".to_owned() };
            }
            (Bug::NotFoundClosesAtOnce, What::LookedUp(_, Finding::NotFound, silence)) => {
                silence.lasted = Duration::from_hours(1);
            }
            (Bug::LateChargeKept, What::LookedUp(_, Finding::Found(_), _)) => {
                let payment = tables.payments.get(&request.order_id);
                let is_over = payment.is_some_and(|payment| {
                    payment.order.as_ref().is_some_and(|order| now > order.placed.pay_by)
                });
                if is_over {
                    return drop_attempts(self, tables, &request, now, turn);
                }
            }
            (Bug::ExpiresWhileUnknown, What::LookedUp(_, Finding::NotFound | Finding::Unclear { .. }, _)) => {
                return drop_attempts(self, tables, &request, now, turn);
            }
            _ => {}
        }
        self.decide(tables, &request, now, turn)
    }

    fn hear_wrongly(
        &self,
        bug: Bug,
        tables: &mut Payments,
        heard: &Heard,
        now: Timestamp,
        turn: &mut Turn<cafe_payment::domain::Effect>,
    ) -> Result<(), Poison> {
        match (bug, &heard.said) {
            (Bug::PayByFromHearing, Said::Known(Event::Order(OrderEvent::Placed(placed)))) => {
                let mut placed = placed.clone();
                placed.pay_by = after(now, PAY_WITHIN);
                let said = Said::Known(Event::Order(OrderEvent::Placed(placed)));
                self.hear(tables, &Heard { said, ..heard.clone() }, now, turn)
            }
            (Bug::CancelDecidedTwice, Said::Known(Event::Order(OrderEvent::CancelRequested(_)))) => {
                self.hear(tables, heard, now, turn)?;
                change(tables, heard.order_id, |payment| {
                    let all =
                        NotMade { version: 1_000_000, lines: Vec::new(), reason: "cancelled".to_owned() };
                    if payment.decision.is_some() {
                        let _ = payment.not_made(all, now);
                    }
                });
                Ok(())
            }
            (Bug::RefundedPerHearing, Said::Known(Event::Ticket(TicketEvent::Rejected(_)))) => {
                self.hear(tables, heard, now, turn)?;
                change(tables, heard.order_id, |payment| payment.unmade.clear());
                let again = Heard { version: heard.version + 1_000, ..heard.clone() };
                self.hear(tables, &again, now, turn)
            }
            _ => self.hear(tables, heard, now, turn),
        }
    }
}

/// Forgets what is open though its time is over, and has the order expire.
fn drop_attempts(
    cashier: &Cashier,
    tables: &mut Payments,
    request: &Ask,
    now: Timestamp,
    turn: &mut Turn<cafe_payment::domain::Effect>,
) -> Result<Done, Refusal> {
    change(tables, request.order_id, |payment| {
        if payment.order.as_ref().is_some_and(|order| now > order.placed.pay_by) {
            payment.attempts.retain(|attempt| !attempt.is_open());
        }
    });
    let expire = Ask { order_id: request.order_id, what: What::Expire, traceparent: None };
    cashier.decide(tables, &expire, now, turn)
}

/// Changes a payment past its rules.
fn change(tables: &mut Payments, order_id: OrderId, change: impl FnOnce(&mut Payment)) {
    if let Some(mut payment) = tables.payments.get(&order_id).cloned() {
        change(&mut payment);
        tables.payments.put(order_id, payment);
    }
}

impl Plantable for Barista {
    fn hear_wrongly(
        &self,
        bug: Bug,
        tables: &mut cafe_barista::Loaded,
        heard: &Heard,
        now: Timestamp,
        turn: &mut Turn<cafe_barista::Changed>,
    ) -> Result<(), Poison> {
        let is_cancel = matches!(heard.said, Said::Known(Event::Payment(PaymentEvent::CancelRequested(_))));
        if bug == Bug::CancelAfterStart
            && is_cancel
            && let Some(ticket) =
                tables.tickets.get(&heard.order_id).filter(|ticket| ticket.status == TicketStatus::Making)
        {
            let mut ticket = cafe_barista::Ticket::clone(ticket);
            ticket.status = TicketStatus::Queued;
            tables.tickets.put(heard.order_id, std::sync::Arc::new(ticket));
        }
        self.hear(tables, heard, now, turn)
    }
}
