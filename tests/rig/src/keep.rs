//! What a failed test leaves behind, to be read afterwards.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context, Result};

use crate::machine::cache;

static UNDER: OnceLock<PathBuf> = OnceLock::new();

/// From now on what fails in this process leaves its folders under `path`. Otherwise it does if `CAFE_KEEP` names a path.
pub fn keep_what_fails(path: &Path) {
    let _ = UNDER.set(path.to_owned());
}

/// Moves a folder there when its owner is dropped by a panic, and says so. Nothing works in it any more.
pub fn keep_if_failed(folder: &Path) {
    let (true, Some(under), Some(name)) = (std::thread::panicking(), under(), folder.file_name()) else {
        return;
    };
    let kept = under.join(name);
    match std::fs::create_dir_all(&under).and_then(|()| std::fs::rename(folder, &kept)) {
        Ok(()) => eprintln!("kept: {}", kept.display()),
        Err(error) => eprintln!("{} is not kept: {error}", folder.display()),
    }
}

/// Where to put a picture of what failed: the same place, or else one where cargo builds.
pub fn folder_of_what_failed() -> Result<PathBuf> {
    let folder = under().map_or_else(|| cache().map(|cache| cache.join("failed")), Ok)?;
    std::fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    Ok(folder.canonicalize()?)
}

fn under() -> Option<PathBuf> {
    UNDER.get().cloned().or_else(|| std::env::var_os("CAFE_KEEP").map(PathBuf::from))
}
