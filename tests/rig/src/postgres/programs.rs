//! Where `PostgreSQL`'s programs are, and who may run them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::machine::{User, found_or_installed, is_root, on_path};

/// Names the folder of the programs, if it is none of the usual ones.
const NAMED_BY: &str = "CAFE_POSTGRES_BIN";
/// Where Debian has a folder for each version.
const DEBIANS: &str = "/usr/lib/postgresql";

/// The folder of `PostgreSQL`'s programs.
pub(crate) fn programs() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os(NAMED_BY).map(PathBuf::from) {
        ensure!(is_complete(&named), "{NAMED_BY} is {}, where there is no initdb", named.display());
        return Ok(named);
    }
    found_or_installed("PostgreSQL", &["postgresql-common", "postgresql"], find)
}

fn find() -> Option<PathBuf> {
    let on_path = on_path("initdb").and_then(|initdb| Some(initdb.canonicalize().ok()?.parent()?.to_owned()));
    on_path.into_iter().chain(debians()).find(|folder| is_complete(folder))
}

/// Newest first.
fn debians() -> Vec<PathBuf> {
    let version = |folder: &PathBuf| folder.file_name()?.to_str()?.parse::<u32>().ok();
    let folders = fs::read_dir(DEBIANS).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut versions: Vec<_> = folders.filter_map(|folder| Some((version(&folder)?, folder))).collect();
    versions.sort_unstable();
    versions.into_iter().rev().map(|(_, folder)| folder.join("bin")).collect()
}

fn is_complete(folder: &Path) -> bool {
    ["initdb", "postgres", "psql"].iter().all(|program| folder.join(program).is_file())
}

/// Debian's user for databases, or the one that owns nothing; none if we are not root ourselves, as which it refuses to run.
pub(super) fn unprivileged() -> Result<Option<User>> {
    if !is_root() {
        return Ok(None);
    }
    let user = ["postgres", "nobody"].into_iter().find_map(User::named);
    user.map(Some).context("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")
}
