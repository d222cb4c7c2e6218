//! The story of a schedule: who did what, when, and what was broken. It is only told when somebody listens.

use std::fmt::Write;
use std::time::Duration;

/// What happened, a line each.
#[derive(Debug, Default)]
pub struct Trace {
    story: Option<String>,
}

impl Trace {
    /// A trace that is kept.
    pub fn told() -> Self {
        Self { story: Some(String::new()) }
    }

    /// Whether anybody listens.
    pub fn is_told(&self) -> bool {
        self.story.is_some()
    }

    /// Adds a line about what `who` did, so long after the beginning.
    pub fn tell(&mut self, at: Duration, who: &str, what: &dyn std::fmt::Display) {
        if let Some(story) = &mut self.story {
            let _ = writeln!(story, "{:>12.3} s  {who:<9} {what}", at.as_secs_f64());
        }
    }

    /// Everything that was told.
    pub fn story(self) -> String {
        self.story.unwrap_or_default()
    }
}
