//! What several screens say.

use cafe_events::Size;

use super::{Both, Language};

/// A size of a drink.
pub fn size(size: Size, language: Language) -> &'static str {
    language.of(&match size {
        Size::Small => Both { ko: "작은 컵", en: "Small" },
        Size::Medium => Both { ko: "중간 컵", en: "Medium" },
        Size::Large => Both { ko: "큰 컵", en: "Large" },
    })
}

/// Where it is drunk.
pub fn place(takeout: bool, language: Language) -> &'static str {
    language.of(&if takeout {
        Both { ko: "포장", en: "To go" }
    } else {
        Both { ko: "매장", en: "For here" }
    })
}
