//! `cafe backup` and `cafe restore`.

mod backup;
mod manifest;
mod restore;

use std::path::{Path, PathBuf};

pub(crate) use backup::{BackupArgs, backup};
pub(crate) use restore::{RestoreArgs, restore};

/// The simulated vendor's own record, beside the services' databases.
const SIMULATOR: &str = "simulator.sqlite";
/// What staff shows to be let in.
const STAFF_KEY: &str = "staff.key";

/// Makes renames and new names in `folder` survive a power cut.
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    std::fs::File::open(folder)?.sync_all()
}

/// The file that `SQLite` keeps beside a database, such as its `-wal`.
fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
