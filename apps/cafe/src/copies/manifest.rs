//! What a backup holds.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, bail, ensure};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

const FILE: &str = "manifest.json";
/// Raised when an older program could not read a backup rightly.
const FORMAT: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Manifest {
    format: u32,
    pub(super) made_at: Timestamp,
    /// The program that made it.
    version: String,
    pub(super) files: Vec<Entry>,
}

/// A file of a backup.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) bytes: u64,
    /// In hexadecimal digits.
    sha256: String,
    /// Migrations that a database has been through.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    schema: Vec<String>,
}

impl Manifest {
    pub(super) fn new(made_at: Timestamp) -> Self {
        Self { format: FORMAT, made_at, version: env!("CARGO_PKG_VERSION").to_owned(), files: Vec::new() }
    }

    /// Takes in the complete file `name` of `folder`.
    pub(super) fn add(&mut self, folder: &Path, name: &str, schema: Vec<String>) -> anyhow::Result<()> {
        let path = folder.join(name);
        let (bytes, sha256) = measure(&path).with_context(|| format!("{} cannot be read", path.display()))?;
        self.files.push(Entry { name: name.to_owned(), bytes, sha256, schema });
        Ok(())
    }

    pub(super) fn write(&self, folder: &Path) -> anyhow::Result<()> {
        let mut file = File::create(folder.join(FILE))?;
        file.write_all(&serde_json::to_vec_pretty(self)?)?;
        Ok(file.sync_all()?)
    }

    pub(super) fn read(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join(FILE);
        let written = std::fs::read(&path).with_context(|| {
            format!("{} is not a whole backup: its {FILE} cannot be read", folder.display())
        })?;
        let manifest: Self =
            serde_json::from_slice(&written).with_context(|| format!("{} is damaged", path.display()))?;
        ensure!(
            manifest.format == FORMAT,
            "{} was made by a newer cafe ({}); restore it with that one",
            folder.display(),
            manifest.version
        );
        Ok(manifest)
    }

    /// Whether `name` is in the backup and as it was when it was made.
    pub(super) fn verify(&self, folder: &Path, name: &str) -> anyhow::Result<bool> {
        let Some(entry) = self.files.iter().find(|entry| entry.name == name) else { return Ok(false) };
        let path = folder.join(name);
        let (bytes, sha256) = measure(&path).with_context(|| format!("{} cannot be read", path.display()))?;
        if (bytes, &sha256) != (entry.bytes, &entry.sha256) {
            bail!(
                "{} is damaged: it is not what was copied on {}; nothing was restored",
                path.display(),
                self.made_at
            );
        }
        Ok(true)
    }
}

fn measure(path: &Path) -> io::Result<(u64, String)> {
    let mut digest = Sha256::new();
    let bytes = io::copy(&mut File::open(path)?, &mut Hashing(&mut digest))?;
    let mut digits = String::new();
    for byte in digest.finalize() {
        let _ = write!(digits, "{byte:02x}");
    }
    Ok((bytes, digits))
}

struct Hashing<'a>(&'a mut Sha256);

impl Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
