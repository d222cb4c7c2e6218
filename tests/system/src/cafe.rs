//! A cafe of real processes.

use std::ffi::OsString;
use std::fs::File;
use std::net::TcpListener;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cafe_clock::Ids;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::replica::Replica;
use crate::{MOMENT, Rung, Service, Site, proc, program, wait_until};

/// A barista that is never what an order waits for.
pub const ROBOT: [&str; 3] = ["--robot", "--robot-speed", "1000"];

/// Two cafes at once on a small machine would be measured against each other, unless they do little but wait.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A cafe in a folder of its own. Dropping it ends every process of it, whatever the test came to.
#[derive(Debug)]
pub struct Cafe {
    pub(crate) folder: TempDir,
    ports: [u16; 3],
    site: Site,
    sites: Vec<(Service, Site)>,
    pub(crate) flags: Vec<String>,
    pub(crate) wrapper: Vec<OsString>,
    environment: Vec<(String, OsString)>,
    ids: Ids,
    served: AtomicUsize,
    pub(crate) up: Option<Child>,
    alone: Vec<(Service, Child)>,
    pub(crate) replicas: Vec<Replica>,
    _turn: Option<MutexGuard<'static, ()>>,
}

impl Cafe {
    /// Starts `cafe up` with these flags, and waits until all three are ready.
    pub fn up(flags: &[&str]) -> Self {
        Self::up_on(Rung::Embedded, flags)
    }

    /// The same on a rung, on servers that this process's cafes share and must not harm.
    pub fn up_on(rung: Rung, flags: &[&str]) -> Self {
        Self::closed_on(rung, flags).opened()
    }

    /// The same on servers of the test's own, for which see [`Site::of`].
    pub fn up_at(site: Site, flags: &[&str]) -> Self {
        Self::closed_at(site, flags).opened()
    }

    /// The same beside other cafes of this process.
    pub fn up_beside_others(flags: &[&str]) -> Self {
        Self::new(None, Site::default, flags).opened()
    }

    /// The same, and nothing running yet.
    pub fn closed_beside_others(flags: &[&str]) -> Self {
        Self::new(None, Site::default, flags)
    }

    /// The same, `cafe up` run by another program, such as `strace`, that follows it into its children.
    pub fn up_under(wrapper: &[OsString], flags: &[&str]) -> Self {
        let mut cafe = Self::closed(flags);
        cafe.wrapper = wrapper.to_vec();
        cafe.opened()
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
        Self::closed_on(Rung::Embedded, flags)
    }

    /// The same on a rung, for which see [`Cafe::up_on`].
    pub fn closed_on(rung: Rung, flags: &[&str]) -> Self {
        Self::new(Some(its_turn()), || rung.site(), flags)
    }

    /// The same on servers of the test's own, for which see [`Site::of`].
    pub fn closed_at(site: Site, flags: &[&str]) -> Self {
        Self::new(Some(its_turn()), || site, flags)
    }

    /// The site is made when no other cafe is at work, if this one waits for its turn.
    fn new(turn: Option<MutexGuard<'static, ()>>, site: impl FnOnce() -> Site, flags: &[&str]) -> Self {
        let flags = flags.iter().map(|&flag| flag.to_owned()).collect();
        let folder = tempfile::Builder::new().prefix("cafe-").tempdir().expect("a folder for the cafe");
        Self {
            folder,
            ports: free_ports(),
            site: site(),
            sites: Vec::new(),
            flags,
            wrapper: Vec::new(),
            environment: Vec::new(),
            ids: Ids::random(),
            served: AtomicUsize::new(0),
            up: None,
            alone: Vec::new(),
            replicas: Vec::new(),
            _turn: turn,
        }
    }

    /// Sets a variable of the environment for whatever is started from now on.
    pub fn set(&mut self, name: &str, value: impl Into<OsString>) {
        self.environment.push((name.to_owned(), value.into()));
    }

    fn opened(mut self) -> Self {
        self.open();
        self.wait_until_ready();
        self
    }

    /// Starts `cafe up`, without waiting for anything.
    pub fn open(&mut self) {
        let mut up = self.command("up");
        up.args(&self.flags);
        self.up = Some(wrapped(&self.wrapper, up).spawn().expect("the program starts"));
    }

    /// Starts `cafe up` and waits until all three are ready, on other ports if need be: beside many cafes a customer of another may
    /// have been given one of ours meanwhile.
    pub(crate) fn open_somewhere(&mut self) {
        self.open();
        while !wait_until(MOMENT * 3, "the cafe opens", || self.has_opened()).0 {
            self.ports = free_ports();
            self.open();
        }
    }

    /// Whether it is open, once it is or could not be for want of a port.
    fn has_opened(&mut self) -> Option<bool> {
        let ended = self.up.as_mut().is_some_and(|up| matches!(up.try_wait(), Ok(Some(_))));
        if ended {
            let log = self.log();
            assert!(
                log.lines().any(|line| line.contains(" is in use on ")),
                "the cafe does not open:\n{log}"
            );
            return Some(false);
        }
        self.is_open().then_some(true)
    }

    /// Starts one service by itself, watched over by nobody.
    pub fn open_alone(&mut self, service: Service) {
        let child = self.command(service.name()).args(&self.flags).spawn().expect("the program starts");
        self.alone.push((service, child));
    }

    /// The same, run by another program, such as `strace`, that ends with it and as it does.
    pub fn open_alone_under(&mut self, wrapper: &[OsString], service: Service) {
        let mut command = self.command(service.name());
        command.args(&self.flags);
        let child = self.logged(wrapped(wrapper, command)).spawn().expect("the wrapper starts");
        self.alone.push((service, child));
    }

    /// Waits until a service that was started alone has ended, and answers how.
    ///
    /// # Panics
    /// If it has not within `limit`.
    pub fn wait_for_end_alone(&mut self, service: Service, limit: Duration) -> ExitStatus {
        let place = self.alone.iter().position(|(alone, _)| *alone == service);
        let (_, mut child) = self.alone.remove(place.expect("the service was started alone"));
        let what = format!("{} ends", service.name());
        let ended = || child.try_wait().expect("a child can be waited for");
        wait_until(limit, &what, ended).0
    }

    /// Any command of the program, on this cafe's folder and ports, its output added to the log.
    pub fn command(&self, name: &str) -> Command {
        self.logged(self.shown_command(name))
    }

    pub(crate) fn logged(&self, mut command: Command) -> Command {
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
        self.command_of(program(), name, |service| self.port(service))
    }

    pub(crate) fn command_of(&self, program: &Path, name: &str, port: impl Fn(Service) -> u16) -> Command {
        let mut command = Command::new(program);
        command.arg(name).arg("--data").arg(self.data()).current_dir(self.folder.path());
        // Nobody's traces are to be fed with these cafes.
        for (inherited, _) in std::env::vars().filter(|(name, _)| name.starts_with("OTEL_")) {
            command.env_remove(inherited);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        for service in Service::ALL {
            command.arg(format!("--{}-port", service.name())).arg(port(service).to_string());
        }
        let own = self.sites.iter().find(|(service, _)| service.name() == name);
        command.args(own.map_or(&self.site, |(_, site)| site).flags());
        command
    }

    /// Lets one service that is started alone reach the same servers in another way, such as through a proxy.
    pub fn set_site(&mut self, service: Service, site: Site) {
        self.sites.push((service, site));
    }

    /// Runs SQL in the databases of a cafe on a rung, as `psql` does; the schema of a service is `cafe_<service>`.
    ///
    /// # Panics
    /// With what the server says.
    pub fn sql(&self, sql: &str) -> String {
        self.site.sql(sql)
    }

    /// What it stands on.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// The port of a service.
    pub fn port(&self, service: Service) -> u16 {
        self.ports[service as usize]
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Sends the service a signal, and answers which process got it.
    ///
    /// # Panics
    /// If the service is not running.
    pub fn signal(&self, service: Service, what: Signal) -> u32 {
        let (pid, _) = wait_until(MOMENT, "the service has a process", || self.pid(service));
        signal(pid, what);
        pid
    }

    /// Adds to the customers served so far, and answers how many it were before.
    pub(crate) fn count_served(&self, customers: usize) -> usize {
        self.served.fetch_add(customers, Ordering::Relaxed)
    }

    /// From now on the same numbers are drawn for the same seed.
    pub fn draw_from_seed(&mut self, seed: u64) {
        self.ids = Ids::seeded(seed);
    }

    /// A number drawn for this cafe, for moments that nobody chose.
    pub fn draw(&self, from: Range<u32>) -> u32 {
        let width = f64::from(from.end - from.start);
        from.start + (self.ids.fraction() * width) as u32
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
        signal(self.supervisor().expect("`cafe up` is running"), Signal::INT);
        let mut up = self.up.take().expect("what it runs under has not ended before it");
        wait_until(MOMENT, "cafe up ends on Ctrl-C", || up.try_wait().ok().flatten()).0
    }

    pub(crate) fn log_path(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn end_all(&mut self) {
        // The supervisor first, or it starts again what is ended below.
        self.kill_supervisor();
        let replicas = self.replicas.iter_mut().map(|replica| &mut replica.child);
        for child in self.alone.iter_mut().map(|(_, child)| child).chain(replicas) {
            signal(child.id(), Signal::KILL);
            let _ = child.wait();
        }
        // By their command lines: one that has only just been started has not written its process id yet.
        while let Some(pid) = proc::with_argument(&self.data()) {
            signal(pid, Signal::KILL);
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
            cafe_rig::keep_if_failed(self.folder.path());
        }
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

/// A port that nobody listens on.
pub(crate) fn free_port() -> u16 {
    let held = TcpListener::bind("127.0.0.1:0").expect("a free port");
    held.local_addr().expect("a bound port").port()
}

fn its_turn() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Three ports that nobody listens on, all held at once so that they differ.
fn free_ports() -> [u16; 3] {
    let held = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").expect("a free port"));
    held.map(|listener| listener.local_addr().expect("a bound port").port())
}
