//! Builds behind tests, which wait more than they work.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::thread::{Scope, ScopedJoinHandle};

use anyhow::{Context, Result};
use rustix::process::setpriority_process;

use crate::shell;

/// How nice a build is to the tests that run meanwhile: they wait for conditions with a limit.
const NICENESS: i32 = 19;

/// A build that goes on, and what it will answer. It is waited for in any case.
pub(crate) struct Behind<'scope, T>(ScopedJoinHandle<'scope, Result<T>>);

impl<'scope, T: Send + 'scope> Behind<'scope, T> {
    pub(crate) fn begin(
        builds: &'scope Scope<'scope, '_>,
        build: impl FnOnce() -> Result<T> + Send + 'scope,
    ) -> Self {
        Self(builds.spawn(|| {
            // Of this thread, and of what it starts.
            setpriority_process(None, NICENESS)?;
            build()
        }))
    }

    pub(crate) fn finish(self) -> Result<T> {
        self.0.join().expect("a build does not panic")
    }
}

/// A second folder to build in, because cargo lets only one build at a time into a folder. What others have published is there
/// already if it is in the first: it is built once and never again, so both can have the same files.
pub(crate) fn target() -> Result<PathBuf> {
    let second = shell::target().join("behind");
    let [from, to] = [shell::target(), second.clone()].map(|target| target.join("debug"));
    let is_library = |name: &str| name.starts_with("lib") && !name.starts_with("libcafe");
    let is_others = |name: &str| !name.starts_with("cafe-") && !name.starts_with("xtask-");
    link(&from.join("deps"), &to.join("deps"), &is_library)?;
    link(&from.join("build"), &to.join("build"), &is_others)?;
    link(&from.join(".fingerprint"), &to.join(".fingerprint"), &is_others)?;
    Ok(second)
}

/// Everything in a folder whose name is right, and everything below it.
fn link(from: &Path, to: &Path, is_right: &dyn Fn(&str) -> bool) -> Result<()> {
    let entries = match fs::read_dir(from) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries.with_context(|| format!("{} cannot be read", from.display()))?,
    };
    fs::create_dir_all(to)?;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        if !is_right(&name.to_string_lossy()) {
            continue;
        }
        let (from, to) = (entry.path(), to.join(&name));
        if entry.file_type()?.is_dir() {
            link(&from, &to, &|_| true)?;
        } else if !to.exists() {
            fs::hard_link(&from, &to).with_context(|| format!("{} cannot be linked", from.display()))?;
        }
    }
    Ok(())
}
