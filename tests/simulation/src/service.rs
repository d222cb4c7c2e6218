//! A service: its disk, and the processes that use it.

use std::sync::Arc;

use cafe_barista::Barista;
use cafe_clock::{Clock, from_ms};
use cafe_delivery::parts::Carrier;
use cafe_events::Source;
use cafe_order::{Backlog, Change, Orders};
use cafe_payment::domain::Cashier;
use jiff::tz::TimeZone;

use crate::bench::Bench;
use crate::broker::{Brokers, TopicEar};
use crate::bugs::Bug;
use crate::carrier::{Ear, Mischief};
use crate::disk::{Contents, Disk};
use crate::older::OlderEar;
use crate::people::PAY_WITHIN;
use crate::planted::{Allergy, Plantable, Planted};
use crate::process::{Opening, Process};
use crate::robot::Robot;
use crate::table::Transactional;
use crate::twin::rows::Twinned;

/// A service as it is simulated.
pub struct Service<D: Simulated> {
    /// Its database.
    pub disk: Disk<Planted<D>>,
    /// Its processes: one where the database is a file, more where it is on a server. A place may be empty.
    pub places: Vec<Place<D>>,
    /// Its machine's clock.
    pub clock: Clock,
    /// An older copy of its database.
    pub copy: Option<Box<Contents<Planted<D>>>>,
    /// How it is served what each source says.
    pub served: [Mischief; 3],
    /// What it can take in nothing about.
    pub allergy: Allergy,
    is_shared: bool,
    /// Once: what two copies have forgotten one after the other, numbers above all, nobody may know any more.
    is_restored: bool,
    bug: Option<Bug>,
    seed: u64,
    started: u32,
}

/// Where a process can run.
pub struct Place<D: Simulated> {
    /// The process, while it lives.
    pub process: Option<Process<Planted<D>>>,
    /// What it does outside of its turns.
    pub besides: Option<D::Besides>,
}

/// What takes the effects of a process's turns.
pub type OnCommit<D> = Box<dyn Fn(<D as cafe_delivery::Domain>::Effect) + Send>;

/// The disks that listeners read.
pub struct Disks {
    order: Disk<Planted<Orders>>,
    payment: Disk<Planted<Cashier>>,
    barista: Disk<Planted<Barista>>,
    /// Where events go by brokers, listeners read these instead.
    brokers: Option<Brokers>,
    /// The service whose program is older than the others'.
    older: Option<Source>,
}

/// A service that can be simulated.
pub trait Simulated: Plantable + Twinned {
    /// What a process of it does outside of its turns.
    type Besides;

    /// The decisions of a new process, what takes their effects, and what it does besides.
    fn begin(
        restored_at_ms: Option<i64>,
        clock: &Clock,
        seed: u64,
        bug: Option<Bug>,
    ) -> (Self, OnCommit<Self>, Self::Besides)
    where
        Self: Sized;

    /// The process leads from now on.
    fn begins_to_lead(_besides: &mut Self::Besides, _clock: &Clock) {}
}

/// What a process of the order service does besides.
pub struct Till {
    /// How long orders wait for payment, as far as this process knows.
    pub backlog: Arc<Backlog>,
}

impl Simulated for Orders {
    type Besides = Till;

    fn begin(_: Option<i64>, _: &Clock, _: u64, _: Option<Bug>) -> (Self, OnCommit<Self>, Till) {
        let backlog = Arc::new(Backlog::new(PAY_WITHIN));
        let till = Till { backlog: Arc::clone(&backlog) };
        let on_commit = move |change: Change| change.reached().into_iter().for_each(|at| backlog.reached(at));
        (Self { zone: TimeZone::UTC }, Box::new(on_commit), till)
    }
}

impl Simulated for Cashier {
    type Besides = Bench;

    fn begin(
        restored_at_ms: Option<i64>,
        clock: &Clock,
        seed: u64,
        bug: Option<Bug>,
    ) -> (Self, OnCommit<Self>, Bench) {
        let (bench, gate, on_commit) = Bench::new(clock, seed, bug);
        (Self { gate, restored_at: restored_at_ms.map(from_ms) }, on_commit, bench)
    }

    fn begins_to_lead(bench: &mut Bench, clock: &Clock) {
        bench.begins_to_lead(clock);
    }
}

impl Simulated for Barista {
    type Besides = Robot;

    fn begin(_: Option<i64>, _: &Clock, _: u64, _: Option<Bug>) -> (Self, OnCommit<Self>, Robot) {
        (Self, Box::new(drop), Robot::default())
    }
}

impl<D: Simulated> Service<D> {
    /// A service with an empty database, and no process yet.
    pub fn new(start: jiff::Timestamp, replicas: usize, bug: Option<Bug>, seed: u64) -> Self {
        let places = (0..replicas).map(|_| Place { process: None, besides: None }).collect();
        Self {
            disk: Disk::new(&format!("{}-1", D::SOURCE)),
            places,
            clock: Clock::simulated(start),
            copy: None,
            served: Default::default(),
            allergy: Allergy::default(),
            is_shared: replicas > 1,
            is_restored: false,
            bug,
            seed,
            started: 0,
        }
    }

    /// Starts a process where there is none; false if there is one, or it died while it was starting.
    pub fn start(&mut self, place: usize, disks: &Disks) -> bool {
        if self.places[place].process.is_some() {
            return false;
        }
        self.started += 1;
        let restored_at_ms = self.disk.platters().now.head().restored_at_ms;
        let seed = self.seed ^ (u64::from(self.started) << 8) ^ D::SOURCE as u64;
        let (domain, on_commit, besides) = D::begin(restored_at_ms, &self.clock, seed, self.bug);
        let opening = Opening {
            domain: Planted::new(domain, self.bug, &self.allergy),
            name: format!("{}-{}", D::SOURCE, self.started),
            disk: &self.disk,
            is_shared: self.is_shared,
            clock: &self.clock,
            brokers: disks.brokers.as_ref(),
            on_commit,
            bug: self.bug,
        };
        let ears = disks.ears(D::SOURCE, &self.served, self.bug);
        match Process::start(opening, &ears) {
            Ok(process) => {
                self.places[place] = Place { process: Some(process), besides: Some(besides) };
                true
            }
            Err(_) => false,
        }
    }

    /// Has a process look after its lease.
    pub fn beat(&mut self, place: usize, now: std::time::Instant, disks: &Disks) -> Result<bool, String> {
        let ears = disks.ears(D::SOURCE, &self.served, self.bug);
        let Place { process, besides } = &mut self.places[place];
        match process {
            Some(process) if self.is_shared => {
                let took = process.beat(now, &ears)?;
                if took && let Some(besides) = besides {
                    D::begins_to_lead(besides, &self.clock);
                }
                Ok(took)
            }
            _ => Ok(false),
        }
    }

    /// A process dies, at once and without a word.
    pub fn kill(&mut self, place: usize) -> bool {
        let killed = self.places[place].process.take();
        self.places[place].besides = None;
        if let Some(process) = &killed {
            process.fate.die();
            let mut platters = self.disk.platters();
            platters.now.undo();
        }
        killed.is_some()
    }

    /// The machine of its database loses its power.
    pub fn lose_power(&mut self) {
        for place in 0..self.places.len() {
            self.kill(place);
        }
        self.disk.platters().lose_power();
    }

    /// Keeps a copy of the database.
    pub fn back_up(&mut self) {
        let mut platters = self.disk.platters();
        // Whoever opens another's file syncs what it finds, `cafe backup` as well.
        platters.sync();
        if let Some(file) = &platters.file {
            file.back_up();
        }
        self.copy = Some(Box::new(platters.now.clone()));
    }

    /// Puts the copy in the place of the database, as `cafe restore` does it; no process runs meanwhile.
    pub fn restore(&mut self) -> bool {
        if self.is_restored {
            return false;
        }
        let Some(copy) = self.copy.take() else { return false };
        self.is_restored = true;
        for place in 0..self.places.len() {
            self.kill(place);
        }
        let now_ms = self.clock.now().as_millisecond();
        let mut platters = self.disk.platters();
        platters.sync();
        self.started += 1;
        let log_id = format!("{}-{}", D::SOURCE, self.started + 1);
        if let Some(file) = &platters.file {
            file.restore(&log_id, now_ms);
        }
        platters.now = *copy;
        platters.now.change(|single| {
            single.head.log_id = log_id;
            single.head.restored_at_ms = Some(now_ms);
        });
        platters.now.keep();
        true
    }

    /// Whether any process lives, is awake, and leads.
    pub fn is_led(&self) -> bool {
        self.living().any(|process| process.leads() && !process.is_frozen)
    }

    /// The process at a place, unless it is dead or frozen: whoever asks it waits in vain.
    pub fn awake(&self, place: u8) -> Option<&Process<Planted<D>>> {
        self.places[usize::from(place)].process.as_ref().filter(|process| !process.is_frozen)
    }

    /// A place with a process that is awake; the first, if there is none.
    pub fn awake_place(&self) -> u8 {
        (0..self.places.len() as u8).find(|place| self.awake(*place).is_some()).unwrap_or(0)
    }

    /// The processes that live.
    pub fn living(&self) -> impl Iterator<Item = &Process<Planted<D>>> {
        self.places.iter().filter_map(|place| place.process.as_ref())
    }
}

impl Place<Cashier> {
    /// How many things it is doing outside of its turns.
    pub fn tasks(&self) -> usize {
        self.besides.as_ref().map_or(0, Bench::tasks)
    }
}

impl Disks {
    /// All three.
    pub fn new(
        order: &Disk<Planted<Orders>>,
        payment: &Disk<Planted<Cashier>>,
        barista: &Disk<Planted<Barista>>,
        brokers: Option<&Brokers>,
        older: Option<Source>,
    ) -> Self {
        let (order, payment, barista) = (order.clone(), payment.clone(), barista.clone());
        Self { order, payment, barista, brokers: brokers.cloned(), older }
    }

    /// The ears of `own`.
    fn ears<'a>(
        &'a self,
        own: Source,
        served: &'a [Mischief; 3],
        bug: Option<Bug>,
    ) -> impl Fn(Source) -> Box<dyn Carrier> + use<'a> {
        move |source| {
            let served = &served[source as usize];
            let ear: Box<dyn Carrier> = match (&self.brokers, source) {
                (Some(brokers), _) => Box::new(TopicEar::new(brokers, source, served)),
                (None, Source::Order) => Box::new(Ear::new(&self.order, served, bug)),
                (None, Source::Payment) => Box::new(Ear::new(&self.payment, served, bug)),
                (None, Source::Barista) => Box::new(Ear::new(&self.barista, served, bug)),
            };
            if self.older == Some(own) { Box::new(OlderEar::new(own, ear, bug)) } else { ear }
        }
    }
}
