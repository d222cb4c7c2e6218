//! A process of each service, started one by one: `cafe up` would start again what is killed.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use cafe_system_tests::{MOMENT, Service, http, program, wait_until};
use rustix::process::{Pid, Signal, kill_process};

/// How long a service with much behind it may take to start.
const STARTED: Duration = Duration::from_mins(1);

/// A process of each service. Dropping it kills them.
pub(crate) struct Replicas {
    ports: [u16; 3],
    processes: Vec<Child>,
    /// What staff endpoints want.
    pub(crate) staff_key: String,
    /// How long it took until all were ready.
    pub(crate) started_in: Duration,
}

impl Replicas {
    /// Starts them on the data of `folder`, and waits until all are ready.
    pub(crate) fn start(folder: &Path, flags: &[&str]) -> Result<Self> {
        let data = folder.join("data");
        let mut replicas = Self {
            ports: free_ports()?,
            processes: Vec::new(),
            staff_key: String::new(),
            started_in: Duration::ZERO,
        };
        let started = Instant::now();
        for service in Service::ALL {
            let log = File::options().create(true).append(true).open(folder.join("log"))?;
            let mut command = Command::new(program());
            command.arg(service.name()).arg("--data").arg(&data).args(flags);
            for service in Service::ALL {
                let port = replicas.port(service).to_string();
                command.arg(format!("--{}-port", service.name())).arg(port);
            }
            command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
            replicas.processes.push(command.spawn().context("the program does not start")?);
        }
        for service in Service::ALL {
            let port = replicas.port(service);
            let is_ready = || http::get(port, "/health/ready", None).is_ok_and(|it| it.status == 200);
            wait_until(STARTED, "a service is ready", || is_ready().then_some(()));
        }
        replicas.started_in = started.elapsed();
        let staff_key = std::fs::read_to_string(data.join("staff.key"))?;
        staff_key.trim().clone_into(&mut replicas.staff_key);
        Ok(replicas)
    }

    pub(crate) fn port(&self, service: Service) -> u16 {
        self.ports[service as usize]
    }

    pub(crate) fn kill(&mut self, service: Service) {
        let process = &mut self.processes[service as usize];
        let _ = process.kill();
        let _ = process.wait();
    }

    /// Ends all of them in an orderly way.
    pub(crate) fn end(mut self) -> Result<()> {
        for process in &self.processes {
            let pid = Pid::from_raw(process.id().cast_signed()).context("a process has an id")?;
            kill_process(pid, Signal::TERM)?;
        }
        for process in &mut self.processes {
            let (status, _) = wait_until(MOMENT, "a service ends when it is asked to", || {
                process.try_wait().ok().flatten()
            });
            ensure!(status.success(), "a service ended with {status}");
        }
        Ok(())
    }
}

impl Drop for Replicas {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// All held at once so that they differ.
pub(super) fn free_ports() -> Result<[u16; 3]> {
    let held = [(); 3].map(|()| std::net::TcpListener::bind("127.0.0.1:0"));
    let mut ports = [0; 3];
    for (port, held) in ports.iter_mut().zip(held) {
        *port = held?.local_addr()?.port();
    }
    Ok(ports)
}
