//! A cafe of real processes.

use std::ffi::OsString;
use std::fs::{self, File};
use std::net::TcpListener;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use cafe_clock::Ids;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::{MOMENT, http, proc, program, wait_until};

/// Two cafes at once on a small machine would be measured against each other.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// One of the three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Takes orders.
    Order,
    /// Asks the vendors.
    Payment,
    /// Keeps the queue.
    Barista,
}

impl Service {
    /// All three, in an order's way through them.
    pub const ALL: [Self; 3] = [Self::Order, Self::Payment, Self::Barista];

    /// As the command line and the data folder call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Payment => "payment",
            Self::Barista => "barista",
        }
    }
}

/// A cafe in a folder of its own. Dropping it ends every process of it, whatever the test came to.
#[derive(Debug)]
pub struct Cafe {
    folder: TempDir,
    ports: [u16; 3],
    flags: Vec<String>,
    wrapper: Vec<OsString>,
    ids: Ids,
    served: AtomicUsize,
    up: Option<Child>,
    alone: Vec<(Service, Child)>,
    _turn: MutexGuard<'static, ()>,
}

impl Cafe {
    /// Starts `cafe up` with these flags, and waits until all three are ready.
    pub fn up(flags: &[&str]) -> Self {
        let mut cafe = Self::closed(flags);
        cafe.open();
        cafe.wait_until_ready();
        cafe
    }

    /// The same, `cafe up` run by another program, such as `strace`, that follows it into its children.
    pub fn up_under(wrapper: &[OsString], flags: &[&str]) -> Self {
        let mut cafe = Self::closed(flags);
        cafe.wrapper = wrapper.to_vec();
        cafe.open();
        cafe.wait_until_ready();
        cafe
    }

    /// A cafe on the usual ports that `command` opens; its folder comes by the environment.
    ///
    /// # Panics
    /// If another program listens on one of the usual ports.
    pub fn opened_by(mut command: Command) -> Self {
        let mut cafe = Self::closed(&[]);
        cafe.ports = [3000, 3001, 3002];
        for port in cafe.ports {
            TcpListener::bind(("127.0.0.1", port))
                .unwrap_or_else(|_| panic!("port {port} is in use; free it first"));
        }
        let (out, err) = cafe.log_files();
        command.env("CAFE_DATA", cafe.data()).env_remove("CAFE_CONFIG").stdout(out).stderr(err);
        cafe.up = Some(command.spawn().expect("the command starts"));
        cafe
    }

    /// A folder and ports, and nothing running yet.
    pub fn closed(flags: &[&str]) -> Self {
        let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let flags = flags.iter().map(|&flag| flag.to_owned()).collect();
        let folder = tempfile::Builder::new().prefix("cafe-").tempdir().expect("a folder for the cafe");
        Self {
            folder,
            ports: free_ports(),
            flags,
            wrapper: Vec::new(),
            ids: Ids::random(),
            served: AtomicUsize::new(0),
            up: None,
            alone: Vec::new(),
            _turn: turn,
        }
    }

    /// Starts `cafe up`, without waiting for anything.
    pub fn open(&mut self) {
        let mut up = self.command("up");
        up.args(&self.flags);
        self.up = Some(wrapped(&self.wrapper, up).spawn().expect("the program starts"));
    }

    /// Starts one service by itself, watched over by nobody.
    pub fn open_alone(&mut self, service: Service) {
        let child = self.command(service.name()).args(&self.flags).spawn().expect("the program starts");
        self.alone.push((service, child));
    }

    /// Any command of the program, on this cafe's folder and ports, its output added to the log.
    pub fn command(&self, name: &str) -> Command {
        let mut command = self.shown_command(name);
        let (out, err) = self.log_files();
        command.stdin(Stdio::null()).stdout(out).stderr(err);
        command
    }

    fn log_files(&self) -> (File, File) {
        let log = File::options().create(true).append(true).open(self.log_path());
        let log = log.expect("the log can be written");
        (log.try_clone().expect("a second handle"), log)
    }

    /// The same, its output not redirected.
    pub fn shown_command(&self, name: &str) -> Command {
        let mut command = Command::new(program());
        command.arg(name).arg("--data").arg(self.data()).current_dir(self.folder.path());
        for service in Service::ALL {
            command.arg(format!("--{}-port", service.name())).arg(self.port(service).to_string());
        }
        command
    }

    /// Waits until every service says that it is ready, and answers how long that took.
    pub fn wait_until_ready(&self) -> Duration {
        let started = Instant::now();
        for service in Service::ALL {
            self.wait_until_serving(service);
        }
        started.elapsed()
    }

    /// Waits until the service says that it is ready, and answers how long that took.
    pub fn wait_until_serving(&self, service: Service) -> Duration {
        let what = format!("{} is ready", service.name());
        self.wait_for(MOMENT, &what, || self.is_ready(service).then_some(())).1
    }

    /// Whether every service says that it is ready.
    pub fn is_open(&self) -> bool {
        Service::ALL.iter().all(|service| self.is_ready(*service))
    }

    /// Whether the service says that it is ready.
    pub fn is_ready(&self, service: Service) -> bool {
        http::get(self.port(service), "/health/ready", None).is_ok_and(|answer| answer.status == 200)
    }

    /// [`wait_until`], with the log's end printed if it fails.
    pub fn wait_for<T>(
        &self,
        limit: Duration,
        what: &str,
        condition: impl FnMut() -> Option<T>,
    ) -> (T, Duration) {
        wait_until(limit, what, condition)
    }

    /// The port of a service.
    pub fn port(&self, service: Service) -> u16 {
        self.ports[service as usize]
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
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

    /// Sends the service a signal, and answers which process got it.
    ///
    /// # Panics
    /// If the service is not running.
    pub fn signal(&self, service: Service, what: Signal) -> u32 {
        let (pid, _) = self.wait_for(MOMENT, "the service has a process", || self.pid(service));
        signal(pid, what);
        pid
    }

    /// `kill -9` of `cafe up` itself; its children are left to themselves.
    pub fn kill_supervisor(&mut self) {
        if let Some(supervisor) = self.supervisor() {
            signal(supervisor, Signal::KILL);
        }
        if self.wrapper.is_empty()
            && let Some(mut up) = self.up.take()
        {
            up.wait().expect("a killed child is waited for");
        }
    }

    /// Ends `cafe up` as Ctrl-C does, and waits for it.
    ///
    /// # Panics
    /// If it takes longer than a moment.
    pub fn close(&mut self) -> ExitStatus {
        let mut up = self.up.take().expect("`cafe up` is running");
        signal(up.id(), Signal::INT);
        self.wait_for(MOMENT, "cafe up ends on Ctrl-C", || up.try_wait().ok().flatten()).0
    }

    /// Ends a service that was started alone, as Ctrl-C does, and waits for it.
    pub fn close_alone(&mut self, service: Service) {
        let place = self.alone.iter().position(|(which, _)| *which == service).expect("it was started alone");
        let (_, mut child) = self.alone.swap_remove(place);
        signal(child.id(), Signal::INT);
        self.wait_for(MOMENT, "the service ends on Ctrl-C", || child.try_wait().ok().flatten());
    }

    /// The key that staff endpoints want.
    pub fn staff_key(&self) -> String {
        let file = self.data().join("staff.key");
        fs::read_to_string(file).expect("the staff key is there once a service is ready").trim().to_owned()
    }

    /// Every row of a staff list, such as `/orders`, `/payments` or `/tickets`.
    pub fn all(&self, service: Service, list: &str) -> Vec<Value> {
        let key = self.staff_key();
        let (mut rows, mut after) = (Vec::new(), String::new());
        loop {
            let answer = http::get(self.port(service), &format!("/{list}?limit=500{after}"), Some(&key));
            let page = answer.unwrap_or_else(|failure| panic!("GET /{list}: {failure}"));
            assert_eq!(page.status, 200, "GET /{list}: {}", page.body);
            let page = page.json();
            rows.extend(page[list].as_array().cloned().unwrap_or_default());
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => return rows,
            }
        }
    }

    /// Waits until every order has come to its end, and answers with all of them.
    pub fn settle(&self, limit: Duration) -> Vec<Value> {
        const FINAL: [&str; 6] = ["picked_up", "declined", "expired", "cancelled", "refunded", "uncollected"];
        let is_open = |order: &&Value| !FINAL.contains(&order["status"].as_str().unwrap_or_default());
        let mut open = Vec::new();
        let started = Instant::now();
        while started.elapsed() < limit {
            let orders = self.all(Service::Order, "orders");
            open = orders.iter().filter(is_open).take(3).cloned().collect();
            if open.is_empty() {
                return orders;
            }
        }
        panic!("after {limit:?} some orders are still open: {open:#?}");
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

    /// Adds to the customers served so far, and answers how many it were before.
    pub(crate) fn count_served(&self, customers: usize) -> usize {
        self.served.fetch_add(customers, Ordering::Relaxed)
    }

    /// A number drawn for this cafe, for moments that nobody chose.
    pub fn draw(&self, from: Range<u32>) -> u32 {
        let width = f64::from(from.end - from.start);
        from.start + (self.ids.fraction() * width) as u32
    }

    /// What all processes wrote so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn end_all(&mut self) {
        // The supervisor first, or it starts again what is ended below.
        self.kill_supervisor();
        for (_, child) in &mut self.alone {
            signal(child.id(), Signal::KILL);
            let _ = child.wait();
        }
        for service in Service::ALL {
            while let Some(pid) = self.pid(service) {
                signal(pid, Signal::KILL);
            }
        }
        // What it ran under ends with the last it followed.
        if let Some(mut wrapper) = self.up.take() {
            let _ = wrapper.wait();
        }
    }
}

impl Drop for Cafe {
    fn drop(&mut self) {
        self.end_all();
        if std::thread::panicking() {
            let log = self.log();
            let tail: Vec<&str> = log.lines().rev().take(40).collect();
            eprintln!("the log's end:");
            tail.iter().rev().for_each(|line| eprintln!("  {line}"));
            keep_for_reading(self.folder.path());
        }
    }
}

/// With `CAFE_KEEP` set, a failed test's folder is left under that path.
fn keep_for_reading(folder: &Path) {
    if let (Some(keep), Some(name)) = (std::env::var_os("CAFE_KEEP"), folder.file_name()) {
        let _ = fs::create_dir_all(&keep);
        let _ = fs::rename(folder, Path::new(&keep).join(name));
    }
}

/// Sends a signal; a process that has gone meanwhile has no need of it.
pub(crate) fn signal(pid: u32, what: Signal) {
    if let Some(pid) = Pid::from_raw(pid.cast_signed()) {
        let _ = kill_process(pid, what);
    }
}

/// The command run by `wrapper`, if there is one.
fn wrapped(wrapper: &[OsString], command: Command) -> Command {
    let Some((program, flags)) = wrapper.split_first() else { return command };
    let mut whole = Command::new(program);
    whole.args(flags).arg(command.get_program()).args(command.get_args()).stdin(Stdio::null());
    whole.stdout(Stdio::null()).stderr(Stdio::null());
    whole
}

/// Three ports that nobody listens on, all held at once so that they differ.
fn free_ports() -> [u16; 3] {
    let held = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").expect("a free port"));
    held.map(|listener| listener.local_addr().expect("a bound port").port())
}
