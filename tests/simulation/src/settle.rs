//! After the faults: everything is started and healed, everybody does what is theirs, and time passes until nothing is left to do.

use std::time::Duration;

use cafe_barista::Status;
use cafe_delivery::parts::BEAT;
use cafe_events::Source;
use cafe_payment::domain::Cashier;
use cafe_payment::payment::agenda::Lane;

use crate::broker::Takes;
use crate::service::Place;

use crate::transition::{BenchDoes, Fault, StaffDoes, Transition};
use crate::vendor::Mood;
use crate::world::{World, with};

/// Rounds without waiting, and waits, after which an order that has not ended never will: closed attempts are looked up each
/// second, for a day.
const ROUNDS: usize = 20_000;
const WAITS: usize = 100_000;
/// How long a round without a lease lasts.
const LEASE_ROUND: Duration = BEAT;
/// How long the vendor is waited for.
const VENDOR_ROUND: Duration = Duration::from_millis(10_001);

/// Heals everything, and lets it come to an end; false if it does not.
pub fn settle(world: &mut World) -> bool {
    world.trace.tell(world.steady, "", &"faults end");
    heal(world);
    come_to_rest(world)
}

/// Everybody does what is theirs until nothing is left to do; false if that does not come.
pub fn come_to_rest(world: &mut World) -> bool {
    let (mut is_asked_again, mut waits, mut rounds) = (false, 0, 0);
    while rounds < ROUNDS {
        rounds += 1;
        if work(world) {
            continue;
        }
        if !std::mem::replace(&mut is_asked_again, true) {
            ask_again(world);
            continue;
        }
        if !world.config.has_robot && make(world) {
            continue;
        }
        if Source::ALL.into_iter().any(|source| world.happens(&Transition::Fault(Fault::DeleteTorn(source))))
        {
            continue;
        }
        match next_moment(world) {
            Some(_) if waits == WAITS => return false,
            Some(wait) => {
                (waits, rounds) = (waits + 1, 0);
                world.happens(&Transition::Pass(wait.as_millis() as u32));
            }
            // Whoever waited for one of them is told nothing, and asks again.
            None if wake_sleepers(world) => is_asked_again = false,
            None => return true,
        }
    }
    false
}

/// Those who slept while another took over wake last, and act before they look; true if there was one.
fn wake_sleepers(world: &mut World) -> bool {
    let mut any = false;
    for source in Source::ALL {
        for place in 0..world.config.replicas as u8 {
            if !world.happens(&Transition::Fault(Fault::Wake(source, place))) {
                continue;
            }
            any = true;
            let tasks = world.payment.places[usize::from(place)].tasks();
            for task in (0..tasks).rev().filter(|_| source == Source::Payment) {
                world.happens(&Transition::Bench(place, BenchDoes::Task(task as u8)));
            }
            world.happens(&Transition::Turn(source, place));
        }
    }
    any
}

fn heal(world: &mut World) {
    for source in Source::ALL {
        for place in 0..world.config.replicas as u8 {
            with!(world, source, service => {
                let has_others = service.living().any(|process| !process.is_frozen);
                if let Some(process) = &mut service.places[usize::from(place)].process {
                    process.fate.spare();
                    process.is_frozen &= has_others;
                }
            });
        }
        for heard in source.hears() {
            with!(world, source, service => service.served[*heard as usize].set(crate::carrier::Served::default()));
        }
        world.happens(&Transition::Fault(Fault::Take(source, Takes::All)));
        world.happens(&Transition::Fault(Fault::ArriveLate(source)));
        world.happens(&Transition::Fault(Fault::Cure(source)));
    }
}

/// Everything that can be done without waiting; true if there was something.
fn work(world: &mut World) -> bool {
    let mut worked = false;
    let places = 0..world.config.replicas as u8;
    for source in Source::ALL {
        for place in places.clone() {
            worked |= world.happens(&Transition::Start(source, place));
            if world.config.replicas > 1 {
                world.happens(&Transition::Beat(source, place));
            }
            for heard in source.hears() {
                worked |= world.happens(&Transition::Listen(source, place, *heard));
            }
            worked |= world.happens(&Transition::Turn(source, place));
            worked |= world.happens(&Transition::Relay(source, place));
        }
    }
    for place in places.clone() {
        worked |= world.happens(&Transition::Robot(place));
    }
    for place in places {
        worked |= world.happens(&Transition::Bench(place, BenchDoes::TakeUp));
        world.happens(&Transition::Bench(place, BenchDoes::Clocks));
        worked |= world.happens(&Transition::Bench(place, BenchDoes::Begin));
        worked |= world.happens(&Transition::Bench(place, BenchDoes::Expire));
        for lane in &Lane::ALL[1..] {
            worked |= world.happens(&Transition::Bench(place, BenchDoes::Lane(*lane)));
        }
        let tasks = world.payment.places[usize::from(place)].tasks();
        for task in (0..tasks).rev() {
            worked |= world.happens(&Transition::Bench(place, BenchDoes::Task(task as u8)));
        }
    }
    while world.happens(&Transition::Vendor(0, Mood::Answers)) {
        worked = true;
    }
    worked
}

/// Customers who do not know whether their order was taken ask again, those who can; and what was set aside is looked at.
fn ask_again(world: &mut World) {
    for place in 0..world.config.replicas as u8 {
        world.happens(&Transition::Chore(Source::Order, place));
    }
    for customer in 0..world.customers.len() {
        if world.customers[customer].is_in_doubt {
            let place = world.order.awake_place();
            world.happens(&Transition::SendAgain { customer: customer as u8, changed: false, place });
        }
    }
    for source in Source::ALL {
        world.happens(&Transition::Fault(Fault::Cure(source)));
    }
}

/// Staff make what is queued, and customers come for it.
fn make(world: &mut World) -> bool {
    let open: Vec<(u8, StaffDoes)> = {
        let platters = world.barista.disk.platters();
        let of = |(number, customer): (usize, &crate::people::Customer)| {
            let ticket = platters.now.shelf.tickets.get(&customer.told.as_ref()?.order_id)?;
            let does = match ticket.status {
                Status::Queued | Status::Making => StaffDoes::Ready,
                Status::Ready => StaffDoes::PickUp,
                _ => return None,
            };
            Some((number as u8, does))
        };
        world.customers.iter().enumerate().filter_map(of).collect()
    };
    let place = world.barista.awake_place();
    let mut made = false;
    for (customer, does) in &open {
        made |= world.happens(&Transition::Staff { customer: *customer, does: *does, place });
    }
    made
}

/// How long until the robot has something to do.
fn robot_next(world: &World) -> Option<Duration> {
    let works = |process: &crate::process::Process<_>| process.leads() && !process.is_frozen;
    let robots = world.barista.places.iter().filter(|place| place.process.as_ref().is_some_and(works));
    let next = robots.filter_map(|place| place.besides.as_ref()?.next_at()).min()?;
    world.config.has_robot.then(|| next.saturating_sub(world.steady).max(Duration::from_millis(1)))
}

/// Whether a relay or a listener could not use a topic, and tries again.
fn is_cut_off(world: &mut World, source: Source) -> bool {
    let Some(brokers) = &world.brokers else { return false };
    if !brokers.is_mended(source) {
        return true;
    }
    with!(world, source, service => {
        let last = service.disk.platters().seen().head().last;
        service.living().filter(|process| !process.is_frozen).any(|process| {
            process.may_relay(last) || process.may_hear([0; 3]).next().is_some()
        })
    })
}

/// How long nothing happens; nothing if nothing ever will.
fn next_moment(world: &mut World) -> Option<Duration> {
    let is_led = world.order.is_led() && world.payment.is_led() && world.barista.is_led();
    if !is_led || Source::ALL.into_iter().any(|source| is_cut_off(world, source)) {
        return Some(LEASE_ROUND);
    }
    if let Some(due) = robot_next(world) {
        return Some(due);
    }
    let now_ms = world.payment.clock.now().as_millisecond();
    let platters = world.payment.disk.platters();
    let due = platters.now.shelf.payments.iter().flat_map(|(_, payment)| {
        // Closed attempts are looked up for a day; that is not waited for.
        let task = payment.next_task().filter(|(_, lane, _)| *lane != Lane::Follow || payment.is_open());
        let task = task.map(|(at, ..)| at);
        let expires = payment.expires_at().map(|at| cafe_clock::after(at, Duration::from_millis(1)));
        [task, expires].into_iter().flatten()
    });
    let works = |place: &Place<Cashier>| {
        let is_awake = place.process.as_ref().is_some_and(|process| !process.is_frozen);
        is_awake && place.tasks() > 0
    };
    let is_busy = world.payment.places.iter().any(works);
    // What is due already waits for somebody who is busy with it.
    let first = due.map(|at| at.as_millisecond() - now_ms).filter(|wait_ms| *wait_ms > 0 || !is_busy).min();
    // What is on its way to the vendor still arrives.
    let arrives = world.vendor.arrives_last().checked_sub(world.steady).filter(|wait| !wait.is_zero());
    let wait_ms = match (first, is_busy) {
        (None, false) if arrives.is_some() => arrives.unwrap_or_default().as_millis() as i64,
        (Some(first), true) => first.min(VENDOR_ROUND.as_millis() as i64),
        (Some(first), false) => first.max(1),
        (None, true) => VENDOR_ROUND.as_millis() as i64,
        (None, false) => return None,
    };
    Some(Duration::from_millis(wait_ms as u64))
}
