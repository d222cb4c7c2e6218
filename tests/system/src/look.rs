//! Looking at a cafe: its processes, its files, and what its services say.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::{Cafe, MOMENT, Service, Waited, http, proc, wait_until};

impl Cafe {
    /// Waits until every service says that it is ready, and answers how long that took.
    pub fn wait_until_ready(&self) -> Waited {
        let started = Instant::now();
        for service in Service::ALL {
            self.wait_until_serving(service);
        }
        started.elapsed()
    }

    /// Waits until the service says that it is ready, and answers how long that took.
    pub fn wait_until_serving(&self, service: Service) -> Waited {
        let what = format!("{} is ready", service.name());
        wait_until(MOMENT, &what, || self.is_ready(service).then_some(())).1
    }

    /// Whether every service says that it is ready.
    pub fn is_open(&self) -> bool {
        Service::ALL.iter().all(|service| self.is_ready(*service))
    }

    /// Whether the service says that it is ready.
    pub fn is_ready(&self, service: Service) -> bool {
        http::get(self.port(service), "/health/ready", None).is_ok_and(|answer| answer.status == 200)
    }

    /// What the service says of its links, its relay and its lists.
    pub fn health(&self, service: Service) -> Value {
        http::get(self.port(service), "/health/ready", None).map_or(Value::Null, |answer| answer.json())
    }

    /// A counter of the service without labels; 0 before it has counted anything.
    pub fn metric(&self, service: Service, name: &str) -> f64 {
        let page =
            http::get(self.port(service), "/metrics", None).map_or(String::new(), |answer| answer.body);
        let value = |line: &str| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok();
        page.lines().find_map(value).unwrap_or(0.0)
    }

    /// The database file of a service.
    pub fn database(&self, service: Service) -> PathBuf {
        self.data().join(format!("{}.sqlite", service.name()))
    }

    /// Bytes in the write-ahead log of a service's database.
    pub fn wal_bytes(&self, service: Service) -> u64 {
        let wal = self.data().join(format!("{}.sqlite-wal", service.name()));
        fs::metadata(wal).map_or(0, |file| file.len())
    }

    /// The process that is the service now, if there is one.
    pub fn pid(&self, service: Service) -> Option<u32> {
        let file = self.data().join("run").join(format!("{}.pid", service.name()));
        let pid = fs::read_to_string(file).ok()?.trim().parse().ok()?;
        (proc::alive(pid) && proc::has_argument(pid, &self.data())).then_some(pid)
    }

    /// The process of `cafe up`.
    pub fn supervisor(&self) -> Option<u32> {
        let started = self.up.as_ref()?.id();
        if self.wrapper.is_empty() { Some(started) } else { proc::first_child(started) }
    }

    /// Every process of this cafe.
    pub fn pids(&self) -> Vec<u32> {
        self.supervisor()
            .into_iter()
            .chain(Service::ALL.iter().filter_map(|service| self.pid(*service)))
            .collect()
    }

    /// The key that staff endpoints want.
    pub fn staff_key(&self) -> String {
        let file = self.data().join("staff.key");
        fs::read_to_string(file).expect("the staff key is there once a service is ready").trim().to_owned()
    }

    /// Every row of a staff list, such as `/orders`, `/payments` or `/tickets`.
    ///
    /// # Panics
    /// If it is not answered.
    pub fn all(&self, service: Service, list: &str) -> Vec<Value> {
        self.try_all(service, list).unwrap_or_else(|failure| panic!("GET /{list}: {failure:#}"))
    }

    fn try_all(&self, service: Service, list: &str) -> anyhow::Result<Vec<Value>> {
        let key = self.staff_key();
        let (mut rows, mut after) = (Vec::new(), String::new());
        loop {
            let page = http::get(self.port(service), &format!("/{list}?limit=500{after}"), Some(&key))?;
            anyhow::ensure!(page.status == 200, "{}: {}", page.status, page.body);
            let page = page.json();
            rows.extend(page[list].as_array().cloned().unwrap_or_default());
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => return Ok(rows),
            }
        }
    }

    /// Waits until every order has come to its end, and answers with all of them.
    pub fn settle(&self, limit: Duration) -> Vec<Value> {
        // Those who bring the orders there are to get on.
        const LOOK_EVERY: Duration = Duration::from_millis(100);
        const FINAL: [&str; 6] = ["picked_up", "declined", "expired", "cancelled", "refunded", "uncollected"];
        let is_open = |order: &&Value| !FINAL.contains(&order["status"].as_str().unwrap_or_default());
        let (mut open, mut unanswered) = (Vec::new(), None);
        let started = Instant::now();
        while started.elapsed() < limit {
            // On a busy machine an answer may be late, which is no matter here.
            match self.try_all(Service::Order, "orders") {
                Ok(orders) => {
                    open = orders.iter().filter(is_open).cloned().collect();
                    if open.is_empty() {
                        return orders;
                    }
                }
                Err(failure) => unanswered = Some(failure),
            }
            std::thread::sleep(LOOK_EVERY);
        }
        panic!(
            "after {limit:?} {} orders are still open, among them {:#?}; not answered: {unanswered:?}",
            open.len(),
            &open[..open.len().min(3)]
        );
    }

    /// Runs `cafe audit` on the data folder.
    ///
    /// # Panics
    /// If it finds a broken promise, with its report.
    pub fn audit(&self) {
        let report = self.shown_command("audit").output().expect("the program starts");
        let (out, err) = (String::from_utf8_lossy(&report.stdout), String::from_utf8_lossy(&report.stderr));
        assert!(report.status.success(), "the audit is not clean, {}:\n{out}\n{err}", report.status);
    }

    /// What all processes wrote so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_path()).unwrap_or_default()
    }
}
