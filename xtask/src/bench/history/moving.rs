//! A cafe with a long history is moved up to a server while customers come.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use cafe_system_tests::{Service, http, program, wait_until};

use super::super::figures::Bound::AtMost;
use super::super::figures::{Figures, figure};
use super::super::ground::Ground;
use super::super::load;
use super::super::replicas::free_ports;
use super::Place;

/// A service refuses orders for so long at most while it is carried over.
const REFUSED_LIMIT_S: f64 = 10.0;
/// Between two customers.
const BETWEEN: Duration = Duration::from_millis(20);
/// The first move is killed after so long.
const KILLED_AFTER: Duration = Duration::from_secs(3);
/// What a start with a long history takes at most.
const STARTED: Duration = Duration::from_mins(1);

pub(crate) fn measure(past: u64, open: u64, figures: &mut Figures) -> Result<()> {
    println!("\n=== moving up");
    let alone = Ground::start(false, false)?;
    let files = Place::new(&alone)?;
    files.fill(&alone, past, open)?;
    let server = Ground::start(true, false)?;
    let cafe = Up::start(&files)?;
    let flags = server.flags()?;
    let mut first = cafe.moving(&flags).spawn().context("the program does not start")?;
    // This is the harm itself, not a wait for anything.
    thread::sleep(KILLED_AFTER);
    first.kill()?;
    first.wait()?;
    let done = AtomicBool::new(false);
    let (refused, took) = thread::scope(|threads| {
        let customers = threads.spawn(|| longest_refusal(cafe.ports[0], &done));
        let started = Instant::now();
        let moved = moved(cafe.moving(&flags).spawn());
        done.store(true, Ordering::Relaxed);
        let refused = customers.join().expect("customers come to an end");
        moved.map(|()| (refused, started.elapsed()))
    })?;
    let name = |what: &str| format!("cafe move, {past} past and {open} open orders: {what}");
    figures.add(figure(name("whole"), took.as_secs_f64(), "s"));
    let refused = figure(name("orders refused for"), refused.as_secs_f64(), "s");
    figures.add(refused.must(AtMost(REFUSED_LIMIT_S)));
    Ok(())
}

fn moved(child: std::io::Result<Child>) -> Result<()> {
    let mut child = child.context("the program does not start")?;
    let mut said = String::new();
    child.stdout.take().context("its output is a pipe")?.read_to_string(&mut said)?;
    print!("{said}");
    ensure!(child.wait()?.success(), "the cafe was not moved");
    Ok(())
}

/// The longest time from an order that was not taken to the next that was.
fn longest_refusal(port: u16, done: &AtomicBool) -> Duration {
    let (mut since, mut longest) = (None, Duration::ZERO);
    while !done.load(Ordering::Relaxed) {
        let at = Instant::now();
        if http::post(port, "/orders", None, load::ORDER).is_ok_and(|answer| answer.status == 201) {
            longest = longest.max(since.take().map_or(Duration::ZERO, |since: Instant| since.elapsed()));
        } else {
            since.get_or_insert(at);
        }
        thread::sleep(BETWEEN);
    }
    longest
}

/// `cafe up`, which starts again what has moved.
struct Up<'a> {
    place: &'a Place,
    ports: [u16; 3],
    process: Child,
}

impl<'a> Up<'a> {
    fn start(place: &'a Place) -> Result<Self> {
        let ports = free_ports()?;
        let process = command(place, ports, "up").stdout(Stdio::null()).spawn();
        let up = Self { place, ports, process: process.context("the program does not start")? };
        for port in ports {
            let is_ready = || http::get(port, "/health/ready", None).is_ok_and(|it| it.status == 200);
            wait_until(STARTED, "a service is ready", || is_ready().then_some(()));
        }
        Ok(up)
    }

    fn moving(&self, flags: &[String]) -> Command {
        let mut command = command(self.place, self.ports, "move");
        command.args(flags).stdout(Stdio::piped());
        command
    }
}

impl Drop for Up<'_> {
    /// In an orderly way, so that its services end too.
    fn drop(&mut self) {
        if let Some(pid) = rustix::process::Pid::from_raw(self.process.id().cast_signed()) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let _ = self.process.wait();
    }
}

fn command(place: &Place, ports: [u16; 3], name: &str) -> Command {
    let mut command = Command::new(program());
    command.arg(name).arg("--data").arg(place.folder.path().join("data"));
    for service in Service::ALL {
        command.arg(format!("--{}-port", service.name())).arg(ports[service as usize].to_string());
    }
    command.stdin(Stdio::null()).stderr(Stdio::null());
    command
}
