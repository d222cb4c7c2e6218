//! Chromium without a window, and the driver through which a test tells it what to do.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::Signal;

use crate::axe::axe;
use crate::folder::Folder;
use crate::machine::{found_or_installed, on_path};
use crate::process::{self, KILLED, Launch, Process};
use crate::wait::wait_for;

/// Debian's program itself: the script of that name on the PATH adds flags that an owner of the machine may have set.
const DEBIANS: &str = "/usr/lib/chromium/chromium";
/// On a machine that is busy.
const STARTED: Duration = Duration::from_mins(1);
const PROFILE: &str = "profile";
/// What comes before the port in the driver's first words.
const SAYS_PORT: &str = "started successfully on port ";
/// What it says of a port that it cannot have.
const SAYS_IN_USE: &str = "Address already in use";
/// So often in a row it does not come upon one that is in use.
const DRIVER_STARTS: usize = 5;

/// It asks nobody for updates, and reaches nothing but this machine: what a page wants from elsewhere fails, and can be seen.
const FLAGS: [&str; 16] = [
    "--headless",
    // It is needed wherever we are root, and a test's pages are our own.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    // Where a container's is small, a page would crash.
    "--disable-dev-shm-usage",
    "--no-proxy-server",
    // `cafe.test` is this machine as others call it: without HTTPS a browser does not trust what it is sent under such a name.
    "--host-resolver-rules=MAP cafe.test 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    "--log-level=3",
    "--remote-debugging-port=0",
];

/// A browser with a new profile. Dropping it ends every process of it.
#[derive(Debug)]
pub struct Chromium {
    browser: Process,
    driver: Process,
    driver_port: u16,
    debugger_port: u16,
    folder: Folder,
}

impl Chromium {
    /// Starts the browser and its driver, and waits until both listen.
    ///
    /// # Errors
    /// If one is missing and cannot be installed, or does not start.
    pub fn start() -> Result<Self> {
        let (browser, driver) = (browser()?, driver()?);
        font()?;
        let folder = Folder::new()?;
        // Both leave files of theirs in what they take for the temporary folder and for a home.
        for name in ["tmp", "home"] {
            fs::create_dir(folder.path().join(name))?;
        }
        let profile = folder.path().join(PROFILE);
        let mut flags: Vec<OsString> = FLAGS.iter().map(OsString::from).collect();
        flags.push([OsString::from("--user-data-dir="), profile.clone().into()].into_iter().collect());
        // Else its own first page would be among what it is asked to show.
        flags.push("about:blank".into());
        let mut browser = start(&folder, "browser.log", &browser, flags)?;
        let (driver, driver_port) = start_driver(&folder, &driver)?;
        let debugger_port =
            port(&mut browser, || fs::read_to_string(profile.join("DevToolsActivePort")).ok())?;
        Ok(Self { browser, driver, driver_port, debugger_port, folder })
    }

    /// Where the driver speaks `WebDriver`.
    pub fn driver_port(&self) -> u16 {
        self.driver_port
    }

    /// Where the browser is told what to do; the driver has to be told.
    pub fn debugger(&self) -> String {
        format!("127.0.0.1:{}", self.debugger_port)
    }

    /// Every process of it, those of its own that look for crashes included, which leave the group.
    pub fn process_ids(&self) -> Vec<u32> {
        let (browser, driver) = (self.browser.id(), self.driver.id());
        let is_ours = |id: &u32| {
            process::group_of(*id).is_some_and(|group| group == browser || group == driver)
                || process::mentions(*id, self.folder.path())
        };
        process::all().into_iter().filter(is_ours).collect()
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let all = self.process_ids();
        process::signal_all(&all, Signal::KILL);
        self.browser.kill();
        self.driver.kill();
        let gone = || Ok(all.iter().all(|id| process::is_gone(*id)).then_some(()));
        let _ = wait_for(KILLED, "the browser's processes are gone", gone);
        // Megabytes that nobody would read, wherever the folder is kept.
        let _ = fs::remove_dir_all(self.folder.path().join(PROFILE));
    }
}

/// Installs and fetches all that a browser test needs.
///
/// # Errors
/// Say what is missing and how to come by it.
pub fn prepare_browser() -> Result<()> {
    browser()?;
    driver()?;
    font()?;
    axe().map(drop)
}

fn browser() -> Result<PathBuf> {
    let debians = || Some(PathBuf::from(DEBIANS)).filter(|program| program.is_file());
    let find = || debians().or_else(|| ["chromium", "google-chrome"].into_iter().find_map(on_path));
    found_or_installed("Chromium", &["chromium"], find)
}

fn driver() -> Result<PathBuf> {
    found_or_installed("ChromeDriver", &["chromium-driver"], || on_path("chromedriver"))
}

/// A font that has Hangul.
fn font() -> Result<PathBuf> {
    found_or_installed("Korean font", &["fontconfig", "fonts-noto-cjk"], || {
        let output = Command::new("fc-list").args([":lang=ko", "file"]).output().ok()?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        Some(PathBuf::from(said.lines().next()?.trim_end_matches([':', ' '])))
    })
}

fn start(folder: &Folder, log: &str, program: &Path, flags: Vec<OsString>) -> Result<Process> {
    let variable = |name: &str, value: &str| {
        [OsString::from(name), "=".into(), folder.path().join(value).into()].into_iter().collect()
    };
    let mut arguments = vec![variable("TMPDIR", "tmp"), variable("HOME", "home"), program.into()];
    arguments.extend(flags);
    Process::start(&Launch {
        program: Path::new("env"),
        arguments,
        user: None,
        last_signal: "KILL",
        folder: folder.path(),
        log: folder.path().join(log),
    })
}

/// The driver takes a port that is free on IPv6, and ends if somebody has the same on IPv4.
fn start_driver(folder: &Folder, program: &Path) -> Result<(Process, u16)> {
    let mut start_count = 0;
    loop {
        start_count += 1;
        let log = format!("driver-{start_count}.log");
        let mut driver = start(folder, &log, program, vec!["--port=0".into()])?;
        let said = || fs::read_to_string(folder.path().join(&log)).unwrap_or_default();
        match port(&mut driver, || Some(said().split_once(SAYS_PORT)?.1.to_owned())) {
            Err(_) if start_count < DRIVER_STARTS && said().contains(SAYS_IN_USE) => {}
            port => return Ok((driver, port?)),
        }
    }
}

/// The number with which begins what is found, once it is found.
fn port(process: &mut Process, find: impl Fn() -> Option<String>) -> Result<u16> {
    wait_for(STARTED, "the browser listens", || {
        process.demand_running().context("the browser does not start")?;
        let Some(found) = find() else { return Ok(None) };
        let digits: String = found.chars().take_while(char::is_ascii_digit).collect();
        // Its end may not be written yet.
        Ok(digits.parse().ok().filter(|_| found.len() > digits.len()))
    })
}
