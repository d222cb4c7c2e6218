//! `PostgreSQL` in a folder of its own.

mod programs;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;

use crate::certificate::Certificate;
use crate::folder::Folder;
use crate::machine::User;
use crate::port::Port;
use crate::process::{self, KILLED, Keeper, Launch, Process};
use crate::proxy::Proxy;
use crate::wait::wait_for;

pub(crate) use programs::programs;
use programs::unprivileged;

/// What a start takes at most, recovery after a kill included, on a machine that is busy.
const STARTED: Duration = Duration::from_mins(1);
/// What a statement of [`Postgres::psql`] may take, in seconds.
const STATEMENT_LIMIT_S: &str = "60";
/// An orderly end, which waits for the last checkpoint.
const STOPPED: Duration = Duration::from_secs(30);

/// Small, durable, on loopback only.
const SETTINGS: [(&str, &str); 9] = [
    ("listen_addresses", "127.0.0.1"),
    ("unix_socket_directories", ""),
    ("fsync", "on"),
    ("synchronous_commit", "on"),
    ("full_page_writes", "on"),
    ("shared_buffers", "64MB"),
    // Left behind in the folder, and not in the machine's memory, by a server that is killed.
    ("dynamic_shared_memory_type", "mmap"),
    ("timezone", "UTC"),
    ("lc_messages", "C"),
];

/// A database server. Dropping it ends every process of it.
#[derive(Debug)]
pub struct Postgres {
    state: Mutex<State>,
    programs: PathBuf,
    user: Option<User>,
    port: Port,
    folder: Folder,
}

#[derive(Debug, Default)]
struct State {
    server: Option<Process>,
    frozen: Option<Frozen>,
}

#[derive(Debug)]
struct Frozen {
    ids: Vec<u32>,
    _keeper: Keeper,
}

impl Postgres {
    /// Makes an empty database server and waits until it answers.
    ///
    /// # Errors
    /// If `PostgreSQL` is missing and cannot be installed, or does not start; with the end of its log.
    pub fn start() -> Result<Self> {
        Self::with(&[])
    }

    /// The same, with further settings of `postgresql.conf`, such as `("max_connections", "20")`.
    pub fn with(settings: &[(&str, &str)]) -> Result<Self> {
        Self::new()?.begun(settings)
    }

    /// The same, and it shows this certificate to whoever asks for TLS; to others it speaks without.
    pub fn with_tls(certificate: &Certificate) -> Result<Self> {
        let postgres = Self::new()?;
        let files = [("ssl_cert_file", certificate.path()), ("ssl_key_file", certificate.key())];
        let mut settings = vec![("ssl", "on".to_owned())];
        for (name, theirs) in files {
            // A key that others can read is refused.
            let ours = postgres.folder.path().join(name);
            fs::copy(theirs, &ours)?;
            fs::set_permissions(&ours, Permissions::from_mode(0o600))?;
            postgres.hand_over(&ours)?;
            settings.push((name, ours.display().to_string()));
        }
        let settings: Vec<_> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
        postgres.begun(&settings)
    }

    fn new() -> Result<Self> {
        Ok(Self {
            state: Mutex::default(),
            programs: programs()?,
            user: unprivileged()?,
            port: Port::free()?,
            folder: Folder::new()?,
        })
    }

    fn begun(self, settings: &[(&str, &str)]) -> Result<Self> {
        self.create(settings)?;
        self.launch(&mut self.state())?;
        self.wait_until_ready()?;
        Ok(self)
    }

    /// Its address, for a superuser without a password.
    pub fn url(&self) -> String {
        url(self.port())
    }

    /// Its address through a proxy, which has to lead to [`Postgres::port`].
    pub fn url_via(&self, proxy: &Proxy) -> String {
        url(proxy.port())
    }

    /// Where it listens on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// The process ids of the server and of all that it has started; none if it was killed.
    pub fn process_ids(&self) -> Vec<u32> {
        let server = self.state().server.as_ref().map(Process::id);
        server.into_iter().flat_map(|id| [vec![id], process::children(id)].concat()).collect()
    }

    /// Runs SQL as `psql` does, and answers with what it prints: a line for each row, `|` between columns.
    ///
    /// # Errors
    /// With what the server says.
    pub fn psql(&self, sql: &str) -> Result<String> {
        self.psql_at(&self.url(), sql)
    }

    /// The same at another address, such as that of a proxy or of another database.
    pub fn psql_at(&self, url: &str, sql: &str) -> Result<String> {
        let mut psql = Command::new("timeout");
        psql.args(["--signal", "KILL", STATEMENT_LIMIT_S]).arg(self.programs.join("psql"));
        psql.args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set", "ON_ERROR_STOP=1"]);
        psql.args(["--dbname", url, "--command", sql]).stdin(Stdio::null());
        let surrounding = std::env::vars_os().map(|(name, _)| name);
        for name in surrounding.filter(|name| name.to_string_lossy().starts_with("PG")) {
            psql.env_remove(name);
        }
        let output = psql.env("PGCONNECT_TIMEOUT", "5").output().context("psql does not start")?;
        let error = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "psql: {}", error.trim());
        Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
    }

    /// Waits until it answers a statement.
    ///
    /// # Errors
    /// If it was killed, has ended by itself, or does not answer in a minute.
    pub fn wait_until_ready(&self) -> Result<()> {
        wait_for(STARTED, "PostgreSQL answers", || {
            self.state().server.as_mut().context("PostgreSQL was killed")?.demand_running()?;
            Ok(self.psql("SELECT 1").ok())
        })?;
        Ok(())
    }

    /// `kill -9` of every process of it, as when the power fails.
    pub fn kill(&self) -> Result<()> {
        self.state().kill()
    }

    /// Stops every process of it where it stands (SIGSTOP); connections stay open and nothing answers.
    pub fn freeze(&self) -> Result<()> {
        let mut state = self.state();
        let server = state.server.as_ref().context("PostgreSQL was killed")?;
        let ids = family(server.id())?;
        let keeper = Keeper::of(&ids)?;
        process::freeze(&ids)?;
        state.frozen = Some(Frozen { ids, _keeper: keeper });
        Ok(())
    }

    /// Lets it go on where it was frozen.
    pub fn thaw(&self) -> Result<()> {
        let frozen = self.state().frozen.take().context("PostgreSQL is not frozen")?;
        process::signal_all(&frozen.ids, Signal::CONT);
        Ok(())
    }

    /// Starts it again, after [`Postgres::kill`] or in an orderly way, and waits until it answers.
    pub fn restart(&self) -> Result<()> {
        let mut state = self.state();
        if state.frozen.is_some() {
            state.kill()?;
        }
        if let Some(mut running) = state.server.take() {
            // SIGINT is "fast": sessions are ended, what was committed is written.
            running.stop(Signal::INT, STOPPED)?;
        }
        self.launch(&mut state)?;
        drop(state);
        self.wait_until_ready()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn create(&self, settings: &[(&str, &str)]) -> Result<()> {
        fs::create_dir(self.data())?;
        fs::set_permissions(self.data(), Permissions::from_mode(0o700))?;
        // Without a user before it, `env` only runs it.
        let mut command = Command::new("env");
        self.hand_over(&self.data())?;
        if let Some(user) = &self.user {
            command.args(user.prefix());
        }
        command.arg(self.programs.join("initdb")).arg("--pgdata").arg(self.data());
        // What it has just written need not be on disk: a machine that dies here has nothing to lose.
        command.args(["--auth", "trust", "--username", USER, "--encoding", "UTF8", "--no-sync"]);
        command.args(["--locale", "C", "--no-instructions"]).current_dir(self.data());
        let output = command.env("LC_ALL", "C").stdin(Stdio::null()).output().context("initdb")?;
        let error = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "initdb fails: {}", error.trim());
        let port = self.port().to_string();
        let listen = [("port", port.as_str())];
        let all = SETTINGS.iter().chain(&listen).chain(settings);
        let lines: Vec<String> = all.map(|(name, value)| format!("{name} = '{value}'\n")).collect();
        let file = self.data().join("postgresql.conf");
        Ok(fs::write(&file, fs::read_to_string(&file)? + &lines.concat())?)
    }

    /// Gives a file or folder to whom the server runs as.
    fn hand_over(&self, path: &Path) -> Result<()> {
        let Some(user) = &self.user else { return Ok(()) };
        Ok(std::os::unix::fs::chown(path, Some(user.uid), Some(user.gid))?)
    }

    fn launch(&self, state: &mut State) -> Result<()> {
        let data = self.data();
        let server = Process::start(&Launch {
            program: &self.programs.join("postgres"),
            arguments: vec!["-D".into(), data.clone().into()],
            user: self.user.as_ref(),
            // "Immediate": it ends its children and frees the memory that they share.
            last_signal: "QUIT",
            folder: &data,
            log: self.folder.path().join("postgres.log"),
        })?;
        state.server = Some(server);
        Ok(())
    }
}

impl State {
    fn kill(&mut self) -> Result<()> {
        let mut server = self.server.take().context("PostgreSQL was killed already")?;
        let ids = family(server.id())?;
        process::signal_all(&ids, Signal::KILL);
        self.frozen = None;
        server.kill();
        let all_gone = || ids.iter().all(|id| process::is_gone(*id));
        wait_for(KILLED, "PostgreSQL's processes are gone", || Ok(all_gone().then_some(())))
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let data = self.data();
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if state.frozen.is_none()
            && let Some(server) = &mut state.server
            && server.stop(Signal::QUIT, KILLED).is_ok()
        {
            return;
        }
        if state.server.is_some() {
            let _ = state.kill();
        }
        forget_shared_memory(&data);
    }
}

const USER: &str = "cafe";

fn url(port: u16) -> String {
    format!("postgres://{USER}@127.0.0.1:{port}/postgres")
}

/// The server and all that it has started. It is stopped, or it would start another one meanwhile.
fn family(server: u32) -> Result<Vec<u32>> {
    process::freeze(&[server])?;
    let mut ids = process::children(server);
    ids.push(server);
    Ok(ids)
}

/// A server that was killed leaves a few bytes of System V shared memory, whose number is the last on line 7 of its
/// `postmaster.pid`; its next start would free them.
fn forget_shared_memory(data: &Path) {
    let file = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
    let number = file.lines().nth(6).and_then(|line| line.split_whitespace().nth(1));
    if let Some(number) = number {
        let _ = Command::new("ipcrm").args(["--shmem-id", number]).stderr(Stdio::null()).status();
    }
}
