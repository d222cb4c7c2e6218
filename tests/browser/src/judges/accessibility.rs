//! Whether everybody can use a page: axe-core, with no rule switched off.

use std::fs;

use anyhow::{Context, Result};

use super::text;
use crate::Browser;
use crate::session::Session;

/// A rule of accessibility that is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The rule, as axe-core calls it.
    pub rule: String,
    /// How bad it is, as axe-core says: `minor`, `moderate`, `serious` or `critical`.
    pub impact: String,
    /// Where, as selectors.
    pub targets: Vec<String>,
    /// What is wrong at the first of them.
    pub why: String,
}

impl Browser {
    /// Rules of WCAG 2.2 A and AA that the page breaks, as far as a program can tell.
    #[track_caller]
    pub fn violations(&self) -> Vec<Violation> {
        let found = violations(&self.session);
        self.must(found, "axe-core does not come to an end")
    }
}

fn violations(session: &Session) -> Result<Vec<Violation>> {
    let axe = fs::read_to_string(cafe_rig::axe()?)?;
    // What it comes to cannot be handed over, and need not be.
    let axe = format!("{axe}\n;null");
    let found = session.evaluate_apart(&[&axe, include_str!("../scripts/axe.js")])?;
    let found = found.as_array().context("axe-core answers with a list")?;
    let violation = |it: &serde_json::Value| Violation {
        rule: text(&it["rule"]),
        impact: text(&it["impact"]),
        targets: it["targets"].as_array().into_iter().flatten().map(text).collect(),
        why: text(&it["why"]),
    };
    Ok(found.iter().map(violation).collect())
}
