//! A cafe of real processes for one test.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::Value;
use tempfile::TempDir;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_cafe");
pub(crate) const SERVICES: [&str; 3] = ["order", "payment", "barista"];
/// Far longer than anything here takes; a condition that is not met by then never will be.
const LIMIT: Duration = Duration::from_secs(40);

pub(crate) struct Cafe {
    folder: TempDir,
    ports: [u16; 3],
    up: Option<Child>,
}

impl Cafe {
    /// A folder and ports; nothing runs yet.
    pub(crate) fn closed() -> Self {
        let held = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let ports = held.map(|listener| listener.local_addr().unwrap().port());
        Self { folder: tempfile::tempdir().unwrap(), ports, up: None }
    }

    /// Open for customers.
    pub(crate) fn open(flags: &[&str]) -> Self {
        let mut cafe = Self::closed();
        cafe.open_with(flags);
        cafe
    }

    pub(crate) fn open_with(&mut self, flags: &[&str]) {
        let greetings = self.greetings();
        let log = File::options().create(true).append(true).open(self.path("log")).unwrap();
        let mut up = self.command(&["up"]);
        up.args(flags).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        self.watch(up.spawn().unwrap());
        wait_for("the cafe is open", || (self.greetings() > greetings).then_some(()));
    }

    fn greetings(&self) -> usize {
        self.log().matches("Ctrl-C closes the cafe.").count()
    }

    /// Waits until a `cafe up` that was started elsewhere serves, and ends it with the test.
    pub(crate) fn watch(&mut self, up: Child) {
        self.up = Some(up);
        for service in SERVICES {
            self.wait_until_serving(service);
        }
    }

    /// Runs a command of the program to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// The program with this cafe's folder and ports as flags.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.bare_command(arguments);
        command.arg("--data").arg(self.data());
        for (service, port) in SERVICES.iter().zip(self.ports) {
            command.arg(format!("--{service}-port")).arg(port.to_string());
        }
        command
    }

    /// The program in this cafe's folder, nothing set; a closed terminal ends it, also where the tests run under nohup.
    pub(crate) fn bare_command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("env");
        command.args(["--default-signal=HUP", PROGRAM]).args(arguments).current_dir(self.folder.path());
        let is_setting = |name: &str| ["CAFE_", "OTEL_"].iter().any(|start| name.starts_with(start));
        for (name, _) in std::env::vars().filter(|(name, _)| is_setting(name)) {
            command.env_remove(name);
        }
        command
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path("data")
    }

    pub(crate) fn port(&self, service: &str) -> u16 {
        self.ports[SERVICES.iter().position(|name| *name == service).unwrap()]
    }

    /// Has this cafe use `port`, whoever else does.
    pub(crate) fn take_port(&mut self, service: &str, port: u16) {
        self.ports[SERVICES.iter().position(|name| *name == service).unwrap()] = port;
    }

    pub(crate) fn pid(&self, service: &str) -> Option<u32> {
        let pid =
            fs::read_to_string(self.data().join(format!("run/{service}.pid"))).ok()?.trim().parse().ok()?;
        is_alive(pid).then_some(pid)
    }

    pub(crate) fn pids(&self) -> [Option<u32>; 3] {
        SERVICES.map(|service| self.pid(service))
    }

    pub(crate) fn up_pid(&self) -> u32 {
        self.up.as_ref().unwrap().id()
    }

    pub(crate) fn serves(&self, service: &str) -> bool {
        self.get(service, "/health/live", None).is_some_and(|(status, _)| status == 200)
    }

    pub(crate) fn wait_until_serving(&self, service: &str) {
        wait_for(&format!("the {service} service answers"), || self.serves(service).then_some(()));
    }

    pub(crate) fn get(&self, service: &str, path: &str, key: Option<&str>) -> Option<(u16, String)> {
        self.ask(service, &format!("GET {path}"), key, "")
    }

    /// Orders an americano; answers its id.
    pub(crate) fn order(&self) -> String {
        let wish = r#"{"items":[{"menu":"americano"}],"payment":{"vendor":"simulator","token":"tok_ok"}}"#;
        let (status, body) = self.ask("order", "POST /orders", None, wish).unwrap();
        assert_eq!(status, 201, "{body}");
        serde_json::from_str::<Value>(&body).unwrap()["id"].as_str().unwrap().to_owned()
    }

    /// As somebody who calls this machine by its address `ip`; nothing if nobody listens there.
    pub(crate) fn get_at(
        &self,
        ip: IpAddr,
        service: &str,
        path: &str,
        key: Option<&str>,
    ) -> Option<(u16, String)> {
        Self::ask_at((ip, self.port(service)).into(), &format!("GET {path}"), key, "")
    }

    fn ask(&self, service: &str, request: &str, key: Option<&str>, body: &str) -> Option<(u16, String)> {
        Self::ask_at((Ipv4Addr::LOCALHOST, self.port(service)).into(), request, key, body)
    }

    fn ask_at(address: SocketAddr, request: &str, key: Option<&str>, body: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(address).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        let key = key.map_or_else(String::new, |key| format!("authorization: Bearer {key}\r\n"));
        let about_body = format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len());
        write!(
            stream,
            "{request} HTTP/1.1\r\nhost: cafe\r\nconnection: close\r\n{key}{about_body}\r\n{body}"
        )
        .ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
    }

    pub(crate) fn staff_key(&self) -> String {
        fs::read_to_string(self.data().join("staff.key")).unwrap().trim().to_owned()
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// `kill -9` of `up` alone.
    pub(crate) fn kill_up(&mut self) {
        let mut up = self.up.take().unwrap();
        up.kill().unwrap();
        up.wait().unwrap();
    }

    /// Ends `up` with a signal, and waits for it.
    pub(crate) fn close_with(&mut self, signal: Signal) -> ExitStatus {
        // Kept until it has ended, so that a test which fails here still leaves no process behind.
        let up = self.up.as_mut().unwrap();
        send(up.id(), signal);
        let status = wait_for("`cafe up` ends", || up.try_wait().unwrap());
        self.up = None;
        status
    }

    pub(crate) fn close(&mut self) {
        assert!(self.close_with(Signal::INT).success(), "{}", self.log());
    }
}

impl Drop for Cafe {
    fn drop(&mut self) {
        if self.up.is_some() {
            self.kill_up();
        }
        for service in SERVICES {
            if let Some(pid) = self.pid(service) {
                send(pid, Signal::KILL);
            }
        }
        if std::thread::panicking() {
            eprintln!("the log of the cafe:\n{}", self.log());
        }
    }
}

pub(crate) fn send(pid: u32, signal: Signal) {
    let _ = kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), signal);
}

pub(crate) fn is_alive(pid: u32) -> bool {
    let is_zombie =
        || fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") Z "));
    Pid::from_raw(pid.cast_signed()).is_some_and(|pid| test_kill_process(pid).is_ok()) && !is_zombie()
}

/// Waits for a condition, and says what it was if it is never met.
pub(crate) fn wait_for<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(met) = condition() {
            return met;
        }
        assert!(started.elapsed() < LIMIT, "not within {LIMIT:?}: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

pub(crate) fn words(output: &[u8]) -> String {
    String::from_utf8_lossy(output).into_owned()
}
