//! The whole cycle: accepted, paid, queued at the barista.

use std::ffi::OsString;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use cafe_system_tests::{Cafe, MOMENT, Service, http, proc, wait_until};

use super::figures::Bound::{AtLeast, AtMost};
use super::figures::{Figures, figure, median_of};
use super::ground::{Ground, ServersCpu};
use super::load::Keys;
use super::{Windows, bytes, load};

/// Connections that customers come on.
const CONNECTIONS: usize = 64;
/// Orders accepted and not yet queued, past which customers are held back: with more of them the rate would be that of
/// accepting, and the backlog would grow for ever.
const BACKLOG: u64 = 2_000;
/// A window that nobody counts: Java compiles what is used often, and a broker that runs for weeks has done so.
const WARM_UP: Duration = Duration::from_secs(15);
/// Between two looks at how far the barista is.
const LOOK: Duration = Duration::from_millis(10);

pub(crate) fn measure(ground: &Ground, windows: &Windows, figures: &mut Figures) -> Result<()> {
    let fsyncs = if ground.is_embedded() { fsyncs_per_order(windows.length)? } else { None };
    let cafe = ground.cafe(&[])?;
    if !ground.is_embedded() {
        at_capacity(ground, &cafe, WARM_UP)?;
    }
    let mut runs = Vec::new();
    for _ in 0..windows.number {
        runs.push(at_capacity(ground, &cafe, windows.length)?);
    }
    let of = |value: fn(&Run) -> f64| runs.iter().map(value).collect::<Vec<f64>>();
    let rate = median_of("whole cycle, sustained", of(|run| run.rate), "1/s");
    let cpu = median_of("whole cycle: CPU per order", of(|run| run.cpu_us), "us");
    if ground.is_embedded() {
        figures.add(rate.must(AtLeast(3_000.0)).aim(AtLeast(5_000.0)));
        figures.add(cpu.aim(AtMost(200.0)));
    } else {
        figures.add(rate.must(AtLeast(1_000.0)));
        figures.add(cpu);
        figures.add(median_of(
            "whole cycle: PostgreSQL's CPU per order",
            of(|run| run.servers.postgres),
            "us",
        ));
        figures.add(median_of("whole cycle: Kafka's CPU per order", of(|run| run.servers.kafka), "us"));
    }
    figures.add(median_of("whole cycle: commits per order", of(|run| run.commits), ""));
    if let Some(fsyncs) = fsyncs {
        figures.add(figure("whole cycle: fsyncs per order (strace)", fsyncs, ""));
    }
    steady(ground, &cafe, figures)?;
    bytes::measure(ground, &cafe, figures)?;
    for service in Service::ALL {
        let pid = cafe.pid(service).context("a service is running")?;
        let highest = proc::memory_mb(pid, "VmHWM").context("the kernel knows its memory")?;
        figures.add(figure(format!("whole cycle: peak memory of {}", service.name()), highest, "MB"));
    }
    Ok(())
}

struct Run {
    rate: f64,
    cpu_us: f64,
    commits: f64,
    /// In microseconds per order.
    servers: ServersCpu,
}

/// Customers as fast as the slowest of the three, the backlog held.
fn at_capacity(ground: &Ground, cafe: &Cafe, length: Duration) -> Result<Run> {
    let watch = Watch::start(cafe);
    let before = Usage::of(ground, cafe)?;
    let (accepted, queued) = (Arc::new(AtomicU64::new(before.queued)), Arc::clone(&watch.queued));
    let may_send = move || {
        let room = accepted.load(Ordering::Relaxed) < queued.load(Ordering::Relaxed) + BACKLOG;
        if room {
            accepted.fetch_add(1, Ordering::Relaxed);
        }
        room
    };
    load::closed_while(load::shop(cafe), CONNECTIONS, length, Keys::Random, may_send)?;
    let after = Usage::of(ground, cafe)?;
    let orders = (after.queued - before.queued) as f64;
    let seconds = (after.at - before.at).as_secs_f64();
    wait_until_drained(cafe);
    Ok(Run {
        rate: orders / seconds,
        cpu_us: (after.cpu_seconds - before.cpu_seconds) * 1e6 / orders,
        commits: (after.commits - before.commits) / orders,
        servers: ServersCpu {
            postgres: (after.servers.postgres - before.servers.postgres) * 1e6 / orders,
            kafka: (after.servers.kafka - before.servers.kafka) * 1e6 / orders,
        },
    })
}

/// An open stream at what must be sustained: does the backlog stay where it is?
fn steady(ground: &Ground, cafe: &Cafe, figures: &mut Figures) -> Result<()> {
    const LENGTH: Duration = Duration::from_secs(15);
    let rate = if ground.is_embedded() { 3_000 } else { 1_000 };
    let before = queued(cafe)?;
    let mut request = load::Request::new();
    let request = std::cell::RefCell::new(&mut request);
    let load =
        load::open(cafe.port(Service::Order), rate, LENGTH, |key| request.borrow_mut().keyed(key).to_vec())?;
    let backlog = (load.latency_us.len() + before).saturating_sub(queued(cafe)?);
    wait_until_drained(cafe);
    let name = |what| format!("open at {rate}/s for {} s: {what}", LENGTH.as_secs());
    figures.add(figure(name("accepted"), load.rate, "1/s"));
    figures.add(figure(name("POST p99"), load.ms(0.99), "ms"));
    figures.add(figure(name("backlog at the end"), backlog as f64, "orders").must(AtMost(f64::from(rate))));
    Ok(())
}

/// What the three have used so far, and how far the barista is.
struct Usage {
    at: Instant,
    queued: u64,
    cpu_seconds: f64,
    commits: f64,
    servers: ServersCpu,
}

impl Usage {
    fn of(ground: &Ground, cafe: &Cafe) -> Result<Self> {
        let mut commits = 0.0;
        for service in Service::ALL {
            commits += metric(cafe, service, "cafe_commits_total")?;
        }
        let cpu_seconds = cafe.pids().into_iter().map(proc::cpu_seconds).sum();
        Ok(Self { at: Instant::now(), queued: queued(cafe)?, cpu_seconds, commits, servers: ground.cpu() })
    }
}

/// Follows how far the barista is, in a thread of its own.
struct Watch {
    queued: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
}

impl Watch {
    fn start(cafe: &Cafe) -> Self {
        let watch =
            Self { queued: Arc::new(AtomicU64::new(queued(cafe).unwrap_or(0))), stop: Arc::default() };
        let (seen, stop) = (Arc::clone(&watch.queued), Arc::clone(&watch.stop));
        let port = cafe.port(Service::Barista);
        std::thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                if let Ok(count) = queued_at(port) {
                    seen.store(count, Ordering::Relaxed);
                }
                std::thread::sleep(LOOK);
            }
        });
        watch
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Waits until everybody has heard everything that was announced, and all that was accepted is queued: how much is still on its
/// way through a broker, a listener sees only now and then.
pub(crate) fn wait_until_drained(cafe: &Cafe) {
    let behind = |service| metric(cafe, service, "cafe_backlog").unwrap_or(1.0);
    let accepted = || metric(cafe, Service::Order, "cafe_orders_accepted_total").unwrap_or(f64::MAX);
    let is_drained = || {
        let all_heard = Service::ALL.map(behind).iter().sum::<f64>() == 0.0;
        (all_heard && queued(cafe).is_ok_and(|queued| queued as f64 >= accepted())).then_some(())
    };
    wait_until(MOMENT * 3, "the backlog is worked off", is_drained);
}

/// Orders queued at the barista since its data folder was new: all are paid at once, so payment says one thing of each.
pub(crate) fn queued(cafe: &Cafe) -> Result<u64> {
    queued_at(cafe.port(Service::Barista))
}

fn queued_at(port: u16) -> Result<u64> {
    let page = http::get(port, "/metrics", None)?.body;
    Ok(sum(&page, "cafe_position", r#"source="payment""#) as u64)
}

/// The sum of a metric's lines.
pub(crate) fn metric(cafe: &Cafe, service: Service, name: &str) -> Result<f64> {
    Ok(sum(&http::get(cafe.port(service), "/metrics", None)?.body, name, ""))
}

fn sum(page: &str, name: &str, label: &str) -> f64 {
    let lines = page.lines().filter(|line| !line.starts_with('#') && line.contains(label));
    let of_name =
        lines.filter_map(|line| line.strip_prefix(name)).filter(|rest| rest.starts_with(['{', ' ']));
    of_name.filter_map(|rest| rest.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

/// Counted by the kernel for strace, where it is installed: in a cafe of its own, as being traced takes time.
fn fsyncs_per_order(length: Duration) -> Result<Option<f64>> {
    const TRACE: [&str; 6] = ["-f", "--seccomp-bpf", "-qq", "-e", "trace=fsync,fdatasync", "-o"];
    let have =
        std::process::Command::new("strace").arg("-V").output().is_ok_and(|output| output.status.success());
    if !have {
        println!("strace is not installed: fsyncs are not counted");
        return Ok(None);
    }
    let folder = tempfile::tempdir()?;
    let log = folder.path().join("strace");
    let wrapper = ["strace"].iter().chain(&TRACE).map(OsString::from).chain([log.clone().into_os_string()]);
    let cafe = Cafe::up_under(&wrapper.collect::<Vec<_>>(), &[]);
    let count = || Ok::<_, anyhow::Error>(std::fs::read_to_string(&log)?.matches("sync(").count());
    let (before, orders_before) = (count()?, queued(&cafe)?);
    load::closed(load::shop(&cafe), CONNECTIONS, length.min(Duration::from_secs(3)), Keys::Random)?;
    wait_until_drained(&cafe);
    let orders = queued(&cafe)? - orders_before;
    Ok(Some((count()? - before) as f64 / orders as f64))
}

#[cfg(test)]
mod tests {
    use super::sum;

    #[test]
    fn a_metric_is_summed_over_its_labels() {
        let page = "# HELP cafe_backlog x\ncafe_backlog{source=\"order\"} 3\ncafe_backlog{source=\"payment\"} 4\ncafe_backlog_age 9\n";
        assert!((sum(page, "cafe_backlog", "") - 7.0).abs() < f64::EPSILON);
        assert!((sum(page, "cafe_backlog", "source=\"order\"") - 3.0).abs() < f64::EPSILON);
    }
}
