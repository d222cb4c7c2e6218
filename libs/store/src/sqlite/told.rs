//! What an error of `SQLite` means to whoever meets it.

use rusqlite::{ErrorCode, ffi};

use crate::Error;

/// A file beside which a journal tells how to undo what was begun: whoever may write does it, and anybody else waits for that.
pub(super) fn is_left_unfinished(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|failure| failure.extended_code == ffi::SQLITE_READONLY_ROLLBACK)
}

/// Tells an error of the library by what to do about it.
#[expect(clippy::needless_pass_by_value, reason = "made for map_err")]
pub(crate) fn told(error: rusqlite::Error) -> Error {
    let text = error.to_string();
    match error {
        _ if is_left_unfinished(&error) => Error::Busy(text),
        rusqlite::Error::SqliteFailure(failure, _) => match failure.code {
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::FileLockingProtocolFailed
            | ErrorCode::OperationInterrupted
            | ErrorCode::OutOfMemory => Error::Busy(text),
            ErrorCode::DiskFull => Error::Full(text),
            ErrorCode::CannotOpen => Error::Absent(text),
            ErrorCode::SystemIoFailure
            | ErrorCode::DatabaseCorrupt
            | ErrorCode::NotADatabase
            | ErrorCode::ReadOnly => Error::Lost(text),
            _ if text.contains("no such table") => Error::Absent(text),
            _ => Error::Refused(text),
        },
        rusqlite::Error::SqlInputError { ref msg, .. } if msg.contains("no such table") => {
            Error::Absent(text)
        }
        _ => Error::Refused(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_would_fail_again_is_refused() {
        let tell = |code| told(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
        for passing in [
            ffi::SQLITE_BUSY_RECOVERY,
            ffi::SQLITE_LOCKED,
            ffi::SQLITE_PROTOCOL,
            ffi::SQLITE_NOMEM,
            ffi::SQLITE_READONLY_ROLLBACK,
        ] {
            assert!(matches!(tell(passing), Error::Busy(_)), "{passing}");
        }
        for final_one in [ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_CORRUPT, ffi::SQLITE_READONLY_DBMOVED] {
            assert!(matches!(tell(final_one), Error::Lost(_)), "{final_one}");
        }
        assert!(matches!(tell(ffi::SQLITE_FULL), Error::Full(_)));
        assert!(matches!(tell(ffi::SQLITE_CONSTRAINT_CHECK), Error::Refused(_)));
    }
}
