//! This program and the one before it, side by side on the same databases and topics.

use std::path::PathBuf;

use cafe_failures::{owner, tried};
use cafe_system_tests::{Cafe, MOMENT, ROBOT, Rung, Rush, Service, wait_until};

const RATE: u32 = 40;
/// The replica of each service that is of the program before, and the one that is of this.
const BEFORE: &str = "before";
const NOW: &str = "now";

/// As in a release that is rolled out, seen to go wrong, taken back, and rolled out again: each service has once been led by
/// either program while the others were led by the other one.
#[test]
#[ignore = "run by cargo xtask test"]
fn orders_go_through_both_programs_whichever_leads() {
    let previous: PathBuf =
        std::env::var_os("CAFE_PREVIOUS_BIN").expect("it names the program before").into();
    let mut cafe = Cafe::closed_on(Rung::Chain, &ROBOT);
    for service in Service::ALL {
        cafe.open_replica_of(&previous, service, BEFORE);
        cafe.wait_until_replica_serves(service, BEFORE);
    }
    for service in Service::ALL {
        cafe.open_replica(service, NOW);
        cafe.wait_until_replica_serves(service, NOW);
    }
    let rush = Rush::start_at(&cafe.ports_of(Service::Order), RATE, &["tok_ok"]);
    for (ends, leads) in [(BEFORE, NOW), (NOW, BEFORE)] {
        for service in Service::ALL {
            rush.wait_for_seconds(1);
            assert!(cafe.leads(service, ends), "{} is led by the replica {ends}", service.name());
            tried(&owner::OTHER_VERSION);
            assert!(cafe.stop_replica(service, ends).success(), "it ends in order");
            wait_until(MOMENT, "the other leads", || cafe.leads(service, leads).then_some(()));
            match ends {
                BEFORE => cafe.open_replica_of(&previous, service, BEFORE),
                _ => cafe.open_replica(service, NOW),
            }
            cafe.wait_until_replica_serves(service, ends);
        }
    }
    rush.wait_for_seconds(1);
    let rushed = rush.stop();
    println!("{} orders through both programs", rushed.posts.len());
    rushed.demand_all_served(&cafe);
}
