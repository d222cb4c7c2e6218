//! What people do.

use cafe_barista::{Command, Lines};
use cafe_events::{OrderId, Party, Source};
use cafe_order::{Flow, PlaceOrder};
use cafe_payment::domain::What;

use super::{Asked, World};
use crate::people::Customer;
use crate::transition::{PlaceNumber, StaffDoes};
impl World {
    pub(super) fn order(&mut self, cart: u8, keyed: bool, proof: bool, place: PlaceNumber) -> bool {
        let number = self.customers.len();
        let key = keyed.then(|| format!("key-{number}"));
        self.customers.push(Customer {
            cart,
            key,
            proof,
            told: None,
            cancelled: false,
            is_in_doubt: false,
            may_be_forgotten: false,
            refused: Vec::new(),
        });
        self.send(number, false, place);
        true
    }

    pub(super) fn send_again(&mut self, customer: usize, changed: bool, place: PlaceNumber) -> bool {
        let Some(known) = self.customers.get(customer) else { return false };
        // Without a key it would be another order; and whoever changes their mind has been told of the first one.
        if known.key.is_none() || changed && known.told.is_none() {
            return false;
        }
        self.note(if changed { "customer changes the body" } else { "customer sends again" }, Source::Order);
        self.send(customer, changed, place);
        true
    }

    /// Promised: one order, however many requests are turned away.
    pub(super) fn flood(&mut self, customer: usize, place: PlaceNumber) -> bool {
        if self.customers.get(customer).is_none_or(|known| known.key.is_none())
            || self.order.awake(place).is_none()
        {
            return false;
        }
        self.note("customer sends a hundred times", Source::Order);
        for _ in 0..100 {
            self.send(customer, false, place);
        }
        true
    }

    fn send(&mut self, customer: usize, changed: bool, place: PlaceNumber) {
        let now = self.order.clock.now();
        let order_id = self.ids.uuid(now);
        let known = &self.customers[customer];
        let order = known.order(changed);
        let key = known.idempotency_key(&order);
        let till = self.order.places[usize::from(place)].besides.as_ref();
        let is_stuck = till.is_some_and(|till| till.backlog.flow(now) == Flow::Stuck);
        let request = match key {
            key if !is_stuck => Some(cafe_order::Request::Place(PlaceOrder { order_id, order, key })),
            Some(key) => Some(cafe_order::Request::Repeat { store: order.store, key }),
            None => None,
        };
        let Some(process) = self.order.awake(place) else { return };
        let Some(request) = request else {
            return self.note("order is refused, payment is behind", Source::Order);
        };
        if let Ok(answered) = process.ask(request) {
            self.asked.push(Asked { place, customer, places: Some(order_id), changed, answered });
        }
    }

    pub(super) fn cancel(&mut self, customer: usize, by_staff: bool, place: PlaceNumber) -> bool {
        let Some(order_id) = self.order_of(customer) else { return false };
        let by = if by_staff { Party::Staff } else { Party::Customer };
        let request = cafe_order::Request::Cancel { order_id, by, reason: None };
        let Some(process) = self.order.awake(place) else { return false };
        if let Ok(answered) = process.ask(request) {
            self.asked.push(Asked { place, customer, places: None, changed: false, answered });
        }
        self.note("customer cancels", Source::Order);
        true
    }

    pub(super) fn order_of(&self, customer: usize) -> Option<OrderId> {
        self.customers.get(customer)?.told.as_ref().map(|told| told.order_id)
    }

    pub(super) fn staff(&mut self, customer: usize, does: StaffDoes, place: PlaceNumber) -> bool {
        // What barista said last and has forgotten, order would take for the end.
        if does == StaffDoes::Recall && self.config.restored == Some(Source::Barista) {
            return false;
        }
        let Some(order_id) = self.order_of(customer) else { return false };
        let command = match does {
            StaffDoes::Start => Command::Start,
            StaffDoes::LineReady(line) => Command::LineReady(line.into()),
            StaffDoes::Ready => Command::Ready,
            StaffDoes::PickUp => Command::PickUp,
            StaffDoes::Recall => Command::Recall(Lines::All, None),
            StaffDoes::RejectLine(line) => Command::Reject(Lines::Only(vec![line.into()]), None),
            StaffDoes::Reject => Command::Reject(Lines::All, None),
        };
        match does {
            StaffDoes::Recall => self.note("staff recall", Source::Barista),
            StaffDoes::RejectLine(_) | StaffDoes::Reject => self.note("staff reject", Source::Barista),
            _ => {}
        }
        self.obey(order_id, command, place)
    }

    pub(super) fn obey(&mut self, order_id: OrderId, command: Command, place: PlaceNumber) -> bool {
        let Some(process) = self.barista.awake(place) else { return false };
        if let Ok(answered) = process.ask(cafe_barista::Request { order_id, command, seen: None }) {
            self.obeyed.push((place, answered));
        }
        true
    }

    pub(super) fn give_back(&mut self, customer: usize, amount: Option<u16>, place: PlaceNumber) -> bool {
        // Only payment and the vendor know of it, and payment may forget.
        if self.config.restored == Some(Source::Payment) {
            return false;
        }
        let Some(order_id) = self.order_of(customer) else { return false };
        let reason = "sorry".to_owned();
        let what = match amount {
            None => What::RefundInFull { reason },
            Some(amount) => What::RefundAmount { amount: amount.into(), reason, key: None },
        };
        self.note(if amount.is_none() { "staff refund" } else { "staff give goodwill" }, Source::Payment);
        self.ask_payment(order_id, what, place)
    }

    fn ask_payment(&mut self, order_id: OrderId, what: What, place: PlaceNumber) -> bool {
        let Some(process) = self.payment.awake(place) else { return false };
        let request = cafe_payment::domain::Request { order_id, what, traceparent: None };
        if let Ok(answered) = process.ask(request) {
            self.paid_back.push((place, answered));
        }
        true
    }

    pub(super) fn vendor_tells(&mut self, place: PlaceNumber) -> bool {
        let Some((order_id, attempt)) = self.vendor.news.pop() else { return false };
        self.ask_payment(order_id, What::Notified(attempt), place)
    }
}
