//! Reading beside the writer, off the async runtime.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;

use crate::{Connection, Error};

/// Read-only connections to a service's own database, a bounded number at a time. Clones share them.
#[derive(Clone)]
pub struct Readers {
    shared: Arc<Shared>,
}

struct Shared {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    permits: Semaphore,
}

impl Readers {
    /// At most `limit` reads run at once; further ones wait their turn.
    pub fn new(path: &Path, limit: usize) -> Self {
        let shared =
            Shared { path: path.to_owned(), idle: Mutex::new(Vec::new()), permits: Semaphore::new(limit) };
        Self { shared: Arc::new(shared) }
    }

    /// Runs `read` on a connection, on a thread that may block.
    pub async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let shared = Arc::clone(&self.shared);
        let permit = self.shared.permits.acquire().await.map_err(|error| Error::Busy(error.to_string()))?;
        let answer = tokio::task::spawn_blocking(move || {
            let idle = shared.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut db = idle.map_or_else(|| Connection::open_reader(&shared.path), Ok)?;
            let answer = read(&mut db);
            if !matches!(answer, Err(Error::Lost(_))) {
                shared.idle.lock().unwrap_or_else(PoisonError::into_inner).push(db);
            }
            answer
        })
        .await
        .map_err(|error| Error::Refused(format!("the read ended early: {error}")))?;
        drop(permit);
        answer
    }
}
