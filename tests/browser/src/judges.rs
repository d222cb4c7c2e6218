//! What is wrong with a page, as lists that are empty if nothing is.

mod accessibility;
mod everyone;
mod glyphs;
mod network;
mod sizes;
mod tasks;

pub use accessibility::Violation;
pub use glyphs::MissingGlyph;
pub use sizes::SmallTarget;
pub use tasks::LongTask;

use anyhow::Result;
use serde_json::Value;

use crate::Browser;
use crate::session::Session;

impl Browser {
    /// What the console calls an error, since the browser was opened: of scripts, of what could not be loaded, of what a policy
    /// refused.
    #[track_caller]
    pub fn console_errors(&self) -> Vec<String> {
        self.hear();
        self.news.borrow().errors.clone()
    }

    #[track_caller]
    fn hear(&self) {
        let heard = self.news.borrow_mut().hear(&self.session);
        self.must(heard, "what the browser tells cannot be read");
    }
}

/// Has a script look at the page, apart from the page's own and once its fonts have come: the body of a function, whose argument
/// is `given`.
fn look(session: &Session, script: &str, given: &Value) -> Result<Vec<Value>> {
    let describe = include_str!("scripts/describe.js");
    let look =
        format!("(async (given) => {{\nawait document.fonts.ready;\n{describe}\n{script}\n}})({given})");
    match session.evaluate_apart(&[&look])? {
        Value::Array(seen) => Ok(seen),
        other => anyhow::bail!("a list was to come, not {other}"),
    }
}

fn text(seen: &Value) -> String {
    seen.as_str().unwrap_or_default().to_owned()
}
