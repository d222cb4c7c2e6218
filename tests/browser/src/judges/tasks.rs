//! Whether a page answers at once.

use serde_json::Value;

use crate::Browser;

/// From here on a person feels that an answer is late (<https://web.dev/articles/rail>).
const LONG_MS: f64 = 100.0;

/// What held up the page.
#[derive(Clone, Debug, PartialEq)]
pub struct LongTask {
    /// Since the page was begun, in milliseconds.
    pub at_ms: f64,
    /// How long, in milliseconds.
    pub length_ms: f64,
}

impl Browser {
    /// What held up the page for more than 100 ms since it was begun, so that nobody could have used it.
    ///
    /// It is measured by the clock, so a machine that is busy with something else adds to it.
    #[track_caller]
    pub fn long_tasks(&self) -> Vec<LongTask> {
        let noted = self.run("return window.__longTasks ?? []", &[]);
        let number = |it: &Value| it.as_f64().unwrap_or_default();
        let task =
            |it: &Value| LongTask { at_ms: number(&it["startTime"]), length_ms: number(&it["duration"]) };
        noted.as_array().into_iter().flatten().map(task).filter(|task| task.length_ms > LONG_MS).collect()
    }
}
