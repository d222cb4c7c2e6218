//! The settings file, `cafe.toml`.
//!
//! Whatever is in it, it is either refused with what is wrong, or the cafe opens with it: each service, started with the flags
//! that `cafe up` makes of it and without the file, takes them and is set as it should be.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use cafe_events::Source;
use tempfile::TempDir;

thread_local! {
    /// Tests run in threads beside each other.
    static FOLDER: TempDir = TempDir::new().expect("there is room for a file");
}

/// Opens a cafe with the settings, up to where its services would be started.
pub fn check(input: &[u8]) {
    // A file that is named in it, such as a menu, is read to its end: some devices have none.
    if ["/dev", "/proc", "/sys"].iter().any(|folder| contains(input, folder.as_bytes())) {
        return;
    }
    FOLDER.with(|folder| {
        let file = folder.path().join("cafe.toml");
        fs::write(&file, input).expect("there is room for a file");
        opens(&file);
    });
}

fn opens(file: &Path) {
    match cafe::flags_from_file(file) {
        Ok(flags) => {
            for (service, flags) in Source::ALL.into_iter().zip(flags) {
                let alone = ["cafe", "--config", "/dev/null", service.name(), "--watched"];
                let alone = alone.iter().map(OsString::from).chain(flags.iter().cloned());
                let set = cafe::flags_from(alone);
                let set =
                    set.unwrap_or_else(|error| panic!("{service} does not start with {flags:?}: {error:#}"));
                assert_eq!(set[service as usize], flags, "{service} is set otherwise");
            }
        }
        Err(error) => {
            let sentence = format!("{error:#}");
            assert!(!sentence.trim().is_empty() && !sentence.contains("Settings::"), "{sentence}");
        }
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
