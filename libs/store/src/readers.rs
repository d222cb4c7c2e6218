//! Reading beside the writer, off the async runtime.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;

use crate::{Connection, Database, Error};

/// Read-only connections to a service's own database, a bounded number at a time. Clones share them.
#[derive(Clone)]
pub struct Readers {
    shared: Arc<Shared>,
}

struct Shared {
    database: Database,
    idle: Mutex<Vec<Connection>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    /// At most `limit` reads run at once; further ones wait their turn.
    pub fn new(at: impl Into<Database>, limit: usize) -> Self {
        let permits = Arc::new(Semaphore::new(limit));
        let shared = Shared { database: at.into(), idle: Mutex::default(), permits };
        Self { shared: Arc::new(shared) }
    }

    /// Runs `read` on a connection, on a thread that may block.
    pub async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let shared = Arc::clone(&self.shared);
        let permit = Arc::clone(&shared.permits).acquire_owned().await;
        let permit = permit.map_err(|error| Error::Busy(error.to_string()))?;
        tokio::task::spawn_blocking(move || {
            // Held by the read itself: whoever asked may go before it ends.
            let _permit = permit;
            let idle = shared.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut db = idle.map_or_else(|| Connection::open_reader(&shared.database), Ok)?;
            let answer = read(&mut db);
            // A transaction left open would show the next reader the past.
            if db.rollback().is_ok() && !matches!(answer, Err(Error::Lost(_))) {
                shared.idle.lock().unwrap_or_else(PoisonError::into_inner).push(db);
            }
            answer
        })
        .await
        .map_err(|error| Error::Refused(format!("the read ended early: {error}")))?
    }
}
