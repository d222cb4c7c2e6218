//! Whether everybody can use a page.

use crate::Browser;

/// What is touched.
const TOUCHED: &str = "button, a.button, .choice label, .checks label, select, summary, \
    input:not([type=radio], [type=checkbox])";
/// The least that it measures, in CSS pixels.
const TARGET_PX: f64 = 44.0;

impl Browser {
    /// Demands that everybody can use the page in this state, in light and dark: the rules of WCAG, what a finger can hit, every
    /// letter, and nothing that is wider than the screen.
    #[track_caller]
    pub fn demand_usable(&self, state: &str) {
        for scheme in ["light", "dark"] {
            self.prefer("prefers-color-scheme", scheme);
            let violations = self.violations();
            assert!(violations.is_empty(), "{state}, {scheme}: {violations:#?}");
        }
        assert_eq!(self.sizes_below(TOUCHED, TARGET_PX), [], "{state}");
        assert_eq!(self.missing_glyphs(), [], "{state}");
        let is_wider = self.run("return document.documentElement.scrollWidth > innerWidth", &[]);
        assert_eq!(is_wider, false, "{state}: nothing is wider than the screen");
    }
}
