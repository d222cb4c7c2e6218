//! `cafe backup` and `cafe restore`.

mod backup;
mod manifest;
mod restore;

use std::path::{Path, PathBuf};

use crate::settings::Settings;

pub(crate) use backup::{BackupArgs, backup};
pub(crate) use restore::{RestoreArgs, restore};

/// The simulated vendor's own record, beside the services' databases.
const SIMULATOR: &str = "simulator.sqlite";
/// What staff shows to be let in.
const STAFF_KEY: &str = "staff.key";

/// A server's databases are copied with the server's own tools.
fn must_be_files(settings: &Settings) -> anyhow::Result<()> {
    anyhow::ensure!(
        settings.rungs().database.is_none(),
        "the databases are on a server: copy and restore them there (pg_basebackup, or pg_dump of every cafe_* schema at once)"
    );
    Ok(())
}

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
