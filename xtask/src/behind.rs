//! Builds behind tests, which wait more than they work.

use std::thread::{Scope, ScopedJoinHandle};

use anyhow::Result;
use rustix::process::setpriority_process;

/// How nice a build is to the tests that run meanwhile: they wait for conditions with a limit.
const NICENESS: i32 = 19;

/// A build that goes on, and what it will answer. It is waited for in any case.
pub(crate) struct Behind<'scope, T>(ScopedJoinHandle<'scope, Result<T>>);

impl<'scope, T: Send + 'scope> Behind<'scope, T> {
    pub(crate) fn begin(
        builds: &'scope Scope<'scope, '_>,
        build: impl FnOnce() -> Result<T> + Send + 'scope,
    ) -> Self {
        Self(builds.spawn(|| {
            // Of this thread, and of what it starts.
            setpriority_process(None, NICENESS)?;
            build()
        }))
    }

    pub(crate) fn finish(self) -> Result<T> {
        self.0.join().expect("a build does not panic")
    }
}
