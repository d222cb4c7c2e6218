//! Programs as others would write them, in `NestJS` on kafkajs: `tests/system/nest`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tempfile::TempDir;

use crate::wait_until;

/// What the installed `NestJS` asks for.
const NODE_AT_LEAST: u32 = 20;
/// Node reads some thousand files first, and a consumer group takes its time to form: until the session of a member that was
/// killed has ended, 30 s by kafkajs' default.
const STARTED: Duration = Duration::from_secs(90);

/// The programs, ready to be run.
#[derive(Clone, Debug)]
pub struct Nest {
    folder: PathBuf,
}

/// Where something that a stranger wrote to topic `order` has come to stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// `plain text`, `json without headers`, `tombstone` or `binary garbage`.
    pub what: String,
    /// In this partition,
    pub partition: i32,
    /// at this offset.
    pub offset: i64,
}

impl Nest {
    /// Installs them from npm into `target/nest`, once; whoever comes meanwhile waits.
    ///
    /// # Errors
    /// A sentence that says what is missing.
    pub fn install() -> Result<Self> {
        demand_node()?;
        let folder = target().join("nest");
        fs::create_dir_all(&folder)?;
        // Given back when the file is closed, also by a process that dies.
        let lock = File::create(folder.join("installing")).context("target/nest cannot be written")?;
        lock.lock()?;
        let files = files()?;
        let (wanted, installed) = (fingerprint(&files), folder.join("installed"));
        if fs::read(&installed).ok().as_ref() != Some(&wanted) {
            for (name, text) in &files {
                fs::write(folder.join(name), text)?;
            }
            npm(&folder, &["ci", "--no-progress"]).context("is npm's registry reachable?")?;
            npm(&folder, &["run", "--silent", "build"])?;
            fs::write(installed, wanted)?;
        }
        Ok(Self { folder })
    }

    /// A file of one of the packages, such as `kafkajs/package.json`.
    pub fn package_file(&self, path: &str) -> PathBuf {
        self.folder.join("node_modules").join(path)
    }

    /// Starts a listener to topic `order`, in group `cafe-payment-nest`, from the topic's beginning.
    pub fn consumer(&self, bootstrap: &str) -> Consumer {
        Consumer(self.start("listener", bootstrap, &[]))
    }

    /// Has a stranger write plain text, JSON without headers, a tombstone and bytes to topic `order`: with the key of an order, or
    /// as it comes.
    ///
    /// # Panics
    /// If it fails, with what it said.
    pub fn produce_foreign(&self, bootstrap: &str, key: Option<&str>) -> Vec<Foreign> {
        let key: Vec<_> = key.map(|key| ("KEY", key.to_owned())).into_iter().collect();
        let mut stranger = self.start("stranger", bootstrap, &key);
        let ended = || stranger.process.try_wait().ok().flatten();
        let (status, _) = wait_until(STARTED, "the stranger has written", ended);
        assert!(status.success(), "the stranger failed: {}", stranger.said());
        stranger.printed().iter().map(Foreign::of).collect()
    }

    /// Starts the application that the bench compares with: `POST /` emits the body to topic `order`. Serves when this returns.
    pub fn emitter(&self, bootstrap: &str, port: u16) -> Emitter {
        let mut emitter = self.start("emitter", bootstrap, &[("PORT", port.to_string())]);
        emitter.wait_until("the emitter serves", |printed| printed.first().map(|_| ()));
        Emitter(emitter)
    }

    fn start(&self, program: &str, bootstrap: &str, settings: &[(&str, String)]) -> Program {
        let folder = tempfile::Builder::new().prefix("nest-").tempdir().expect("a folder for what it says");
        let file = |name: &str| File::create(folder.path().join(name)).expect("a file in our own folder");
        let mut command = Command::new("node");
        command.arg(self.folder.join(format!("built/{program}.js")));
        command
            .env("KAFKA", bootstrap)
            .env_remove("KEY")
            .envs(settings.iter().map(|(name, value)| (name, value)));
        command.envs([("NO_COLOR", "1"), ("KAFKAJS_NO_PARTITIONER_WARNING", "1")]);
        command.stdin(Stdio::null()).stdout(file("printed")).stderr(file("said"));
        Program { process: command.spawn().expect("node starts"), folder }
    }
}

impl Foreign {
    fn of(printed: &Value) -> Self {
        Self {
            what: printed["what"].as_str().expect("it says what it wrote").to_owned(),
            partition: printed["partition"].as_i64().expect("it says to which partition") as i32,
            offset: printed["offset"]
                .as_str()
                .and_then(|at| at.parse().ok())
                .expect("it says at which offset"),
        }
    }
}

/// A listener to topic `order`. Dropping it kills it.
#[derive(Debug)]
pub struct Consumer(Program);

impl Consumer {
    /// What it has heard so far: objects with `topic`, `partition`, `offset`, `key`, `headers` and `value`, made of JSON where a
    /// value was that, of text otherwise, and of Node's `Buffer` where it was neither.
    pub fn heard(&self) -> Vec<Value> {
        self.0.printed()
    }

    /// Waits until it has heard something of which `found` makes what is looked for.
    ///
    /// # Panics
    /// If that does not come, or the program ends.
    pub fn wait_until<T>(&mut self, what: &str, found: impl FnMut(&[Value]) -> Option<T>) -> T {
        self.0.wait_until(what, found)
    }
}

/// An application that only emits. Dropping it kills it.
#[derive(Debug)]
pub struct Emitter(Program);

impl Emitter {
    /// For a look at its memory and its processor time.
    pub fn pid(&self) -> u32 {
        self.0.process.id()
    }
}

#[derive(Debug)]
struct Program {
    process: Child,
    folder: TempDir,
}

impl Program {
    /// Its complete lines of output.
    fn printed(&self) -> Vec<Value> {
        let text = self.read("printed");
        let complete = text.rsplit_once('\n').map_or("", |(complete, _)| complete);
        complete.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
    }

    fn said(&self) -> String {
        self.read("said")
    }

    fn read(&self, name: &str) -> String {
        let bytes = fs::read(self.folder.path().join(name)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn wait_until<T>(&mut self, what: &str, mut found: impl FnMut(&[Value]) -> Option<T>) -> T {
        let look = || {
            let ended = self.process.try_wait().ok().flatten();
            assert!(ended.is_none(), "waited for this: {what}; but the program ended: {}", self.said());
            found(&self.printed())
        };
        wait_until(STARTED, what, look).0
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            eprintln!("what a program in NestJS said:\n{}", self.said());
        }
    }
}

/// Node and npm, new enough; on Debian, root installs them where there are none.
fn demand_node() -> Result<()> {
    if node_version().is_none() || !is_there("npm") {
        install_on_debian();
    }
    let Some(version) = node_version().filter(|_| is_there("npm")) else {
        bail!(
            "there is no `node` or no `npm`, which the NestJS programs need: install Node.js {NODE_AT_LEAST} or newer with npm"
        );
    };
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse().ok());
    ensure!(
        major.is_some_and(|major: u32| major >= NODE_AT_LEAST),
        "`node` is {version}, and the NestJS programs need {NODE_AT_LEAST} or newer"
    );
    Ok(())
}

fn node_version() -> Option<String> {
    let output = Command::new("node").arg("--version").output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn is_there(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Whether it came to anything is looked at afterwards.
fn install_on_debian() {
    if Path::new("/etc/debian_version").exists() && rustix::process::geteuid().is_root() {
        let apt = |arguments: &[&str]| Command::new("apt-get").args(arguments).stdout(Stdio::null()).status();
        let _ = apt(&["update", "--quiet"]);
        let _ = apt(&["install", "--yes", "--quiet", "--no-install-recommends", "nodejs", "npm"]);
    }
}

/// What is in `tests/system/nest`, by name; what somebody built there by hand is in folders.
fn files() -> Result<BTreeMap<OsString, Vec<u8>>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/nest"))? {
        let entry = entry?;
        if entry.path().is_file() {
            files.insert(entry.file_name(), fs::read(entry.path())?);
        }
    }
    Ok(files)
}

fn fingerprint(files: &BTreeMap<OsString, Vec<u8>>) -> Vec<u8> {
    files.iter().flat_map(|(name, text)| [name.as_encoded_bytes(), text]).collect::<Vec<_>>().concat()
}

fn npm(folder: &Path, arguments: &[&str]) -> Result<()> {
    let npm = Command::new("npm").args(arguments).current_dir(folder).stdin(Stdio::null()).output()?;
    let said = String::from_utf8_lossy(&npm.stderr);
    ensure!(npm.status.success(), "`npm {}` fails: {}", arguments.join(" "), said.trim());
    Ok(())
}

fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target")), PathBuf::from)
}
