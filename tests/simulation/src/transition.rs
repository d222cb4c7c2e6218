//! What may happen next.

use std::fmt;

use cafe_events::Source;
use cafe_payment::payment::agenda::Lane;

use crate::broker::Takes;
use crate::carrier::Served;
use crate::memory::Strike;
use crate::vendor::Mood;

/// The place of a process among its service's.
pub type PlaceNumber = u8;

/// One thing that happens. What it names may not be there any more; then nothing happens.
#[derive(Clone, Debug)]
pub enum Transition {
    /// A new customer orders.
    Order {
        /// What, of a few carts.
        cart: u8,
        /// With an Idempotency-Key.
        keyed: bool,
        /// With the vendor's proof of payment.
        proof: bool,
        /// At which process.
        place: PlaceNumber,
    },
    /// A customer sends the order once more.
    SendAgain {
        /// Who.
        customer: u8,
        /// With another body under the same key.
        changed: bool,
        /// At which process.
        place: PlaceNumber,
    },
    /// A customer's device sends the order a hundred times at once: more than may wait.
    Flood {
        /// Who.
        customer: u8,
        /// At which process.
        place: PlaceNumber,
    },
    /// Somebody wants an order undone.
    Cancel {
        /// Whose order.
        customer: u8,
        /// Staff, and not the customer.
        by_staff: bool,
        /// At which process.
        place: PlaceNumber,
    },
    /// Staff do something about a ticket.
    Staff {
        /// Whose.
        customer: u8,
        /// What.
        does: StaffDoes,
        /// At which process.
        place: PlaceNumber,
    },
    /// Staff give money back.
    GiveBack {
        /// To whom.
        customer: u8,
        /// In minor units; nothing for all of it.
        amount: Option<u16>,
        /// At which process.
        place: PlaceNumber,
    },
    /// A writer decides and commits what waits for it.
    Turn(Source, PlaceNumber),
    /// A listener reads what a source said.
    Listen(Source, PlaceNumber, Source),
    /// A relay writes what comes next to its service's topic.
    Relay(Source, PlaceNumber),
    /// A process looks after its lease.
    Beat(Source, PlaceNumber),
    /// A process starts where there is none.
    Start(Source, PlaceNumber),
    /// The payment worker does something.
    Bench(PlaceNumber, BenchDoes),
    /// A robot looks at the queue and does what is due.
    Robot(PlaceNumber),
    /// What a service said long ago, so that everybody has heard it, is dropped.
    Prune(Source, PlaceNumber),
    /// Something is done about a call to the vendor.
    Vendor(u8, Mood),
    /// The vendor tells of an attempt once more, unasked.
    VendorTells(PlaceNumber),
    /// What a service does now and then.
    Chore(Source, PlaceNumber),
    /// So many milliseconds pass.
    Pass(u32),
    /// Something goes wrong.
    Fault(Fault),
}

/// What staff do about a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StaffDoes {
    /// Making starts.
    Start,
    /// A line is made.
    LineReady(u8),
    /// All is made.
    Ready,
    /// It is handed over.
    PickUp,
    /// What is made is made again.
    Recall,
    /// A line cannot be made.
    RejectLine(u8),
    /// Nothing of it can be made.
    Reject,
}

/// What the payment worker does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BenchDoes {
    /// Takes up what turns have opened.
    TakeUp,
    /// Opens attempts that are due.
    Begin,
    /// Has orders expire.
    Expire,
    /// Takes up what is due in a lane.
    Lane(Lane),
    /// Looks at the clocks.
    Clocks,
    /// One step of one thing.
    Task(u8),
}

/// Something that goes wrong.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// After so many more steps of a process something strikes it.
    Strike(Source, PlaceNumber, u8, Strike),
    /// A process dies between two of its steps.
    Kill(Source, PlaceNumber),
    /// A service's machine loses its power; all machines, where it is one.
    Power(Source),
    /// A process does nothing from now on.
    Freeze(Source, PlaceNumber),
    /// It goes on.
    Wake(Source, PlaceNumber),
    /// A service's wall clock steps by so many seconds.
    Clock(Source, i32),
    /// How a listener (first) is served what a source (second) says.
    Serve(Source, Source, Served),
    /// A copy of a database is kept.
    BackUp(Source),
    /// It is put back.
    Restore(Source),
    /// A service can take in nothing about a customer's order.
    Poison(Source, u8),
    /// It can again, and what was set aside is taken in again.
    Cure(Source),
    /// A person deletes the topic that somebody stops at, because its service was restored while something was missing there.
    DeleteTorn(Source),
    /// How brokers take what is written to a topic.
    Take(Source, Takes),
    /// What was under way to a topic when its sender gave up arrives.
    ArriveLate(Source),
    /// A topic loses the last messages of a partition; connections are lost with them, or are not.
    LoseTail(Source, u8, u8, bool),
    /// A topic is deleted, and made again; connections are lost with it, or are not.
    MakeAnew(Source, bool),
    /// A topic drops old messages of a partition, which everybody has heard.
    Age(Source, u8),
    /// A program of somebody else's writes to a partition of a topic.
    SomebodyElse(Source, u8),
}

impl fmt::Display for Transition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pass(ms) => write!(f, "{ms} ms pass"),
            Self::Turn(source, place) => write!(f, "{source} {place} decides what waits"),
            Self::Listen(own, place, source) => write!(f, "{own} {place} reads what {source} said"),
            Self::Relay(source, place) => write!(f, "{source} {place} writes to its topic"),
            Self::Beat(source, place) => write!(f, "{source} {place} looks after its lease"),
            Self::Start(source, place) => write!(f, "{source} {place} starts"),
            Self::Bench(place, does) => write!(f, "payment {place}'s worker: {does:?}"),
            Self::Vendor(call, mood) => write!(f, "the vendor, call {call}: {mood:?}"),
            Self::Fault(fault) => write!(f, "! {fault:?}"),
            other => write!(f, "{other:?}"),
        }
    }
}
