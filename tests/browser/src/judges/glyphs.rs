//! Whether every character of a page is drawn as itself, and not as the box that stands for a missing one.

use serde_json::Value;

use super::{look, text};
use crate::Browser;

/// A character that no font has, drawn as a box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingGlyph {
    /// The character, as `U+…`.
    pub character: String,
    /// Where it stands first.
    pub element: String,
    /// The fonts in which it was looked for.
    pub font: String,
}

impl Browser {
    /// Characters on the page that are drawn as boxes, because no font has them.
    ///
    /// Each is drawn once more, in the fonts of its place, and compared with one that no font has.
    #[track_caller]
    pub fn missing_glyphs(&self) -> Vec<MissingGlyph> {
        let seen = look(&self.session, include_str!("../scripts/glyphs.js"), &Value::Null);
        let seen = self.must(seen, "characters cannot be drawn");
        let missing = |it: &Value| MissingGlyph {
            character: text(&it["character"]),
            element: text(&it["element"]),
            font: text(&it["font"]),
        };
        seen.iter().map(missing).collect()
    }
}
