//! The whole cafe: three services, the vendor, the customers and the clocks. Whatever happens is one [`Transition`].

mod faults;
mod people;
mod processes;

use std::time::{Duration, Instant};

use cafe_barista::{Barista, Status as TicketStatus};
use cafe_clock::{Ids, from_ms};
use cafe_events::{OrderId, Source};
use cafe_order::Orders;
use cafe_payment::domain::Cashier;
use cafe_payment::payment::{Payment, Status as PaymentStatus};

use crate::broker::Brokers;
use crate::config::Config;
use crate::coverage::{Coverage, Stage};
use crate::people::Customer;
use crate::planted::Planted;
use crate::process::Answer;
use crate::service::{Disks, Service};
use crate::trace::Trace;
use crate::transition::{PlaceNumber, Transition};
use crate::twin;
use crate::vendor::Vendor;

/// When the world begins: a quarter to midnight, so that many a day ends while it runs. Milliseconds since the Unix epoch.
const BEGINS_MS: i64 = 1_795_823_100_000;

/// The whole cafe.
pub struct World {
    /// What kind of a day it is.
    pub config: Config,
    /// Takes orders.
    pub order: Service<Orders>,
    /// Takes money.
    pub payment: Service<Cashier>,
    /// Makes drinks.
    pub barista: Service<Barista>,
    /// Carry events, on some days.
    pub brokers: Option<Brokers>,
    /// Another company.
    pub vendor: Vendor,
    /// Everybody who ever ordered.
    pub customers: Vec<Customer>,
    /// How long it is since the world began; it never steps.
    pub steady: Duration,
    /// Steps taken so far: what was chosen, and what processes did to their disks meanwhile.
    pub steps: u64,
    /// What happened when.
    pub coverage: Coverage,
    /// The story.
    pub trace: Trace,
    /// What was broken before the end, in words.
    pub broken: Vec<String>,
    base: Instant,
    ids: Ids,
    asked: Vec<Asked>,
    paid_back: Vec<(PlaceNumber, Answer<Planted<Cashier>>)>,
    obeyed: Vec<(PlaceNumber, Answer<Planted<Barista>>)>,
}

/// Something that a customer waits for at the order service.
struct Asked {
    place: PlaceNumber,
    customer: usize,
    /// The order that would be placed; nothing for a cancel.
    places: Option<OrderId>,
    /// With another body than the customer's own.
    changed: bool,
    answered: Answer<Planted<Orders>>,
}

/// Does the same with whichever service it is.
macro_rules! with {
    ($world:expr, $source:expr, $service:ident => $does:expr) => {
        match $source {
            Source::Order => {
                let $service = &mut $world.order;
                $does
            }
            Source::Payment => {
                let $service = &mut $world.payment;
                $does
            }
            Source::Barista => {
                let $service = &mut $world.barista;
                $does
            }
        }
    };
}
pub(crate) use with;

impl World {
    /// A cafe that has just opened: every process runs, nobody has ordered.
    pub fn new(config: Config, trace: Trace) -> Self {
        let start = from_ms(BEGINS_MS);
        let (replicas, bug, seed) = (config.replicas, config.bug, config.seed);
        let base = Instant::now();
        let mut world = Self {
            brokers: config.is_on_kafka.then(|| Brokers::new(base, bug)),
            order: Service::new(start, replicas, bug, seed),
            payment: Service::new(start, replicas, bug, seed),
            barista: Service::new(start, replicas, bug, seed),
            vendor: Vendor::default(),
            customers: Vec::new(),
            steady: Duration::ZERO,
            steps: 0,
            coverage: Coverage::default(),
            trace,
            broken: Vec::new(),
            base,
            ids: Ids::seeded(seed),
            asked: Vec::new(),
            paid_back: Vec::new(),
            obeyed: Vec::new(),
            config,
        };
        if world.config.on_sqlite {
            twin::accompany(&world);
        }
        for source in Source::ALL {
            for place in 0..replicas {
                world.start(source, place as u8);
            }
        }
        world
    }

    /// One thing happens; false if it could not.
    pub fn happens(&mut self, transition: &Transition) -> bool {
        let happened = self.apply(transition);
        if happened {
            self.steps += 1;
            self.trace.tell(self.steady, "", transition);
            twin::tell(self);
        }
        happened
    }

    fn apply(&mut self, transition: &Transition) -> bool {
        match *transition {
            Transition::Order { cart, keyed, proof, place } => self.order(cart, keyed, proof, place),
            Transition::SendAgain { customer, changed, place } => {
                self.send_again(customer.into(), changed, place)
            }
            Transition::Flood { customer, place } => self.flood(customer.into(), place),
            Transition::Cancel { customer, by_staff, place } => self.cancel(customer.into(), by_staff, place),
            Transition::Staff { customer, does, place } => self.staff(customer.into(), does, place),
            Transition::GiveBack { customer, amount, place } => {
                self.give_back(customer.into(), amount, place)
            }
            Transition::Turn(source, place) => self.turn(source, place),
            Transition::Listen(own, place, source) => self.listen(own, place, source),
            Transition::Relay(source, place) => self.relay(source, place),
            Transition::Beat(source, place) => self.beat(source, place),
            Transition::Start(source, place) => self.start(source, place),
            Transition::Bench(place, does) => self.bench(place, does),
            Transition::Robot(place) => self.robot(place),
            Transition::Prune(source, place) => self.prune(source, place),
            Transition::Vendor(call, mood) => self.vendor_acts(call, mood),
            Transition::VendorTells(place) => self.vendor_tells(place),
            Transition::Chore(source, place) => self.chore(source, place),
            Transition::Pass(ms) => self.pass(Duration::from_millis(ms.into())),
            Transition::Fault(fault) => self.goes_wrong(fault),
        }
    }

    /// This moment, for those who measure.
    pub fn instant(&self) -> Instant {
        self.base + self.steady
    }

    /// The vendor's wall clock, which is right.
    fn vendors_ms(&self) -> i64 {
        BEGINS_MS + self.steady.as_millis() as i64
    }

    fn disks(&self) -> Disks {
        Disks::new(
            &self.order.disk,
            &self.payment.disk,
            &self.barista.disk,
            self.brokers.as_ref(),
            self.config.older,
        )
    }

    fn pass(&mut self, by: Duration) -> bool {
        self.steady += by;
        for clock in [&self.order.clock, &self.payment.clock, &self.barista.clock] {
            clock.advance(by);
        }
        if let Some(brokers) = &self.brokers {
            brokers.tick(self.base + self.steady);
        }
        true
    }

    fn note(&mut self, kind: &'static str, service: Source) {
        let stages = self.stages();
        self.coverage.note(kind, service, &stages);
    }

    /// Where each order is, as its databases tell.
    pub fn stages(&self) -> Vec<Stage> {
        let (orders, payments, tickets) =
            (self.order.disk.platters(), self.payment.disk.platters(), self.barista.disk.platters());
        let stage = |order_id: &OrderId| {
            let payment = payments.now.shelf.payments.get(order_id);
            let refunds =
                payment.is_some_and(|payment| payment.refunds.iter().any(|refund| !refund.is_done()));
            if let Some(ticket) = tickets.now.shelf.tickets.get(order_id) {
                return match ticket.status {
                    _ if refunds => Stage::GivingBack,
                    TicketStatus::Queued => Stage::Queued,
                    TicketStatus::Making => Stage::Making,
                    TicketStatus::Ready => Stage::Ready,
                    TicketStatus::PickedUp => Stage::PickedUp,
                    TicketStatus::Rejected | TicketStatus::Cancelled | TicketStatus::Uncollected => {
                        Stage::Ended
                    }
                };
            }
            match payment.map(Payment::status) {
                None => Stage::Placed,
                _ if refunds => Stage::GivingBack,
                Some(PaymentStatus::Due) => Stage::Due,
                Some(PaymentStatus::Asking) => Stage::Asking,
                Some(PaymentStatus::Unknown) => Stage::Unknown,
                Some(PaymentStatus::Approved) => Stage::Paid,
                Some(PaymentStatus::Declined | PaymentStatus::Expired | PaymentStatus::Cancelled) => {
                    Stage::Ended
                }
            }
        };
        orders.now.shelf.orders.iter().map(|(order_id, _)| stage(order_id)).collect()
    }
}
