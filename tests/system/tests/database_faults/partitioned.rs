//! The network between order and its database, each way it can fail. The others reach theirs.

use std::thread::sleep;
use std::time::{Duration, Instant};

use cafe_failures::{database, tried};
use cafe_rig::{Direction, Postgres, Proxy};
use cafe_system_tests::{Cafe, Service, Site};

use crate::{RATE, ROBOT, demand_others_untouched, under_a_rush};

const LENGTH: Duration = Duration::from_secs(5);

#[test]
#[ignore = "run by cargo xtask test"]
fn order_is_cut_off_from_its_database_in_each_way() {
    let postgres = Postgres::start().expect("PostgreSQL starts");
    let proxy = Proxy::to(([127, 0, 0, 1], postgres.port()).into()).expect("a port is free");
    let mut cafe = Cafe::closed_at(Site::of(Some(&postgres), None), &ROBOT);
    cafe.set_site(Service::Order, Site { database: Some(postgres.url_via(&proxy)), kafka: None });
    for service in Service::ALL {
        cafe.open_alone(service);
    }
    cafe.wait_until_ready();
    let ways: [(&str, &dyn Fn()); 4] = [
        ("cut", &|| proxy.cut()),
        ("stalled", &|| proxy.stall()),
        ("deaf", &|| proxy.one_way(Direction::ClientToServer)),
        ("mute", &|| proxy.one_way(Direction::ServerToClient)),
    ];
    under_a_rush(&cafe, |rush| {
        for (name, harm) in ways {
            tried(&database::PARTED);
            harm();
            let since = Instant::now();
            while since.elapsed() < LENGTH {
                demand_others_untouched(&cafe);
                sleep(Duration::from_millis(500));
            }
            let healed = Instant::now();
            proxy.heal();
            rush.wait_for_customers(RATE);
            println!("{name}: orders were taken again within {:?}", healed.elapsed());
        }
    });
}
