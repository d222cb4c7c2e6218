//! The drawings of drinks, and the other files of this service's screens.

use cafe_web::screen::{Asset, Assets};

macro_rules! drawings {
    ($($drink:literal),* $(,)?) => {
        /// By the drink's key in the menu inside the program.
        const DRAWINGS: [Asset; 8] = [$(
            Asset { name: concat!($drink, ".svg"), content: include_str!(concat!("../../assets/drinks/", $drink, ".svg")) },
        )*];
    };
}

drawings!("espresso", "americano", "cappuccino", "latte", "flat_white", "macchiato", "mocha", "black_tea");

const FILES: [Asset; 4] = [
    Asset { name: "shop.css", content: include_str!("../../assets/shop.css") },
    Asset { name: "shop.js", content: include_str!("../../assets/shop.js") },
    Asset { name: "order.css", content: include_str!("../../assets/order.css") },
    Asset { name: "order.js", content: include_str!("../../assets/order.js") },
];

/// Everything that the screens of this service load.
pub(super) fn assets() -> Assets {
    Assets::new(&[&FILES[..], &DRAWINGS].concat())
}

/// The drawing of a drink; a plain cup for what has none.
pub(super) fn picture(drink: &str) -> &'static str {
    let is_of = |asset: &&Asset| asset.name.strip_suffix(".svg") == Some(drink);
    DRAWINGS.iter().find(is_of).map_or("cup.svg", |asset| asset.name)
}
