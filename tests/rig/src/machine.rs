//! What the machine has, and what can be added to it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

/// Where cargo builds, and where what was fetched is kept.
pub(crate) fn cache() -> Result<PathBuf> {
    let usual = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(usual, PathBuf::from);
    let cache = std::path::absolute(target)?.join("rig");
    fs::create_dir_all(&cache).with_context(|| format!("{} cannot be made", cache.display()))?;
    Ok(cache)
}

/// One process at a time does what this is held for; dropping it lets the next one.
pub(crate) fn lock(name: &str) -> Result<File> {
    let lock = File::create(cache()?.join(name).with_extension("lock"))?;
    lock.lock()?;
    Ok(lock)
}

/// The program of that name on the PATH.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|candidate| candidate.is_file())
}

/// What `find` finds; as root on Debian, `packages` are installed for it first if need be, one after the other.
pub(crate) fn found_or_installed(
    what: &str,
    packages: &[&str],
    find: impl Fn() -> Option<PathBuf>,
) -> Result<PathBuf> {
    if let Some(path) = find() {
        return Ok(path);
    }
    let _lock = lock("install")?;
    if let Some(path) = find() {
        return Ok(path);
    }
    let wanted = packages.join(" ");
    if !is_root() || on_path("apt-get").is_none() {
        bail!("there is no {what}: install it (Debian: apt install {wanted})");
    }
    eprintln!("installing {wanted}, once");
    apt(&["update"])?;
    for package in packages {
        apt(&["install", "--yes", "--no-install-recommends", package])?;
        if *package == "postgresql-common" {
            keep_from_creating_a_cluster()?;
        }
    }
    find().with_context(|| format!("{what} is not found, though {wanted} is installed"))
}

/// Another user than ours.
#[derive(Debug)]
pub(crate) struct User {
    name: String,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl User {
    pub(crate) fn named(name: &str) -> Option<Self> {
        let number = |flag: &str| -> Option<u32> {
            let output = Command::new("id").args([flag, name]).output().ok()?;
            String::from_utf8_lossy(&output.stdout).trim().parse().ok()
        };
        Some(Self { name: name.to_owned(), uid: number("-u")?, gid: number("-g")? })
    }

    /// What comes before a command line that is to be run by that user.
    pub(crate) fn prefix(&self) -> [String; 6] {
        ["setpriv", "--reuid", &self.name, "--regid", &self.gid.to_string(), "--init-groups"]
            .map(str::to_owned)
    }
}

pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn apt(arguments: &[&str]) -> Result<()> {
    let mut command = Command::new("apt-get");
    command.args(["--quiet", "--option", "DPkg::Lock::Timeout=300"]).args(arguments);
    let output = command.env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null()).output()?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "apt-get {} fails: {}", arguments.join(" "), error.trim());
    Ok(())
}

/// Debian's package would make and start a database of its own, which nobody asked for.
fn keep_from_creating_a_cluster() -> Result<()> {
    let settings = Path::new("/etc/postgresql-common/createcluster.conf");
    let text = fs::read_to_string(settings).unwrap_or_default();
    let is_said = |line: &str| line.trim_start().starts_with("create_main_cluster");
    if !text.lines().any(is_said) {
        fs::write(settings, format!("{text}\ncreate_main_cluster = false\n"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_on_the_path_and_a_missing_one_is_named_with_its_package() {
        assert!(on_path("sh").is_some());
        assert!(on_path("no-such-program-of-ours").is_none());
        if !is_root() {
            let missing = found_or_installed("teapot", &["teapot-server"], || None).unwrap_err();
            assert!(missing.to_string().ends_with("install it (Debian: apt install teapot-server)"));
        }
    }
}
