//! Chooses what happens next, by what kind of a day it is.

use std::collections::VecDeque;

use cafe_delivery::parts::{BEAT, LAPSE};
use cafe_events::Source;
use cafe_payment::payment::agenda::Lane;

use crate::broker::{PARTITIONS, Takes};
use crate::carrier::Served;
use crate::draw::Draw;
use crate::memory::Strike;
use crate::people::CARTS;
use crate::transition::{BenchDoes, Fault, StaffDoes, Transition};
use crate::vendor::Mood;
use crate::world::{World, with};

/// How long a wait may be, in milliseconds, and how often it is: within a second, over a lease, a vendor's silence, the time until
/// "not found" counts, the time to pay.
const WAITS_MS: [(u16, u32); 7] =
    [(8, 40), (6, 600), (4, 3_100), (6, 10_500), (4, 36_000), (1, 240_000), (1, 620_000)];
/// How far a wall clock steps, in seconds.
const STEPS_S: [i32; 5] = [5, 400, 3_600, 86_000, 86_400];
/// A strike hits within so many steps: more than a turn has.
const STRIKES_WITHIN: usize = 24;

/// How often a process looks whether the lease of another has lapsed, and so often that it has.
const LOOK_EVERY_MS: u32 = BEAT.as_millis() as u32;
const LOOKS: usize = (LAPSE.as_millis() / BEAT.as_millis()) as usize + 3;

/// Chooses transitions; what it needs again and again is kept.
pub struct Chooser {
    draw: Draw,
    ready: Vec<Transition>,
    /// What follows, one after the other, though other things may happen in between.
    script: VecDeque<Transition>,
    /// So many of them follow at once.
    at_once: usize,
}

impl Chooser {
    /// Draws from this seed.
    pub fn new(seed: u64) -> Self {
        Self { draw: Draw::new(seed), ready: Vec::with_capacity(64), script: VecDeque::new(), at_once: 0 }
    }

    /// What happens next.
    pub fn next(&mut self, world: &mut World) -> Transition {
        if (self.at_once > 0 || self.draw.once_in(2))
            && let Some(next) = self.script.pop_front()
        {
            self.at_once = self.at_once.saturating_sub(1);
            return next;
        }
        let config = &world.config;
        let (faults, people, time) = (config.faults, config.people, config.time);
        let roll = self.draw.below(1_000) as u16;
        if roll < faults
            && let Some(fault) = self.fault(world)
        {
            return Transition::Fault(fault);
        }
        if (faults..faults + people).contains(&roll) {
            return self.person(world);
        }
        if roll >= 1_000 - time {
            return self.wait();
        }
        self.work(world)
    }

    fn wait(&mut self) -> Transition {
        let longest = self.draw.weighted(&WAITS_MS).unwrap_or(1);
        Transition::Pass(self.draw.within(i64::from(longest) / 2, i64::from(longest)) as u32)
    }

    fn place(&mut self, world: &World) -> u8 {
        self.draw.below(world.config.replicas) as u8
    }

    fn source(&mut self) -> Source {
        Source::ALL[self.draw.below(3)]
    }

    fn person(&mut self, world: &World) -> Transition {
        let place = self.place(world);
        let known = world.customers.len();
        if known < world.config.customers && (known == 0 || self.draw.once_in(3)) {
            let cart = self.draw.below(CARTS) as u8;
            return Transition::Order {
                cart,
                keyed: !self.draw.once_in(4),
                proof: !self.draw.once_in(10),
                place,
            };
        }
        let customer = self.draw.below(known.max(1)) as u8;
        if self.draw.once_in(6) {
            self.make(customer, place);
        }
        match self.draw.below(20) {
            0 if self.draw.once_in(12) => Transition::Flood { customer, place },
            0..3 => Transition::SendAgain { customer, changed: self.draw.once_in(4), place },
            3..6 => Transition::Cancel { customer, by_staff: self.draw.once_in(4), place },
            6 => Transition::GiveBack { customer, amount: None, place },
            7 => Transition::GiveBack { customer, amount: Some(self.draw.within(1, 9_000) as u16), place },
            _ => Transition::Staff { customer, does: self.staff(), place },
        }
    }

    /// Staff take a ticket from the queue to its customer.
    fn make(&mut self, customer: u8, place: u8) {
        for does in [StaffDoes::Start, StaffDoes::Ready, StaffDoes::PickUp] {
            self.script.push_back(Transition::Staff { customer, does, place });
            self.script.push_back(Transition::Turn(Source::Barista, place));
        }
    }

    fn staff(&mut self) -> StaffDoes {
        let line = self.draw.within(1, 3) as u8;
        let all = [
            (6, StaffDoes::Start),
            (3, StaffDoes::LineReady(line)),
            (6, StaffDoes::Ready),
            (6, StaffDoes::PickUp),
            (3, StaffDoes::Recall),
            (3, StaffDoes::RejectLine(line)),
            (2, StaffDoes::Reject),
        ];
        self.draw.weighted(&all).unwrap_or(StaffDoes::Ready)
    }

    fn work(&mut self, world: &mut World) -> Transition {
        self.ready.clear();
        for source in Source::ALL {
            for place in 0..world.config.replicas as u8 {
                gather(world, source, place, &mut self.ready);
            }
        }
        let calls = world.vendor.calls.len();
        for call in 0..calls.min(4) {
            self.ready.push(Transition::Vendor(call as u8, Mood::Answers));
        }
        if !world.vendor.news.is_empty() {
            self.ready.push(Transition::VendorTells(0));
        }
        if world.config.has_robot {
            self.ready.extend((0..world.config.replicas as u8).map(Transition::Robot));
        }
        if self.ready.is_empty() || self.draw.once_in(6) {
            return self.upkeep(world);
        }
        let index = self.draw.below(self.ready.len());
        match self.ready.swap_remove(index) {
            Transition::Vendor(call, _) => Transition::Vendor(call, self.mood(world.config.moods)),
            Transition::Start(..) if !self.draw.once_in(3) => self.wait(),
            ready => ready,
        }
    }

    /// What is done now and then, whether there is anything to do or not.
    fn upkeep(&mut self, world: &World) -> Transition {
        let place = self.place(world);
        let lane = Lane::ALL[1..][self.draw.below(Lane::ALL.len() - 1)];
        match self.draw.below(13) {
            12 => Transition::Prune(self.source(), place),
            0 => Transition::Bench(place, BenchDoes::Begin),
            1 => Transition::Bench(place, BenchDoes::Expire),
            2..6 => Transition::Bench(place, BenchDoes::Lane(lane)),
            6 => Transition::Bench(place, BenchDoes::Clocks),
            7 => Transition::Chore(self.source(), place),
            8..10 if world.config.replicas > 1 => Transition::Beat(self.source(), place),
            _ => self.wait(),
        }
    }

    fn mood(&mut self, rate: u16) -> Mood {
        if !self.draw.permille(rate) {
            return Mood::Answers;
        }
        let seconds = self.draw.within(1, 34) as u8;
        let all = [
            (4, Mood::LosesTheAnswer),
            (1, Mood::AnswersTwice),
            (4, Mood::Fails),
            (4, Mood::Lost),
            (4, Mood::Late(seconds)),
            (2, Mood::Declines),
        ];
        self.draw.weighted(&all).unwrap_or(Mood::Answers)
    }

    fn fault(&mut self, world: &World) -> Option<Fault> {
        #[derive(Clone, Copy)]
        enum Kind {
            Strike,
            Kill,
            Power,
            Freeze,
            Clock,
            Delivery,
            Copies,
            Poison,
            Brokers,
        }
        let weights = &world.config.weights;
        if weights.kill > 0
            && let Some(leader) = leader_that_asks(world)
            && self.draw.once_in(2)
        {
            self.bequeath(leader);
            return Some(Fault::Kill(Source::Payment, leader));
        }
        let kind = self.draw.weighted(&[
            (weights.strike, Kind::Strike),
            (weights.kill, Kind::Kill),
            (weights.power, Kind::Power),
            (weights.freeze, Kind::Freeze),
            (weights.clock, Kind::Clock),
            (weights.delivery, Kind::Delivery),
            (weights.copies, Kind::Copies),
            (weights.poison, Kind::Poison),
            (weights.brokers, Kind::Brokers),
        ])?;
        let (source, place) = (self.source(), self.place(world));
        Some(match kind {
            Kind::Strike => {
                let after = self.draw.below(STRIKES_WITHIN) as u8;
                Fault::Strike(source, place, after, self.strike(world))
            }
            Kind::Kill => Fault::Kill(source, place),
            Kind::Power if world.config.replicas == 1 && self.draw.once_in(3) => self.tear(source)?,
            Kind::Power => Fault::Power(source),
            Kind::Freeze if self.draw.once_in(2) => {
                if world.config.replicas > 1 {
                    self.outlive(source, place);
                }
                Fault::Freeze(source, place)
            }
            Kind::Freeze => Fault::Wake(source, place),
            Kind::Clock => {
                let seconds = self.draw.one(&STEPS_S)?;
                Fault::Clock(source, if self.draw.once_in(2) { seconds } else { -seconds })
            }
            Kind::Delivery => {
                let from = self.draw.one(source.hears())?;
                Fault::Serve(source, from, self.served())
            }
            Kind::Copies if self.draw.once_in(3) => Fault::Restore(world.config.restored?),
            Kind::Copies => Fault::BackUp(world.config.restored?),
            Kind::Poison if self.draw.once_in(2) => {
                Fault::Poison(source, self.draw.below(world.customers.len().max(1)) as u8)
            }
            Kind::Poison => Fault::Cure(source),
            Kind::Brokers => self.brokers(world, source, place),
        })
    }

    fn brokers(&mut self, world: &World, source: Source, place: u8) -> Fault {
        let part = self.draw.below(PARTITIONS as usize) as u8;
        let count = self.draw.within(0, 3) as u8;
        match self.draw.below(12) {
            0..5 => {
                self.script.push_back(Transition::Relay(source, 0));
                Fault::Take(source, Takes::Some(count))
            }
            5..7 => Fault::Take(source, Takes::All),
            7..9 => Fault::ArriveLate(source),
            9 if self.draw.once_in(2) => self.write_on_and_die(world, place),
            9 => Fault::LoseTail(source, part, count + 1, self.draw.once_in(2)),
            10 if self.draw.once_in(2) => self.replace_what_others_wrote(world, place),
            10 => Fault::MakeAnew(source, self.draw.once_in(2)),
            11 if self.draw.once_in(2) => Fault::Age(source, part),
            _ => Fault::SomebodyElse(source, part),
        }
    }

    /// The topic of orders is made anew; whoever has written it writes on before it sees so, and dies.
    fn write_on_and_die(&mut self, world: &World, place: u8) -> Fault {
        self.script.extend(order_and_relay(place));
        self.script.push_back(Transition::Fault(Fault::MakeAnew(Source::Order, false)));
        self.script.extend(cancel_and_relay(world, place));
        self.script.push_back(Transition::Fault(Fault::Kill(Source::Order, place)));
        self.at_once = self.script.len();
        Fault::Take(Source::Order, Takes::All)
    }

    /// Others have written to the topic of orders, which is made anew when that was heard.
    fn replace_what_others_wrote(&mut self, world: &World, place: u8) -> Fault {
        let strangers = (0..PARTITIONS as u8).map(|part| Fault::SomebodyElse(Source::Order, part));
        self.script.extend(strangers.map(Transition::Fault));
        self.script.extend(order_and_relay(place));
        for listener in 0..world.config.replicas as u8 {
            self.script.push_back(Transition::Listen(Source::Payment, listener, Source::Order));
            self.script.push_back(Transition::Turn(Source::Payment, listener));
        }
        self.script.push_back(Transition::Fault(Fault::MakeAnew(Source::Order, true)));
        self.script.extend(cancel_and_relay(world, place));
        self.script.push_back(Transition::Relay(Source::Order, place));
        self.at_once = self.script.len();
        Fault::Take(Source::Order, Takes::All)
    }

    /// A process dies with a commit unsynced, a listener hears what it left, and then the power is lost.
    fn tear(&mut self, source: Source) -> Option<Fault> {
        let listeners: Vec<Source> = source.heard_by().collect();
        let listener = self.draw.one(&listeners)?;
        self.script.extend([
            Transition::Turn(source, 0),
            Transition::Fault(Fault::Kill(listener, 0)),
            Transition::Start(listener, 0),
            Transition::Listen(listener, 0, source),
            Transition::Turn(listener, 0),
            Transition::Fault(Fault::Power(source)),
        ]);
        Some(Fault::Strike(source, 0, 0, Strike::CrashUnsynced))
    }

    /// The process that has asked the vendor dies; its call is late, and the other process takes over before it arrives.
    fn bequeath(&mut self, place: u8) {
        let late = Mood::Late(self.draw.within(16, 34) as u8);
        let other = 1 - place;
        self.script.push_back(Transition::Vendor(0, late));
        self.outlive(Source::Payment, place);
        let bench = |does| Transition::Bench(other, does);
        self.script.push_back(Transition::Turn(Source::Payment, other));
        self.script.push_back(bench(BenchDoes::Lane(Lane::Asked)));
        // Each of them is looked for among what is asked, looked up, and reported.
        for _ in 0..5 {
            self.script.extend((0..6).rev().map(|task| bench(BenchDoes::Task(task))));
            self.script.push_back(Transition::Turn(Source::Payment, other));
            self.script.extend((0..6).map(|_| Transition::Vendor(0, Mood::Answers)));
        }
        self.script.push_back(Transition::Pass(1_000));
        self.script.push_back(bench(BenchDoes::Begin));
        if self.draw.once_in(2) {
            self.at_once = self.script.len();
        }
    }

    /// The other process of a service looks after the lease until that of this one has lapsed; then this one wakes.
    fn outlive(&mut self, source: Source, place: u8) {
        for _ in 0..LOOKS {
            self.script.push_back(Transition::Pass(LOOK_EVERY_MS));
            self.script.push_back(Transition::Beat(source, 1 - place));
        }
        if self.draw.once_in(2) {
            self.script.push_back(Transition::Fault(Fault::Wake(source, place)));
        }
    }

    fn strike(&mut self, world: &World) -> Strike {
        let committed = self.draw.once_in(2);
        let (unknown, unsynced) = if world.config.replicas > 1 { (4, 0) } else { (0, 1) };
        let all = [
            (8, Strike::Crash),
            (2, Strike::Full),
            (2, Strike::Busy),
            (unsynced, Strike::SyncFails),
            (unknown, Strike::Unknown { committed }),
        ];
        self.draw.weighted(&all).unwrap_or(Strike::Crash)
    }

    fn served(&mut self) -> Served {
        if self.draw.once_in(3) {
            return Served::default();
        }
        Served {
            limit: if self.draw.once_in(2) { self.draw.within(0, 3) as usize } else { usize::MAX },
            again: if self.draw.once_in(2) { self.draw.below(4) } else { 0 },
            shuffled_by: self.draw.once_in(3).then(|| self.draw.number()),
            foreign: self.draw.once_in(6),
        }
    }
}

/// A new customer's order goes to the topic.
fn order_and_relay(place: u8) -> [Transition; 3] {
    [
        Transition::Order { cart: 0, keyed: true, proof: true, place },
        Transition::Turn(Source::Order, place),
        Transition::Relay(Source::Order, place),
    ]
}

/// The newest customer thinks better of it.
fn cancel_and_relay(world: &World, place: u8) -> [Transition; 3] {
    let customer = world.customers.len() as u8;
    [
        Transition::Cancel { customer, by_staff: false, place },
        Transition::Turn(Source::Order, place),
        Transition::Relay(Source::Order, place),
    ]
}

/// The place of the payment process that leads, if it has asked the vendor and there is another process.
fn leader_that_asks(world: &World) -> Option<u8> {
    if world.config.replicas == 1 || world.vendor.calls.is_empty() {
        return None;
    }
    let leads =
        |place: &crate::service::Place<_>| place.process.as_ref().is_some_and(crate::process::Process::leads);
    world.payment.places.iter().position(leads).map(|place| place as u8)
}

/// What a process could do right now.
fn gather(world: &mut World, source: Source, place: u8, ready: &mut Vec<Transition>) {
    let tasks = if source == Source::Payment { world.payment.places[usize::from(place)].tasks() } else { 0 };
    let lasts =
        Source::ALL.map(|source| with!(world, source, service => service.disk.platters().seen().head().last));
    with!(world, source, service => {
        let Some(process) = &service.places[usize::from(place)].process else {
            ready.push(Transition::Start(source, place));
            return;
        };
        if process.is_frozen {
            return;
        }
        if process.has_work() {
            ready.push(Transition::Turn(source, place));
            ready.push(Transition::Turn(source, place));
        }
        ready.extend(process.may_hear(lasts).map(|heard| Transition::Listen(source, place, heard)));
        if process.may_relay(lasts[source as usize]) {
            ready.push(Transition::Relay(source, place));
        }
    });
    if source == Source::Payment {
        ready.push(Transition::Bench(place, BenchDoes::TakeUp));
        ready.extend((0..tasks.min(6)).map(|task| Transition::Bench(place, BenchDoes::Task(task as u8))));
    }
}
