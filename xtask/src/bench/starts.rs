//! How soon it is there, and there again.

use std::time::{Duration, Instant};

use anyhow::Result;
use cafe_system_tests::{MOMENT, Service, http, wait_until};

use super::figures::Bound::AtMost;
use super::figures::{Figures, median, median_of};
use super::ground::Ground;
use super::load::{self, Keys};

/// Starts, and kills of each service.
const TIMES: usize = 5;

pub(crate) fn measure(ground: &Ground, figures: &mut Figures) -> Result<()> {
    let (mut first, mut all) = (Vec::new(), Vec::new());
    for _ in 0..TIMES {
        let mut cafe = ground.closed(&[])?;
        let started = Instant::now();
        cafe.open();
        let menu = || {
            http::get(cafe.port(Service::Order), "/menu", None)
                .is_ok_and(|menu| menu.status == 200)
                .then_some(())
        };
        wait_until(MOMENT, "the menu is served", menu);
        first.push(started.elapsed().as_secs_f64());
        cafe.wait_until_ready();
        all.push(started.elapsed().as_secs_f64());
    }
    let first = median_of("start to the first 200 (new folder)", first, "s");
    let all = median_of("start to all three ready (new folder)", all, "s");
    let judged = ground.is_embedded();
    figures.add(if judged { first.aim(AtMost(0.3)) } else { first });
    figures.add(if judged { all.must(AtMost(1.0)) } else { all });

    for service in Service::ALL {
        let outages = (0..TIMES).map(|_| killed_at_work(ground, service)).collect::<Result<Vec<f64>>>()?;
        let name = format!("kill -9 of {} to serving", service.name());
        let highest = outages.iter().copied().fold(0.0, f64::max);
        println!("{name}: {:.3} s in the middle, {highest:.3} s at most", median(outages.clone()));
        let back = median_of(name, outages, "s");
        figures.add(if judged && service == Service::Order { back.must(AtMost(0.5)) } else { back });
    }
    Ok(())
}

/// Seconds until it served again. A cafe of its own each time, as only the first restart is at once, with orders in it, as
/// an empty log is soon recovered.
fn killed_at_work(ground: &Ground, service: Service) -> Result<f64> {
    let cafe = ground.cafe(&[])?;
    load::closed(load::shop(&cafe), 16, Duration::from_secs(1), Keys::Random)?;
    Ok(cafe.kill(service).length().as_secs_f64())
}
