//! Harm done to a cafe at work, each answering when it was.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::{Cafe, MOMENT, Service, proc, wait_until};

/// From when to when a service could not serve.
#[derive(Clone, Copy, Debug)]
pub struct Outage {
    /// Just before the harm.
    pub from: Instant,
    /// When it served again.
    pub to: Instant,
}

impl Outage {
    /// How long it lasted.
    pub fn length(&self) -> Duration {
        self.to - self.from
    }
}

impl Cafe {
    /// `kill -9`, and waits until whoever watches over the service has it serving again.
    pub fn kill(&self, service: Service) -> Outage {
        let from = Instant::now();
        let killed = self.signal(service, Signal::KILL);
        self.wait_for_successor(service, killed);
        Outage { from, to: Instant::now() }
    }

    /// `kill -9` of all three at once, and waits until they serve again.
    pub fn kill_all(&self) -> Outage {
        let from = Instant::now();
        let killed = Service::ALL.map(|service| self.signal(service, Signal::KILL));
        for (service, pid) in Service::ALL.into_iter().zip(killed) {
            self.wait_for_successor(service, pid);
        }
        Outage { from, to: Instant::now() }
    }

    /// Stops the service where it stands (SIGSTOP) for so long, lets it go on, and waits until it serves again.
    pub fn freeze(&self, service: Service, length: Duration) -> Outage {
        let from = Instant::now();
        let frozen = self.signal(service, Signal::STOP);
        // This is the harm itself, not a wait for anything.
        std::thread::sleep(length);
        crate::cafe::signal(frozen, Signal::CONT);
        self.wait_until_serving(service);
        Outage { from, to: Instant::now() }
    }

    /// Makes the simulated vendor fail for everyone, in one of the ways it knows, or work again.
    pub fn simulator_fails(&self, how: Option<&str>) {
        let switch = self.data().join("simulator.outage");
        std::fs::write(switch, how.unwrap_or_default()).expect("the data folder can be written");
    }

    /// Stops `listener` at a moment at which it is inside a read of `peer`'s database, and answers which process that is.
    pub fn freeze_inside_read(&self, listener: Service, peer: Service) -> u32 {
        let database = self.database(peer);
        let what = format!("{} is caught inside a read of {}", listener.name(), peer.name());
        let catch = || {
            let pid = self.signal(listener, Signal::STOP);
            wait_until(MOMENT, "it has stopped", || proc::is_stopped(pid).then_some(()));
            let caught = proc::is_inside_read(pid, &database);
            if !caught {
                crate::cafe::signal(pid, Signal::CONT);
            }
            caught.then_some(pid)
        };
        wait_until(MOMENT * 3, &what, catch).0
    }

    /// Stops `listener` inside a read of `peer`'s database, and waits until it was ended for it and serves again.
    pub fn stop_reader(&self, listener: Service, peer: Service) -> Outage {
        let from = Instant::now();
        let stopped = self.freeze_inside_read(listener, peer);
        self.wait_for_successor(listener, stopped);
        Outage { from, to: Instant::now() }
    }

    /// `kill -9` of `cafe up` itself, and waits until the next one watches over the children it left.
    pub fn replace_supervisor(&mut self) -> Outage {
        let from = Instant::now();
        self.kill_supervisor();
        self.open();
        self.wait_until_ready();
        Outage { from, to: Instant::now() }
    }

    fn wait_for_successor(&self, service: Service, killed: u32) {
        let what = format!("{} serves again after kill -9", service.name());
        let is_back = || self.pid(service).is_some_and(|pid| pid != killed) && self.is_ready(service);
        wait_until(MOMENT, &what, || is_back().then_some(()));
    }
}
