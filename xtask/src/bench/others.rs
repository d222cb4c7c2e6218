//! What the others notice while one is killed or frozen.

use std::time::Duration;

use anyhow::{Context, Result};
use cafe_system_tests::{Cafe, Service, http, wire};

use super::figures::{Figures, figure};
use super::ground::Ground;
use super::{Windows, load};

/// Requests a second to each service.
const RATE: u32 = 100;
/// How long one is frozen at a time.
const FREEZE: Duration = Duration::from_secs(2);

#[derive(Clone, Copy, Debug)]
enum Harm {
    None,
    Kill,
    Freeze,
}

pub(crate) fn measure(ground: &Ground, windows: &Windows, figures: &mut Figures) -> Result<()> {
    let cafe = ground.cafe(&["--robot", "--robot-speed", "1000"])?;
    let order_id = place(&cafe)?;
    window(&cafe, &order_id, windows.length, Service::Order, Harm::None, figures)?;
    for victim in Service::ALL {
        for harm in [Harm::Kill, Harm::Freeze] {
            window(&cafe, &order_id, windows.length, victim, harm, figures)?;
        }
    }
    Ok(())
}

/// The same requests to all three, again and again; the victim's own are not counted.
fn window(
    cafe: &Cafe,
    order_id: &str,
    length: Duration,
    victim: Service,
    harm: Harm,
    figures: &mut Figures,
) -> Result<()> {
    let counted = |service: &Service| matches!(harm, Harm::None) || *service != victim;
    std::thread::scope(|threads| {
        let loads: Vec<_> = Service::ALL
            .into_iter()
            .filter(counted)
            .map(|service| (service, threads.spawn(move || ask(cafe, service, order_id, length))))
            .collect();
        match harm {
            Harm::None => {}
            Harm::Kill => drop(cafe.kill(victim)),
            Harm::Freeze => drop(cafe.freeze(victim, FREEZE.min(length / 2))),
        }
        for (service, load) in loads {
            let load = load.join().expect("the load's thread ends well")?;
            let when = match harm {
                Harm::None => "undisturbed".to_owned(),
                Harm::Kill => format!("{} killed", victim.name()),
                Harm::Freeze => format!("{} frozen", victim.name()),
            };
            figures.add(figure(format!("{when}: p99 of {}", service.name()), load.ms(0.99), "ms"));
            if load.failed > 0 {
                figures.add(figure(
                    format!("{when}: {} failed", service.name()),
                    load.failed as f64,
                    "requests",
                ));
            }
        }
        Ok(())
    })
}

fn ask(cafe: &Cafe, service: Service, order_id: &str, length: Duration) -> Result<load::Load> {
    let key = format!("Bearer {}", cafe.staff_key());
    let port = cafe.port(service);
    let read = |path: String| wire::get(&path, &[("authorization", &key)]);
    match service {
        Service::Order => load::open(port, RATE, length, |key| load::Request::new().keyed(key).to_vec()),
        Service::Payment => load::open(port, RATE, length, |_| read(format!("/payments/{order_id}"))),
        Service::Barista => load::open(port, RATE, length, |_| read(format!("/tickets/{order_id}"))),
    }
}

/// An order that is at its end, to be looked up.
fn place(cafe: &Cafe) -> Result<String> {
    let answer = http::post(cafe.port(Service::Order), "/orders", None, load::ORDER)?.json();
    cafe.settle(Duration::from_secs(20));
    Ok(answer["id"].as_str().context("an order without an id")?.to_owned())
}
