//! Figures beside what they must be.

use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

/// One figure.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figure {
    name: String,
    value: f64,
    unit: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    must: Option<Bound>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aim: Option<Bound>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    windows: Vec<f64>,
}

/// What is good enough.
#[derive(Clone, Copy, Debug, Serialize, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

impl Bound {
    fn holds(self, value: f64) -> bool {
        match self {
            Self::AtLeast(bound) => value >= bound,
            Self::AtMost(bound) => value <= bound,
        }
    }
}

impl std::fmt::Display for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::AtLeast(bound) => write!(f, ">= {}", number(*bound)),
            Self::AtMost(bound) => write!(f, "<= {}", number(*bound)),
        }
    }
}

impl Figure {
    pub(crate) fn must(mut self, bound: Bound) -> Self {
        self.must = Some(bound);
        self
    }

    pub(crate) fn aim(mut self, bound: Bound) -> Self {
        self.aim = Some(bound);
        self
    }

    fn verdict(&self) -> &'static str {
        let missed = |bound: Option<Bound>| bound.is_some_and(|bound| !bound.holds(self.value));
        if missed(self.must) {
            "MISSED"
        } else if missed(self.aim) {
            "aim missed"
        } else {
            ""
        }
    }
}

/// Every figure of a run.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Figures {
    figures: Vec<Figure>,
}

impl Figures {
    /// Adds a figure, printed as it comes.
    pub(crate) fn add(&mut self, figure: Figure) {
        println!("{}", row(&figure));
        self.figures.push(figure);
    }

    /// Prints all of them, and then those that missed what they must be.
    pub(crate) fn print(&self) {
        println!("\n{:52} {:>12} {:8} {:>12} {:>12}", "figure", "value", "unit", "must", "aim");
        for figure in &self.figures {
            println!("{}", row(figure));
        }
        let missed = self.figures.iter().filter(|figure| figure.verdict() == "MISSED");
        for figure in missed {
            println!("missed: {}", row(figure).trim_end());
        }
    }

    /// Writes all of them for a program.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let json = serde_json::to_string_pretty(self)?;
        std::fs::write(path, json + "\n").with_context(|| format!("{} cannot be written", path.display()))
    }
}

/// A figure measured once.
pub(crate) fn figure(name: impl Into<String>, value: f64, unit: &'static str) -> Figure {
    Figure { name: name.into(), value, unit, must: None, aim: None, windows: Vec::new() }
}

/// The median of several windows, all of which are kept in the JSON.
pub(crate) fn median_of(name: impl Into<String>, windows: Vec<f64>, unit: &'static str) -> Figure {
    Figure { windows: windows.clone(), ..figure(name, median(windows), unit) }
}

/// The one in the middle; the higher of two. Zero of none.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

fn row(figure: &Figure) -> String {
    let bound = |bound: Option<Bound>| bound.map(|bound| bound.to_string()).unwrap_or_default();
    format!(
        "{:52} {:>12} {:8} {:>12} {:>12}  {}",
        figure.name,
        number(figure.value),
        figure.unit,
        bound(figure.must),
        bound(figure.aim),
        figure.verdict()
    )
}

/// Digits enough to tell two figures apart, and no more.
fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 || value.fract() == 0.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_that_misses_what_it_must_be_says_so() {
        let ratio = figure("ratio", 0.4, "").must(Bound::AtLeast(0.35)).aim(Bound::AtLeast(0.5));
        assert_eq!(ratio.verdict(), "aim missed");
        assert_eq!(figure("p99", 21.0, "ms").must(Bound::AtMost(20.0)).verdict(), "MISSED");
        assert_eq!(figure("p99", 2.0, "ms").must(Bound::AtMost(20.0)).verdict(), "");
    }

    #[test]
    fn the_median_of_windows_is_the_one_in_the_middle() {
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
    }
}
