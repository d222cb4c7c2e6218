//! What it costs when nothing happens.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use cafe_system_tests::{Service, proc};

use super::figures::Bound::AtMost;
use super::figures::{Figures, figure};
use super::ground::Ground;

const LENGTH: Duration = Duration::from_secs(10);

pub(crate) fn measure(ground: &Ground, figures: &mut Figures) -> Result<()> {
    let cafe = ground.cafe(&["--robot"])?;
    let used = || cafe.pids().into_iter().map(proc::cpu_seconds).sum::<f64>();
    let (before, since) = (used(), Instant::now());
    std::thread::sleep(LENGTH);
    let share = (used() - before) / since.elapsed().as_secs_f64();
    let cpu = figure("at rest: CPU of the whole cafe", share * 100.0, "% of one");
    // Leases have to be kept, and brokers asked.
    figures.add(if ground.is_embedded() { cpu.must(AtMost(1.0)) } else { cpu });
    for service in Service::ALL {
        let pid = cafe.pid(service).context("a service is running")?;
        let now = proc::memory_mb(pid, "VmRSS").context("the kernel knows its memory")?;
        figures.add(figure(format!("at rest: memory of {}", service.name()), now, "MB").aim(AtMost(25.0)));
    }
    let up = cafe.supervisor().and_then(|pid| proc::memory_mb(pid, "VmRSS")).context("up is running")?;
    figures.add(figure("at rest: memory of cafe up", up, "MB"));
    Ok(())
}
