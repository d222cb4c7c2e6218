//! The key that opens what only staff may see and do.

use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cafe_clock::Ids;
use subtle::ConstantTimeEq;

/// The file's name within the data folder.
const FILE: &str = "staff.key";
/// 256 bits.
const RANDOM_BYTES: usize = 32;
/// A key that a person put into the file must not be guessable either: 128 bits in base64url are 22 characters.
const SHORTEST_CHARACTERS: usize = 22;
/// Only the owner reads and writes the file.
const OWNER_ONLY: u32 = 0o600;

/// The staff key of a cafe: 256 random bits, base64url. The processes of one cafe share it through `<data>/staff.key`.
#[derive(Clone)]
pub struct StaffKey(Arc<str>);

impl StaffKey {
    /// Reads `<data>/staff.key`, made at the first start with mode 0600. When two processes start at once both get the
    /// key of the one that was first.
    ///
    /// # Errors
    /// When the file or folder cannot be read or written, or holds what is not a key.
    pub fn load_or_create(data: &Path, ids: &Ids) -> io::Result<Self> {
        match Self::load(data) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let path = data.join(FILE);
                std::fs::create_dir_all(data)
                    .and_then(|()| create(&path, ids))
                    .map_err(|error| naming(&path, &error))?;
                read(&path)
            }
            outcome => outcome,
        }
    }

    /// Reads the key of a cafe that has started before.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub fn load(data: &Path) -> io::Result<Self> {
        read(&data.join(FILE))
    }

    /// Whether `presented` is this key. Takes the same time for every wrong key of the right length.
    pub fn matches(&self, presented: &str) -> bool {
        bool::from(self.0.as_bytes().ct_eq(presented.as_bytes()))
    }

    /// The key itself, for a program that calls the services. Never log it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for StaffKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StaffKey")
    }
}

fn read(path: &Path) -> io::Result<StaffKey> {
    let named = |error: io::Error| naming(path, &error);
    let text = std::fs::read_to_string(path).map_err(named)?;
    let key = text.trim();
    if key.len() < SHORTEST_CHARACTERS || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        let reason = format!(
            "it does not hold a key of {SHORTEST_CHARACTERS} or more characters; remove it and a new one is made"
        );
        return Err(named(io::Error::new(ErrorKind::InvalidData, reason)));
    }
    keep_private(path).map_err(named)?;
    Ok(StaffKey(key.into()))
}

/// A copy brought back from elsewhere may be readable by others.
fn keep_private(path: &Path) -> io::Result<()> {
    let mode = std::fs::metadata(path)?.permissions().mode();
    if mode & 0o077 != 0 {
        tracing::warn!(path = %path.display(), "the staff key was readable by others; now only its owner reads it");
        std::fs::set_permissions(path, PermissionsExt::from_mode(OWNER_ONLY))?;
    }
    Ok(())
}

/// Writes a new key beside `path` and gives it its name only when it is complete and on disk, and only if there is none.
fn create(path: &Path, ids: &Ids) -> io::Result<()> {
    let mut random = [0; RANDOM_BYTES];
    ids.fill(&mut random);
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(format!(
        ".new-{}-{:08x}",
        std::process::id(),
        (ids.fraction() * f64::from(u32::MAX)) as u32
    ));
    let unfinished = Path::new(&unfinished);
    let written = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(OWNER_ONLY)
        .open(unfinished)
        .and_then(|mut file| {
            writeln!(file, "{}", URL_SAFE_NO_PAD.encode(random))?;
            file.sync_all()
        })
        .and_then(|()| match std::fs::hard_link(unfinished, path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        });
    let _ = std::fs::remove_file(unfinished);
    written?;
    path.parent().map_or(Ok(()), |folder| std::fs::File::open(folder)?.sync_all())
}

fn naming(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("the staff key {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_start_makes_a_private_key_and_later_starts_read_it() {
        let data = tempfile::tempdir().unwrap();
        let made = StaffKey::load_or_create(data.path(), &Ids::seeded(1)).unwrap();
        let read = StaffKey::load_or_create(data.path(), &Ids::seeded(2)).unwrap();
        assert_eq!(made.reveal(), read.reveal());
        assert_eq!(URL_SAFE_NO_PAD.decode(made.reveal()).unwrap().len(), RANDOM_BYTES);
        let mode = std::fs::metadata(data.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, OWNER_ONLY);
        assert_eq!(std::fs::read_dir(data.path()).unwrap().count(), 1, "nothing unfinished stays behind");
    }

    #[test]
    fn processes_that_start_at_once_get_the_same_key() {
        let data = tempfile::tempdir().unwrap();
        let keys: Vec<StaffKey> = std::thread::scope(|scope| {
            let start = |seed| {
                let data = data.path();
                scope.spawn(move || StaffKey::load_or_create(data, &Ids::seeded(seed)).unwrap())
            };
            let starting: Vec<_> = (0..16).map(start).collect();
            starting.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| key.reveal() == keys[0].reveal()));
    }

    #[test]
    fn only_the_key_itself_matches() {
        let data = tempfile::tempdir().unwrap();
        let key = StaffKey::load_or_create(data.path(), &Ids::seeded(1)).unwrap();
        assert!(key.matches(key.reveal()));
        assert!(!key.matches(""));
        assert!(!key.matches(&key.reveal()[1..]));
        assert!(!key.matches(&key.reveal().to_uppercase()));
    }

    #[test]
    fn a_file_without_a_key_is_refused_with_its_name_and_left_alone() {
        let data = tempfile::tempdir().unwrap();
        std::fs::write(data.path().join(FILE), "guess\n").unwrap();
        let error = StaffKey::load_or_create(data.path(), &Ids::seeded(1)).unwrap_err();
        assert!(error.to_string().contains("staff.key"), "{error}");
        assert_eq!(std::fs::read_to_string(data.path().join(FILE)).unwrap(), "guess\n");
    }

    #[test]
    fn a_key_that_others_could_read_is_made_private() {
        let data = tempfile::tempdir().unwrap();
        let path = data.path().join(FILE);
        std::fs::write(&path, "a-key-that-a-person-has-chosen\n").unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
        let key = StaffKey::load_or_create(data.path(), &Ids::seeded(1)).unwrap();
        assert_eq!(key.reveal(), "a-key-that-a-person-has-chosen");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, OWNER_ONLY);
    }
}
