//! Whether a finger can hit what there is to hit.

use serde_json::json;

use super::{look, text};
use crate::Browser;

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

impl Browser {
    /// What a selector selects and can be seen, and is less than so many CSS pixels wide or high.
    #[track_caller]
    pub fn sizes_below(&self, selector: &str, px: f64) -> Vec<SmallTarget> {
        let given = json!({ "selector": selector, "px": px });
        let seen = look(&self.session, include_str!("../scripts/sizes.js"), &given);
        let seen = self.must(seen, "sizes cannot be measured");
        let number = |it: &serde_json::Value| it.as_f64().unwrap_or_default();
        let small = |it: &serde_json::Value| SmallTarget {
            element: text(&it["element"]),
            width: number(&it["width"]),
            height: number(&it["height"]),
        };
        seen.iter().map(small).collect()
    }
}
