//! Everything that befalls Kafka, again and again.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use cafe_rig::Kafka;
use cafe_system_tests::{Cafe, KafkaHarm, Site};

use super::Arguments;

/// Paid at once: what is measured is Kafka's coming back.
const TOKENS: [&str; 1] = ["tok_ok"];

type Start = fn() -> Result<Kafka>;

pub(super) fn run(arguments: &Arguments, seed: u64) -> Result<bool> {
    let clusters: [(Start, &[KafkaHarm]); 3] = [
        (|| Kafka::start(1), &KafkaHarm::ON_ONE),
        (|| Kafka::start(3), &KafkaHarm::ON_THREE),
        (|| Kafka::behind_proxies(1), &KafkaHarm::BEHIND_PROXIES),
    ];
    let started = Instant::now();
    let mut done = 0;
    while done < arguments.kafka || started.elapsed() < Duration::from_secs(60 * arguments.minutes) {
        for (start, harms) in clusters {
            let kafka = start().context("Kafka does not start")?;
            let mut cafe = Cafe::up_at(Site::of(None, Some(&kafka)), &["--robot", "--robot-speed", "1000"]);
            // In another order each time.
            cafe.draw_from_seed(seed.wrapping_add(done.into()));
            let first = cafe.draw(0..harms.len() as u32) as usize;
            for harm in harms.iter().cycle().skip(first).take(harms.len()) {
                harm.demand_survived(&cafe, &kafka, arguments.rate, &TOKENS);
            }
        }
        done += 1;
        println!("{done} rounds, {} s: all well", started.elapsed().as_secs());
    }
    Ok(true)
}
