//! What kind of a day a seed is: calm or wild, on one machine or with replicas, and how often each fault strikes.

use cafe_events::Source;

use crate::bugs::Bug;
use crate::draw::Draw;

/// One seed in so many is run on `SQLite` too: this one of them, so that some of those hear everything again at their end.
const ON_SQLITE: (u64, u64) = (1_000, 8);

/// What kind of a day it is.
#[derive(Clone, Debug)]
pub struct Config {
    /// Everything else is drawn from it.
    pub seed: u64,
    /// Processes of each service: one where each database is a file, more where it is on a server.
    pub replicas: usize,
    /// Services hear each other over brokers, and not straight from each other's databases.
    pub is_on_kafka: bool,
    /// How many customers come.
    pub customers: usize,
    /// How many things happen before faults end.
    pub length: usize,
    /// In how many of a thousand steps a person does something.
    pub people: u16,
    /// In how many of a thousand steps time passes although there is something to do.
    pub time: u16,
    /// In how many of a thousand steps something goes wrong.
    pub faults: u16,
    /// In how many of a thousand calls the vendor does not simply answer.
    pub moods: u16,
    /// How often each kind of fault is chosen, against the others.
    pub weights: Weights,
    /// The service whose program is older than the others', if one is.
    pub older: Option<Source>,
    /// A robot makes what is queued.
    pub has_robot: bool,
    /// The service that is put back from older copies, if one is: what two have forgotten nobody may know any more.
    pub restored: Option<Source>,
    /// Beside each disk there is a file of `SQLite`, which must have what the disk has.
    pub on_sqlite: bool,
    /// A planted bug.
    pub bug: Option<Bug>,
}

/// How often each kind of fault is chosen, against the others.
#[derive(Clone, Debug)]
pub struct Weights {
    /// A strike in the middle of a turn.
    pub strike: u16,
    /// A process dies between two steps.
    pub kill: u16,
    /// A machine loses its power.
    pub power: u16,
    /// A process is frozen, or wakes.
    pub freeze: u16,
    /// A wall clock steps.
    pub clock: u16,
    /// Delivery is late, repeated, or in another order.
    pub delivery: u16,
    /// A copy is kept, or put back.
    pub copies: u16,
    /// A rule has a bug for one order.
    pub poison: u16,
    /// Brokers do not acknowledge, lose what they had, or are written to by others.
    pub brokers: u16,
}

impl Config {
    /// The day of a seed.
    pub fn of(seed: u64, bug: Option<Bug>) -> Self {
        let mut draw = Draw::new(seed ^ 0x5eed);
        let is_calm = draw.once_in(8);
        let is_wild = !is_calm && draw.once_in(4);
        let on = |draw: &mut Draw, most: i64| if draw.once_in(3) { 0 } else { draw.within(1, most) as u16 };
        // A restore is judged by when orders were placed, so on such a day the clocks do not step.
        let restored = if draw.once_in(12) { draw.one(&Source::ALL) } else { None };
        let mut weights = Weights {
            strike: on(&mut draw, 30),
            kill: on(&mut draw, 10),
            power: on(&mut draw, 5),
            freeze: on(&mut draw, 10),
            clock: if restored.is_some() { 0 } else { on(&mut draw, 6) },
            delivery: on(&mut draw, 20),
            copies: if restored.is_some() { 12 } else { 0 },
            poison: if draw.once_in(6) { 4 } else { 0 },
            brokers: 0,
        };
        let faults = match () {
            () if is_calm => 0,
            () if is_wild => draw.within(60, 250),
            () => draw.within(5, 60),
        };
        let replicas = if draw.once_in(3) { 2 } else { 1 };
        let is_on_kafka = draw.once_in(4);
        let older = if draw.once_in(4) { draw.one(&Source::ALL) } else { None };
        let has_robot = draw.once_in(5);
        weights.brokers = if is_on_kafka { on(&mut draw, 30) } else { 0 };
        Self {
            seed,
            replicas,
            is_on_kafka,
            customers: draw.within(1, 7) as usize,
            length: draw.within(60, 320) as usize * replicas,
            people: draw.within(60, 250) as u16,
            time: draw.within(10, 120) as u16,
            faults: faults as u16,
            moods: if is_calm { 0 } else { draw.within(0, 500) as u16 },
            weights,
            older,
            has_robot,
            restored,
            on_sqlite: bug.map_or_else(|| is_on_sqlite(seed), Bug::is_in_sql),
            bug,
        }
    }
}

/// Whether a seed without a planted bug is run on `SQLite` too.
pub fn is_on_sqlite(seed: u64) -> bool {
    let (of, which) = ON_SQLITE;
    seed % of == which
}
