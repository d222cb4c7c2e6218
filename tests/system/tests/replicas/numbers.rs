//! Numbers that are called out: none twice within a day, whoever gives them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use cafe_clock::Clock;
use cafe_failures::{clock, tried};
use cafe_system_tests::{Cafe, Rung, Service, wait_until};
use jiff::tz::TimeZone;

use crate::customers::{Told, all_at_once, crowd, place};
use crate::{NAMES, ROBOT, opened};

const CONNECTIONS: usize = 64;
/// From now to the midnight of the cafe's zone: it has to be open by then.
const TO_MIDNIGHT: Duration = Duration::from_secs(20);
/// Before and after midnight in which orders come.
const AROUND: Duration = Duration::from_secs(2);
/// The one that a cafe is in unless told otherwise.
const ZONE: &str = "Asia/Seoul";
const SETTLED: Duration = Duration::from_mins(2);

#[test]
#[ignore = "run by cargo xtask test"]
fn numbers_of_three_replicas_never_collide_across_midnight_and_beyond_9999() {
    let mut cafe = Cafe::closed_on(Rung::Postgres, &ROBOT);
    let zones = cafe.data().with_file_name("zones");
    let midnight = Instant::now() + TO_MIDNIGHT;
    write_zone_with_midnight_in(TO_MIDNIGHT, &zones);
    cafe.set("TZDIR", zones);
    let cafe = opened(cafe, [&NAMES, &["a"], &["a"]]);
    let ports = cafe.ports_of(Service::Order);

    wait_until(TO_MIDNIGHT, "it is nearly midnight", || (Instant::now() + AROUND > midnight).then_some(()));
    tried(&clock::MIDNIGHT);
    let mut told = crowd(&ports, CONNECTIONS, midnight + AROUND);
    let days = demand_no_number_twice(&told);
    assert_eq!(days.len(), 2, "orders came before and after midnight: {days:?}");
    for (day, numbers) in &days {
        println!("{day}: {} orders, the last is number {}", numbers.len(), numbers.len());
        assert_eq!(*numbers, (1..=numbers.len() as u32).collect(), "each day begins with 1");
    }

    let today = days.keys().next_back().expect("there are two");
    cafe.sql(&format!("UPDATE cafe_order.day_numbers SET last = 9990 WHERE day = '{today}'"));
    told.extend(all_at_once(&ports, vec![place(&[]); CONNECTIONS]));
    let days = demand_no_number_twice(&told);
    let beyond: BTreeSet<u32> = days[today].iter().copied().filter(|number| *number > 9_990).collect();
    assert_eq!(beyond, (9_991..=9_990 + CONNECTIONS as u32).collect());
    assert!(told.iter().any(|told| told.order["number"] == "10000"), "five digits after 9999");
    cafe.settle(SETTLED);
    cafe.audit();
}

/// The numbers of each day.
fn demand_no_number_twice(told: &[Told]) -> BTreeMap<String, BTreeSet<u32>> {
    let mut days = BTreeMap::<String, BTreeSet<u32>>::new();
    for Told { status, order, .. } in told {
        assert_eq!(*status, 201, "{order}");
        let text = |name: &str| order[name].as_str().unwrap_or_default().to_owned();
        let number = text("number").parse().expect("a number is a number");
        assert!(days.entry(text("day")).or_default().insert(number), "{} {number} twice", text("day"));
    }
    days
}

/// A time zone of our own whose next midnight comes after so long, as `tzfile(5)` has it: no change ever, all of it said by
/// the last line.
fn write_zone_with_midnight_in(wait: Duration, zones: &Path) {
    const DAY_S: i64 = 24 * 60 * 60;
    let midnight = Clock::Real.now() + wait;
    // West of Greenwich by as much as it is past its midnight then.
    let west = midnight.as_second().rem_euclid(DAY_S);
    let line = format!("\n<CAFE>{}:{:02}:{:02}\n", west / 3600, west / 60 % 60, west % 60);
    let counts = [0_u32, 0, 0, 0, 1, 5].map(u32::to_be_bytes).concat();
    let head = [&b"TZif2"[..], &[0; 15], &counts].concat();
    let only = [&(-west as i32).to_be_bytes()[..], &[0, 0], b"CAFE\0"].concat();
    let file = zones.join(ZONE);
    fs::create_dir_all(file.parent().expect("a zone is in a folder")).expect("a folder for the zone");
    let bytes = [&head[..], &only, &head, &only, line.as_bytes()].concat();
    let zone = TimeZone::tzif(ZONE, &bytes).expect("a time zone");
    assert_eq!(midnight.to_zoned(zone).hour(), 0);
    fs::write(file, bytes).expect("the zone's file can be written");
}
