//! Hearing everything again from the start: nothing changes, and no vendor is asked for anything.

use cafe_events::Source;

use crate::judge::Broken;
use crate::settle::come_to_rest;
use crate::shelf::Shelved;
use crate::table::Transactional;
use crate::transition::{Fault, Transition};
use crate::twin;
use crate::world::{World, with};

/// Every service forgets up to where it has heard the others, and starts anew.
pub fn hear_again(world: &mut World) -> Vec<Broken> {
    let before = state(world);
    for source in Source::ALL {
        for place in 0..world.config.replicas as u8 {
            world.happens(&Transition::Fault(Fault::Kill(source, place)));
        }
        with!(world, source, service => {
            forget_positions(&mut service.disk.platters().now);
            twin::forget_positions(&service.disk);
        });
    }
    let rests = come_to_rest(world);
    let found = match (rests, before == state(world)) {
        (true, true) => return Vec::new(),
        (false, _) => "it does not come to an end",
        (true, false) => "something is not as it was",
    };
    vec![Broken {
        number: 11,
        promise: "hearing everything again changes nothing".to_owned(),
        found: found.to_owned(),
    }]
}

/// What must be as it was: each service's last position, what it knows of each order, and what the vendor was asked to do. When a
/// closed attempt is looked up next is not part of it.
fn state(world: &mut World) -> impl PartialEq + use<> {
    let lasts =
        Source::ALL.map(|source| with!(world, source, service => service.disk.platters().now.head().last));
    let orders: Vec<_> = world
        .order
        .disk
        .platters()
        .now
        .shelf
        .orders
        .iter()
        .map(|(id, it)| cafe_order::fact(*id, it))
        .collect();
    let payments: Vec<_> = world
        .payment
        .disk
        .platters()
        .now
        .shelf
        .payments
        .iter()
        .map(|(id, it)| cafe_payment::fact(*id, it))
        .collect();
    let tickets: Vec<_> = world
        .barista
        .disk
        .platters()
        .now
        .shelf
        .tickets
        .iter()
        .map(|(id, it)| cafe_barista::fact(*id, it))
        .collect();
    (lasts, orders, payments, tickets, world.vendor.charges.len(), world.vendor.refunds.len())
}

fn forget_positions<D: Shelved>(contents: &mut crate::disk::Contents<D>) {
    let known: Vec<_> = contents.positions.iter().map(|(key, _)| *key).collect();
    for key in known {
        contents.positions.remove(&key);
    }
    contents.keep();
}
