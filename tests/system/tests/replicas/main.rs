//! Several processes of a service: one leads, all answer, and no two ever give the same answer twice.

mod customers;
mod keys;
mod leader;
mod news;
mod numbers;
mod rolling;

use cafe_system_tests::{Cafe, ROBOT, Rung, Service};

/// Replicas of order.
const NAMES: [&str; 3] = ["a", "b", "c"];

/// Three replicas of order and one of each neighbour, ready.
fn three_of_order(rung: Rung) -> Cafe {
    let cafe = Cafe::closed_on(rung, &ROBOT);
    opened(cafe, [&NAMES, &["a"], &["a"]])
}

/// These replicas of order, payment and barista, ready.
fn opened(mut cafe: Cafe, names: [&[&str]; 3]) -> Cafe {
    let replicas = || Service::ALL.into_iter().zip(names);
    for (service, names) in replicas() {
        for name in names {
            cafe.open_replica(service, name);
        }
    }
    for (service, names) in replicas() {
        for name in names {
            cafe.wait_until_replica_serves(service, name);
        }
    }
    cafe
}
