//! The whole cafe: three services, the vendor, the customers and the clocks. Whatever happens is one [`Transition`].

use std::time::{Duration, Instant};

use cafe_barista::{Barista, Command, Lines};
use cafe_clock::{Ids, from_ms};
use cafe_events::{OrderId, Party, Source};
use cafe_order::{KEY_LIFE, Orders, PlaceOrder};
use cafe_payment::domain::{Cashier, What};
use cafe_payment::payment::Status as PaymentStatus;
use jiff::Timestamp;

use crate::bench::Around;
use crate::config::Config;
use crate::coverage::{Coverage, Stage};
use crate::memory::{Step, Strike};
use crate::people::Customer;
use crate::planted::Planted;
use crate::process::{Answer, Turned};
use crate::service::{Disks, Service};
use crate::trace::Trace;
use crate::transition::{BenchDoes, Fault, PlaceNumber, StaffDoes, Transition};
use crate::vendor::{Mood, Vendor};

/// When the world begins: a quarter to midnight, so that many a day ends while it runs. Milliseconds since the Unix epoch.
const BEGINS_MS: i64 = 1_795_823_100_000;
/// So far from the right time a wall clock is at most: a day.
const MOST_OFF_MS: i64 = 86_400_000;
/// After so long tickets that nobody comes for are given up.
const COLLECT_WITHIN: Duration = Duration::from_hours(2);
/// Things that the payment worker takes up at once.
const AT_ONCE: usize = 8;

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
        let mut world = Self {
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
            base: Instant::now(),
            ids: Ids::seeded(seed),
            asked: Vec::new(),
            paid_back: Vec::new(),
            obeyed: Vec::new(),
            config,
        };
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
            if self.trace.is_told() {
                self.trace.tell(self.steady, "", transition);
            }
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
            Transition::Beat(source, place) => self.beat(source, place),
            Transition::Start(source, place) => self.start(source, place),
            Transition::Bench(place, does) => self.bench(place, does),
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
        Disks::new(&self.order.disk, &self.payment.disk, &self.barista.disk)
    }

    fn pass(&mut self, by: Duration) -> bool {
        self.steady += by;
        for clock in [&self.order.clock, &self.payment.clock, &self.barista.clock] {
            clock.advance(by);
        }
        true
    }

    fn note(&mut self, kind: &'static str) {
        let stages = self.stages();
        self.coverage.note(kind, &stages);
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
                use cafe_barista::Status;
                return match ticket.status {
                    _ if refunds => Stage::GivingBack,
                    Status::Queued => Stage::Queued,
                    Status::Making => Stage::Making,
                    Status::Ready => Stage::Ready,
                    Status::PickedUp => Stage::PickedUp,
                    Status::Rejected | Status::Cancelled | Status::Uncollected => Stage::Ended,
                };
            }
            match payment.map(cafe_payment::payment::Payment::status) {
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

/// What people do.
impl World {
    fn order(&mut self, cart: u8, keyed: bool, proof: bool, place: PlaceNumber) -> bool {
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

    fn send_again(&mut self, customer: usize, changed: bool, place: PlaceNumber) -> bool {
        let Some(known) = self.customers.get(customer) else { return false };
        // Without a key it would be another order; and whoever changes their mind has been told of the first one.
        if known.key.is_none() || changed && known.told.is_none() {
            return false;
        }
        self.note(if changed { "customer changes the body" } else { "customer sends again" });
        self.send(customer, changed, place);
        true
    }

    /// Promised: one order, however many requests are turned away.
    fn flood(&mut self, customer: usize, place: PlaceNumber) -> bool {
        if self.customers.get(customer).is_none_or(|known| known.key.is_none())
            || self.order.awake(place).is_none()
        {
            return false;
        }
        self.note("customer sends a hundred times");
        for _ in 0..100 {
            self.send(customer, false, place);
        }
        true
    }

    fn send(&mut self, customer: usize, changed: bool, place: PlaceNumber) {
        let now = self.order.clock.now();
        let order_id = self.ids.uuid(now);
        let known = &self.customers[customer];
        let request = cafe_order::Request::Place(PlaceOrder {
            order_id,
            order: known.order(changed),
            key: known.idempotency_key(changed),
            only_repeated: false,
        });
        let Some(process) = self.order.awake(place) else { return };
        if let Ok(answered) = process.ask(request) {
            self.asked.push(Asked { place, customer, places: Some(order_id), changed, answered });
        }
    }

    fn cancel(&mut self, customer: usize, by_staff: bool, place: PlaceNumber) -> bool {
        let Some(order_id) = self.order_of(customer) else { return false };
        let by = if by_staff { Party::Staff } else { Party::Customer };
        let request = cafe_order::Request::Cancel { order_id, by, reason: None };
        let Some(process) = self.order.awake(place) else { return false };
        if let Ok(answered) = process.ask(request) {
            self.asked.push(Asked { place, customer, places: None, changed: false, answered });
        }
        self.note("customer cancels");
        true
    }

    fn order_of(&self, customer: usize) -> Option<OrderId> {
        self.customers.get(customer)?.told.as_ref().map(|told| told.order_id)
    }

    fn staff(&mut self, customer: usize, does: StaffDoes, place: PlaceNumber) -> bool {
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
            StaffDoes::Recall => self.note("staff recall"),
            StaffDoes::RejectLine(_) | StaffDoes::Reject => self.note("staff reject"),
            _ => {}
        }
        self.obey(order_id, command, place)
    }

    fn obey(&mut self, order_id: OrderId, command: Command, place: PlaceNumber) -> bool {
        let Some(process) = self.barista.awake(place) else { return false };
        if let Ok(answered) = process.ask(cafe_barista::Request { order_id, command }) {
            self.obeyed.push((place, answered));
        }
        true
    }

    fn give_back(&mut self, customer: usize, amount: Option<u16>, place: PlaceNumber) -> bool {
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
        self.note(if amount.is_none() { "staff refund" } else { "staff give goodwill" });
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

    fn vendor_tells(&mut self, place: PlaceNumber) -> bool {
        let Some((order_id, attempt)) = self.vendor.news.pop() else { return false };
        self.ask_payment(order_id, What::Notified(attempt), place)
    }
}

/// What processes do.
impl World {
    fn start(&mut self, source: Source, place: PlaceNumber) -> bool {
        let disks = self.disks();
        with!(self, source, service => service.start(place.into(), &disks))
    }

    fn beat(&mut self, source: Source, place: PlaceNumber) -> bool {
        let (disks, now) = (self.disks(), self.instant());
        let beaten = with!(self, source, service => {
            if service.places[usize::from(place)].process.as_ref().is_none_or(|process| process.is_frozen) {
                return false;
            }
            let was_led = service.living().any(crate::process::Process::leads);
            service.beat(place.into(), now, &disks).map(|took| took && was_led)
        });
        match beaten {
            Ok(took_over) => {
                if took_over {
                    self.note("is taken over");
                }
            }
            Err(reason) => self.ended(source, place, &reason),
        }
        true
    }

    fn listen(&mut self, own: Source, place: PlaceNumber, source: Source) -> bool {
        with!(self, own, service => match &mut service.places[usize::from(place)].process {
            Some(process) if !process.is_frozen => process.listen(source),
            _ => false,
        })
    }

    fn turn(&mut self, source: Source, place: PlaceNumber) -> bool {
        let (turned, hit, steps) = with!(self, source, service => {
            let Some(process) = &mut service.places[usize::from(place)].process else { return false };
            if process.is_frozen {
                return false;
            }
            let turned = process.turn();
            (turned, process.fate.take_hit(), process.fate.take_steps())
        });
        self.steps += steps;
        if let Some((step, strike)) = hit {
            self.note(kind_of(step, strike));
            if self.trace.is_told() {
                self.trace.tell(self.steady, source.name(), &format!("! {strike:?} at {step:?}"));
            }
        }
        match turned {
            Turned::Idle => return false,
            Turned::Done(_) => self.hear_answers(source, place),
            Turned::Ended(reason) => self.ended(source, place, &reason),
        }
        true
    }

    /// A process has ended: whoever waited for it is told nothing.
    fn ended(&mut self, source: Source, place: PlaceNumber, reason: &str) {
        with!(self, source, service => service.kill(place.into()));
        if self.trace.is_told() {
            self.trace.tell(self.steady, source.name(), &format!("{place} ends: {reason}"));
        }
        self.forget_askers(source, place);
    }

    fn forget_askers(&mut self, source: Source, place: PlaceNumber) {
        match source {
            Source::Order => {
                let customers = &mut self.customers;
                self.asked.retain(|asked| {
                    let stays = asked.place != place;
                    if !stays && asked.places.is_some() {
                        customers[asked.customer].is_in_doubt = true;
                    }
                    stays
                });
            }
            Source::Payment => self.paid_back.retain(|(at, _)| *at != place),
            Source::Barista => self.obeyed.retain(|(at, _)| *at != place),
        }
    }

    fn hear_answers(&mut self, source: Source, place: PlaceNumber) {
        match source {
            Source::Order => {
                let mut waiting = std::mem::take(&mut self.asked);
                waiting.retain_mut(|asked| asked.place != place || !self.hear_answer(asked));
                waiting.append(&mut self.asked);
                self.asked = waiting;
            }
            Source::Payment => {
                self.paid_back.retain_mut(|(at, answered)| *at != place || answered.try_recv().is_err());
            }
            Source::Barista => {
                self.obeyed.retain_mut(|(at, answered)| *at != place || answered.try_recv().is_err());
            }
        }
    }

    /// True if there was one.
    fn hear_answer(&mut self, asked: &mut Asked) -> bool {
        use tokio::sync::oneshot::error::TryRecvError;
        let answer = match asked.answered.try_recv() {
            Err(TryRecvError::Empty) => return false,
            Err(TryRecvError::Closed) => Err(cafe_delivery::TurnError::OutcomeUnknown),
            Ok(answer) => answer,
        };
        if self.trace.is_told() {
            let told = match &answer {
                Ok(cafe_order::Answer::Placed { order, repeated, .. }) => {
                    let number =
                        order.placed.as_ref().map(|placed| placed.number.as_str()).unwrap_or_default();
                    format!("is told: number {number}{}", if *repeated { ", as before" } else { "" })
                }
                Ok(other) => format!("is told: {other:?}"),
                Err(error) => format!("is told: {error}"),
            };
            self.trace.tell(self.steady, &format!("customer {}", asked.customer), &told);
        }
        self.customers[asked.customer].hears(asked.places, asked.changed, answer, &mut self.broken);
        true
    }

    fn bench(&mut self, place: PlaceNumber, does: BenchDoes) -> bool {
        let (now, instant) = (self.steady, self.instant());
        let at = &mut self.payment.places[usize::from(place)];
        let (Some(process), Some(bench)) = (&at.process, &mut at.bench) else { return false };
        if process.is_frozen || !process.leads() {
            return false;
        }
        let platters = self.payment.disk.platters();
        let ask = |request| process.ask(request);
        let mut around = Around {
            vendor: &mut self.vendor,
            rows: &platters.now.shelf,
            ask: &ask,
            is_leading: process.is_leading(instant),
            now,
        };
        match does {
            BenchDoes::TakeUp => bench.take_up() > 0,
            BenchDoes::Begin => bench.begin_due(AT_ONCE, &mut around) > 0,
            BenchDoes::Expire => bench.expire_due(AT_ONCE, &mut around) > 0,
            BenchDoes::Lane(lane) => bench.work_lane(lane, AT_ONCE, &mut around) > 0,
            BenchDoes::Clocks => {
                bench.look_at_clocks();
                true
            }
            BenchDoes::Task(index) => bench.step(index.into(), &mut around),
        }
    }

    fn vendor_acts(&mut self, call: u8, mood: Mood) -> bool {
        let (now, wall_ms) = (self.steady, self.vendors_ms());
        let Some((call, mood)) = self.vendor.act(call.into(), mood, now, wall_ms) else { return false };
        if self.trace.is_told() {
            self.trace.tell(now, "vendor", &format!("{} {}: {mood:?}", call.asked.name(), call.asked.key()));
        }
        let kind = match mood {
            Mood::Answers => return true,
            Mood::LosesTheAnswer => "vendor's answer is lost",
            Mood::AnswersTwice => "vendor answers twice",
            Mood::Fails => "vendor fails",
            Mood::Lost => "vendor is not reached",
            Mood::Late(_) => "vendor is late",
            Mood::Declines => "vendor refuses",
        };
        self.note(kind);
        true
    }

    fn chore(&mut self, source: Source, place: PlaceNumber) -> bool {
        match source {
            Source::Order => {
                let before = ago(self.order.clock.now(), KEY_LIFE);
                let Some(process) = self.order.awake(place) else { return false };
                let request = cafe_order::Request::ForgetKeys { before };
                process.ask(request).is_ok()
            }
            Source::Payment => self.bench(place, BenchDoes::Clocks),
            Source::Barista => {
                let ready_by = ago(self.barista.clock.now(), COLLECT_WITHIN);
                let due: Vec<OrderId> = {
                    let platters = self.barista.disk.platters();
                    let overdue = platters.now.shelf.tickets.iter().filter(|(_, ticket)| {
                        ticket.status == cafe_barista::Status::Ready
                            && ticket.ready_at.is_some_and(|at| at <= ready_by)
                    });
                    overdue.map(|(order_id, _)| *order_id).collect()
                };
                let mut given_up = false;
                for order_id in due {
                    given_up |= self.obey(order_id, Command::GiveUp(COLLECT_WITHIN), place);
                }
                given_up
            }
        }
    }
}

/// What goes wrong.
impl World {
    fn goes_wrong(&mut self, fault: Fault) -> bool {
        match fault {
            Fault::Strike(source, place, after, strike) => {
                with!(self, source, service => match &service.places[usize::from(place)].process {
                    Some(process) => process.fate.plan(after.into(), strike),
                    None => return false,
                });
                true
            }
            Fault::Kill(source, place) => self.kill(source, place),
            Fault::Power(source) => {
                self.note("loses its power");
                let lost: &[Source] = if self.config.replicas == 1 { &Source::ALL } else { &[source] };
                for source in lost {
                    with!(self, *source, service => service.lose_power());
                    for place in 0..self.config.replicas {
                        self.forget_askers(*source, place as u8);
                    }
                }
                true
            }
            Fault::Freeze(source, place) => self.freeze(source, place, true),
            Fault::Wake(source, place) => self.freeze(source, place, false),
            Fault::Clock(source, seconds) => {
                let wall_ms = with!(self, source, service => service.clock.now().as_millisecond());
                // On some days it is slow and on others fast, so that it never jumps by two days.
                let off_by_ms = wall_ms - self.vendors_ms() + i64::from(seconds) * 1_000;
                let is_slow = self.config.seed.is_multiple_of(2);
                let fits = if is_slow { -MOST_OFF_MS..=0 } else { 0..=MOST_OFF_MS };
                if !fits.contains(&off_by_ms) {
                    return false;
                }
                self.note(if seconds > 0 { "clock steps on" } else { "clock steps back" });
                with!(self, source, service => service.clock.step(i64::from(seconds) * 1_000));
                true
            }
            Fault::Serve(own, source, served) => {
                if served.limit < usize::MAX {
                    self.note("hears late");
                }
                if served.again > 0 {
                    self.note("hears again");
                }
                if served.shuffled_by.is_some() {
                    self.note("hears out of order");
                }
                if served.foreign {
                    self.note("hears somebody else's program");
                }
                with!(self, own, service => service.served[source as usize].set(served));
                true
            }
            Fault::BackUp(source) => {
                with!(self, source, service => service.back_up());
                true
            }
            Fault::Restore(source) => {
                let restored = with!(self, source, service => service.restore());
                if restored {
                    self.note("is restored");
                    if source == Source::Order {
                        self.customers.iter_mut().for_each(Customer::may_be_forgotten);
                    }
                    for place in 0..self.config.replicas {
                        self.forget_askers(source, place as u8);
                    }
                }
                restored
            }
            Fault::Poison(source, customer) => {
                let Some(order_id) = self.order_of(customer.into()) else { return false };
                self.note("sets an event aside");
                with!(self, source, service => service.allergy.set(Some(order_id)));
                true
            }
            Fault::Cure(source) => self.cure(source),
        }
    }

    fn kill(&mut self, source: Source, place: PlaceNumber) -> bool {
        let asks = source == Source::Payment && !self.vendor.calls.is_empty();
        let killed = with!(self, source, service => service.kill(place.into()));
        if killed {
            self.note(if asks { "dies while the vendor is asked" } else { "dies between two steps" });
            self.forget_askers(source, place);
        }
        killed
    }

    fn freeze(&mut self, source: Source, place: PlaceNumber, is_frozen: bool) -> bool {
        let changed = with!(self, source, service => match &mut service.places[usize::from(place)].process {
            Some(process) => std::mem::replace(&mut process.is_frozen, is_frozen) != is_frozen,
            None => false,
        });
        if changed && is_frozen {
            self.note("is frozen");
        }
        changed
    }

    /// What was set aside is looked at: what is of our own is taken in again, what is not is dropped.
    fn cure(&mut self, source: Source) -> bool {
        with!(self, source, service => {
            service.allergy.set(None);
            let parked: Vec<(i64, bool)> = {
                let platters = service.disk.platters();
                platters.now.parked.iter().map(|(id, parked)| (*id, parked.claim().is_none())).collect()
            };
            let Some(process) = service.awake(service.awake_place()) else { return false };
            for (id, drop) in &parked {
                let _ = process.settle_parked(*id, *drop);
            }
            !parked.is_empty()
        })
    }
}

fn ago(now: Timestamp, by: Duration) -> Timestamp {
    from_ms(now.as_millisecond().saturating_sub(by.as_millis() as i64))
}

fn kind_of(step: Step, strike: Strike) -> &'static str {
    match (strike, step) {
        (Strike::Crash, Step::Commit) => "dies while it commits",
        (Strike::Crash, Step::Sync) | (Strike::CrashUnsynced, _) => "dies with a commit unsynced",
        (Strike::Crash, Step::Tell) => "dies before it answers",
        (Strike::Crash, _) => "dies before it commits",
        (Strike::Full, _) => "has no room on its disk",
        (Strike::Busy, _) => "finds a lock held",
        (Strike::SyncFails, _) => "cannot sync",
        (Strike::Unknown { committed: true }, _) => "commits and is not told",
        (Strike::Unknown { committed: false }, _) => "does not commit and is not told",
    }
}
