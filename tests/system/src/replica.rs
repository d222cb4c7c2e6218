//! Several processes of a service on one data folder, each with a name and a port of its own, watched over by nobody.

use std::path::Path;
use std::process::{Child, ExitStatus};

use rustix::process::Signal;

use crate::cafe::{free_port, signal};
use crate::{Cafe, MOMENT, Service, http, proc, program, wait_until};

/// A process of a service beside others.
#[derive(Debug)]
pub(crate) struct Replica {
    service: Service,
    name: String,
    port: u16,
    pub(crate) child: Child,
}

impl Cafe {
    /// Starts a replica, without waiting for anything; one of that name that has ended is started again, on the same port.
    /// The first of a service has the service's own port, where no `cafe up` has it.
    pub fn open_replica(&mut self, service: Service, name: &str) {
        self.open_replica_of(program(), service, name);
    }

    /// The same, of another build of the program.
    pub fn open_replica_of(&mut self, program: &Path, service: Service, name: &str) {
        let known = self.replicas.iter().find(|it| it.is(service, name)).map(|it| it.port);
        let is_first = self.up.is_none() && self.ports_of(service).is_empty();
        let port = known.unwrap_or_else(|| if is_first { self.port(service) } else { free_port() });
        let port_of = |of| if of == service { port } else { self.port(of) };
        let mut command = self.logged(self.command_of(program, service.name(), port_of));
        command.args(["--replica", name]).args(&self.flags);
        let child = command.spawn().expect("the program starts");
        self.replicas.retain(|it| !it.is(service, name));
        self.replicas.push(Replica { service, name: name.to_owned(), port, child });
    }

    /// Waits until a replica says that it is ready.
    ///
    /// # Panics
    /// If it ends instead, as one does that refuses to start.
    pub fn wait_until_replica_serves(&self, service: Service, name: &str) {
        let (port, pid) = (self.port_of(service, name), self.pid_of(service, name));
        let what = format!("replica {name} of {} is ready", service.name());
        let is_ready = || {
            assert!(proc::alive(pid), "it has ended, instead of this: {what}");
            http::get(port, "/health/ready", None).is_ok_and(|answer| answer.status == 200)
        };
        wait_until(MOMENT, &what, || is_ready().then_some(()));
    }

    /// The port of a replica.
    pub fn port_of(&self, service: Service, name: &str) -> u16 {
        self.replica(service, name).port
    }

    /// The ports of all replicas of a service.
    pub fn ports_of(&self, service: Service) -> Vec<u16> {
        self.replicas.iter().filter(|it| it.service == service).map(|it| it.port).collect()
    }

    /// The process that is a replica.
    pub fn pid_of(&self, service: Service, name: &str) -> u32 {
        self.replica(service, name).child.id()
    }

    /// Sends a replica a signal.
    pub fn signal_replica(&self, service: Service, name: &str, what: Signal) {
        signal(self.pid_of(service, name), what);
    }

    /// `kill -9` of a replica.
    pub fn kill_replica(&mut self, service: Service, name: &str) {
        self.signal_replica(service, name, Signal::KILL);
        self.wait_for_end(service, name);
    }

    /// Ends a replica in order, and waits for it.
    pub fn stop_replica(&mut self, service: Service, name: &str) -> ExitStatus {
        self.signal_replica(service, name, Signal::TERM);
        self.wait_for_end(service, name)
    }

    /// Waits until all replicas serve, starting again those that have ended or do so meanwhile. Answers which, and how.
    pub fn reopen_replicas(&mut self) -> Vec<(Service, String, ExitStatus)> {
        let mut all_ended = Vec::new();
        let all_serve = || {
            let ended = self.reopen_ended();
            let is_quiet = ended.is_empty();
            all_ended.extend(ended);
            let serves = |it: &Replica| {
                http::get(it.port, "/health/ready", None).is_ok_and(|answer| answer.status == 200)
            };
            (is_quiet && self.replicas.iter().all(serves)).then_some(())
        };
        wait_until(MOMENT, "all replicas serve", all_serve);
        all_ended
    }

    fn reopen_ended(&mut self) -> Vec<(Service, String, ExitStatus)> {
        let ended =
            |it: &mut Replica| Some((it.service, it.name.clone(), it.child.try_wait().ok().flatten()?));
        let ended: Vec<_> = self.replicas.iter_mut().filter_map(ended).collect();
        for (service, name, _) in &ended {
            self.open_replica(*service, name);
        }
        ended
    }

    /// Waits until a replica has ended, and answers how.
    pub fn wait_for_end(&mut self, service: Service, name: &str) -> ExitStatus {
        let found = self.replicas.iter_mut().find(|it| it.is(service, name));
        let child = &mut found.expect("there is such a replica").child;
        let what = format!("replica {name} of {} ends", service.name());
        wait_until(MOMENT, &what, || child.try_wait().ok().flatten()).0
    }

    /// Whether a replica says that it leads its service: only that one listens to others.
    pub fn leads(&self, service: Service, name: &str) -> bool {
        let report = http::get(self.port_of(service, name), "/health/ready", None);
        report.is_ok_and(|it| it.json()["links"].as_array().is_some_and(|links| !links.is_empty()))
    }

    /// The replica that leads its service, if one does. None may be frozen.
    pub fn leader(&self, service: Service) -> Option<String> {
        let names = self.names_of(service);
        names.into_iter().find(|name| self.leads(service, name))
    }

    /// The replica, other than `before`, that leads now, if one does. Only `before` may be frozen.
    pub fn leader_after(&self, service: Service, before: &str) -> Option<String> {
        let names = self.names_of(service);
        names.into_iter().find(|name| name != before && self.leads(service, name))
    }

    fn names_of(&self, service: Service) -> Vec<String> {
        self.replicas.iter().filter(|it| it.service == service).map(|it| it.name.clone()).collect()
    }

    fn replica(&self, service: Service, name: &str) -> &Replica {
        let found = self.replicas.iter().find(|it| it.is(service, name));
        found.unwrap_or_else(|| panic!("{} has no replica {name}", service.name()))
    }
}

impl Replica {
    fn is(&self, service: Service, name: &str) -> bool {
        self.service == service && self.name == name
    }
}
