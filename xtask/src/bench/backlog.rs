//! Something stands still while customers keep coming: how soon is what waited worked off?

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use cafe_system_tests::{Cafe, Service};
use rustix::process::Signal;

use super::cycle::{metric, queued};
use super::figures::Bound::AtLeast;
use super::figures::{Figures, figure};
use super::ground::Ground;
use super::load::{self, Load};

/// Customers a second: a chain's busiest minute.
const RATE: u32 = 400;
/// How long customers come.
const LENGTH: Duration = Duration::from_secs(40);
/// All is well.
const BEFORE: Duration = Duration::from_secs(3);
/// Something stands still.
const STANDSTILL: Duration = Duration::from_secs(10);
/// Orders that are always on their way.
const ON_THE_WAY: f64 = RATE as f64 / 4.0;
/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// What stands still.
#[derive(Clone, Copy)]
enum Stopped {
    Payment,
    Kafka,
}

pub(crate) fn measure(ground: &Ground, figures: &mut Figures) -> Result<()> {
    if ground.is_embedded() {
        return Ok(());
    }
    one(ground, Stopped::Payment, figures)?;
    if ground.kafka.is_some() { one(ground, Stopped::Kafka, figures) } else { Ok(()) }
}

fn one(ground: &Ground, what: Stopped, figures: &mut Figures) -> Result<()> {
    let cafe = ground.cafe(&[])?;
    let (load, drain) = thread::scope(|threads| {
        let load = threads.spawn(|| customers(&cafe));
        let drain = stop_and_go(ground, &cafe, what);
        (load.join().expect("the load's thread ends well"), drain)
    });
    let (load, drain) = (load?, drain?);
    load.demand_all_taken()?;
    let name = match what {
        Stopped::Payment => "payment frozen",
        Stopped::Kafka => "Kafka killed and started",
    };
    let name = |figure: &str| format!("{name}, {} s at {RATE}/s: {figure}", STANDSTILL.as_secs());
    figures.add(figure(name("POST p99"), load.ms(0.99), "ms"));
    figures.add(figure(name("back after"), drain.back_after.as_secs_f64(), "s"));
    figures.add(figure(name("worked off in"), drain.length.as_secs_f64(), "s"));
    let times = drain.orders / drain.length.as_secs_f64() / f64::from(RATE);
    figures.add(figure(name("drain / arrival"), times, "").must(AtLeast(2.0)));
    Ok(())
}

fn customers(cafe: &Cafe) -> Result<Load> {
    let mut request = load::Request::new();
    let request = std::cell::RefCell::new(&mut request);
    let keyed = |key| request.borrow_mut().keyed(key).to_vec();
    load::open(cafe.port(Service::Order), RATE, LENGTH, keyed)
}

/// How a backlog was worked off.
struct Drain {
    /// From when nothing stood in the way any more to the first order that was queued.
    back_after: Duration,
    /// From then until no more waited than always does.
    length: Duration,
    orders: f64,
}

fn stop_and_go(ground: &Ground, cafe: &Cafe, what: Stopped) -> Result<Drain> {
    let ends = Instant::now() + LENGTH;
    thread::sleep(BEFORE);
    let kafka = || ground.kafka.as_ref().context("there is a Kafka");
    match what {
        Stopped::Payment => drop(cafe.signal(Service::Payment, Signal::STOP)),
        Stopped::Kafka => kafka()?.kill(0),
    }
    thread::sleep(STANDSTILL);
    let waiting = queued(cafe)?;
    let free = Instant::now();
    match what {
        Stopped::Payment => drop(cafe.signal(Service::Payment, Signal::CONT)),
        Stopped::Kafka => kafka()?.restart(0)?,
    }
    let (first, _) = look_until(ends, cafe, |queued, _| queued > waiting as f64)?;
    let (last, orders) = look_until(ends, cafe, |queued, accepted| queued >= accepted - ON_THE_WAY)?;
    Ok(Drain { back_after: first - free, length: last - first, orders: orders - waiting as f64 })
}

/// Looks how many orders were queued and accepted until `is_so`; answers when it was, and how many were queued then.
fn look_until(ends: Instant, cafe: &Cafe, is_so: impl Fn(f64, f64) -> bool) -> Result<(Instant, f64)> {
    loop {
        let accepted = metric(cafe, Service::Order, "cafe_orders_accepted_total")?;
        let queued = queued(cafe)? as f64;
        if is_so(queued, accepted) {
            return Ok((Instant::now(), queued));
        }
        ensure!(Instant::now() < ends, "{} orders still wait at the end", accepted - queued);
        thread::sleep(LOOK);
    }
}
