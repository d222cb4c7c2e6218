//! Temporary folders, those of owners that were killed included.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::keep::keep_if_failed;

const PREFIX: &str = "cafe-rig-";
/// Held locked as long as the owner lives.
const LOCK: &str = "owned";
/// A younger folder may not be locked yet.
const SETTLED: Duration = Duration::from_mins(1);

/// A folder that goes with its owner; if the owner is killed, with the next one's start.
#[derive(Debug)]
pub(crate) struct Folder {
    folder: TempDir,
    _lock: File,
}

impl Folder {
    pub(crate) fn new() -> Result<Self> {
        sweep();
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir().context("no temporary folder")?;
        // A database does not run as root, and has to come through.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755))?;
        let lock = File::create(folder.path().join(LOCK))?;
        lock.lock()?;
        Ok(Self { folder, _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        keep_if_failed(self.path());
    }
}

/// Removes what owners that were killed could not.
fn sweep() {
    for entry in fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
        let is_ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        if is_ours && is_abandoned(&entry.path()).unwrap_or(false) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn is_abandoned(folder: &Path) -> Result<bool> {
    let lock = File::open(folder.join(LOCK))?;
    let settled = lock.metadata()?.modified()?.elapsed()? > SETTLED;
    Ok(settled && lock.try_lock().is_ok())
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn an_abandoned_folder_is_swept_and_one_that_is_owned_or_young_is_not() {
        let age = |folder: &Path| {
            let lock = File::options().write(true).open(folder.join(LOCK)).unwrap();
            lock.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        };
        let owned = Folder::new().unwrap();
        age(owned.path());
        let [abandoned, young] = [(); 2].map(|()| {
            let folder = Folder::new().unwrap();
            let kept = tempfile::Builder::new().prefix(PREFIX).tempdir().unwrap();
            fs::write(kept.path().join(LOCK), "").unwrap();
            drop(folder);
            kept
        });
        age(abandoned.path());
        sweep();
        assert!(owned.path().exists() && young.path().exists());
        assert!(!abandoned.path().exists());
    }
}
