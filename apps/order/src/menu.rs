//! What can be ordered and what it costs. Pure: the menu is read once, from a text, and never changes while serving.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cafe_events::{Name, Size};
use serde::Deserialize;

/// The menu inside the program.
pub const DEFAULT: &str = include_str!("../menu.toml");

/// The dearest that one drink may be, in minor units; 50 lines of 99 of it still fit an `i64` a million times over.
pub const PRICE_MAX: i64 = 1_000_000_000;
/// The longest that one drink may take to make: an hour.
pub const MAKING_MS_MAX: u64 = 3_600_000;
/// The most drinks on a menu.
pub const DRINKS_MAX: usize = 500;

/// Every drink that can be ordered. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Menu {
    drinks: Arc<[Drink]>,
    places: Arc<BTreeMap<String, usize>>,
}

/// A drink on the menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drink {
    /// Its key, such as `flat_white`.
    pub menu: String,
    /// How it is called.
    pub name: Name,
    /// Its sizes, smallest first, at least one, each with its price in minor units.
    pub sizes: BTreeMap<Size, i64>,
    /// How long one takes to make, in milliseconds.
    pub making_ms: u64,
}

/// What is wrong with a menu: the entry at fault and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MenuError {
    /// The text is not a menu at all.
    #[error("the menu cannot be read: {0}")]
    Unreadable(String),
    /// One of its drinks.
    #[error("the menu's drink {place} ({menu}): {wrong}")]
    Drink {
        /// Its place on the menu, from 1.
        place: usize,
        /// Its key, as far as it has one.
        menu: String,
        /// What is wrong, and what would be right.
        wrong: String,
    },
}

impl Menu {
    /// The menu inside the program.
    ///
    /// # Panics
    /// Never: a test reads it.
    pub fn built_in() -> Self {
        Self::parse(DEFAULT).expect("the menu inside the program is right")
    }

    /// Reads a menu file (TOML; see `menu.toml`).
    pub fn parse(text: &str) -> Result<Self, MenuError> {
        let unreadable = |error: toml::de::Error| MenuError::Unreadable(error.to_string());
        let file: MenuFile = toml::from_str(text).map_err(unreadable)?;
        if file.drink.is_empty() || file.drink.len() > DRINKS_MAX {
            let wrong =
                format!("it has {} drinks; write 1 to {DRINKS_MAX} [[drink]] entries", file.drink.len());
            return Err(MenuError::Unreadable(wrong));
        }
        let mut drinks = Vec::with_capacity(file.drink.len());
        let mut places = BTreeMap::new();
        for (place, entry) in (1..).zip(file.drink) {
            let menu = entry.get("menu").and_then(toml::Value::as_str).unwrap_or("no menu key").to_owned();
            let drink = read_drink(entry).and_then(|drink| {
                if places.insert(drink.menu.clone(), place - 1).is_some() {
                    return Err("this key is on the menu twice; give every drink a key of its own".to_owned());
                }
                Ok(drink)
            });
            drinks.push(drink.map_err(|wrong| MenuError::Drink { place, menu, wrong })?);
        }
        Ok(Self { drinks: drinks.into(), places: Arc::new(places) })
    }

    /// Everything on it, in the order in which it is shown.
    pub fn drinks(&self) -> &[Drink] {
        &self.drinks
    }

    /// The drink of this key.
    pub fn find(&self, menu: &str) -> Option<&Drink> {
        self.places.get(menu).map(|place| &self.drinks[*place])
    }
}

impl Drink {
    /// What is made when no size is said: medium, or the smallest where there is no medium.
    pub fn usual_size(&self) -> Size {
        let smallest = self.sizes.keys().next().copied().unwrap_or_default();
        if self.sizes.contains_key(&Size::default()) { Size::default() } else { smallest }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MenuFile {
    #[serde(default)]
    drink: Vec<toml::Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DrinkEntry {
    menu: String,
    name: NameEntry,
    price: Price,
    making_ms: i64,
    sizes: Option<Vec<Size>>,
    #[serde(default)]
    price_by_size: BTreeMap<Size, Price>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "toml::Value")]
struct Price(i64);

impl TryFrom<toml::Value> for Price {
    type Error = String;

    fn try_from(value: toml::Value) -> Result<Self, String> {
        let wrong = || format!("{value} must be a whole number of minor units, such as 3500");
        value.as_integer().map(Self).ok_or_else(wrong)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NameEntry {
    en: String,
    ko: String,
}

fn read_drink(entry: toml::Value) -> Result<Drink, String> {
    const RIGHT: &str = "an entry looks like: menu = \"latte\", name = { en = \"Latte\", ko = \"라떼\" }, price = 4000, making_ms = 4000";
    let entry: DrinkEntry =
        entry.try_into().map_err(|error| format!("{}; {RIGHT}", error.to_string().trim_end()))?;
    check_key(&entry.menu)?;
    check_name("name.en", &entry.name.en)?;
    check_name("name.ko", &entry.name.ko)?;
    let making_ms = u64::try_from(entry.making_ms).ok().filter(|ms| (1..=MAKING_MS_MAX).contains(ms));
    let making_ms = making_ms.ok_or_else(|| {
        format!("making_ms is {}; write 1 to {MAKING_MS_MAX} milliseconds", entry.making_ms)
    })?;
    let sizes = read_sizes(entry.sizes, entry.price, &entry.price_by_size)?;
    Ok(Drink { menu: entry.menu, name: Name { en: entry.name.en, ko: entry.name.ko }, sizes, making_ms })
}

fn check_key(menu: &str) -> Result<(), String> {
    let plain = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'_';
    if (1..=64).contains(&menu.len()) && menu.bytes().all(plain) {
        return Ok(());
    }
    Err(format!("menu is {menu:?}; write 1 to 64 of a-z, 0-9 and _, such as \"flat_white\""))
}

fn check_name(field: &str, name: &str) -> Result<(), String> {
    if !name.trim().is_empty() && name.chars().count() <= 100 && !name.chars().any(char::is_control) {
        return Ok(());
    }
    Err(format!("{field} is {name:?}; write 1 to 100 letters"))
}

fn read_sizes(
    sizes: Option<Vec<Size>>,
    price: Price,
    price_by_size: &BTreeMap<Size, Price>,
) -> Result<BTreeMap<Size, i64>, String> {
    let named = sizes.unwrap_or_else(|| vec![Size::Small, Size::Medium, Size::Large]);
    let sizes: BTreeSet<Size> = named.iter().copied().collect();
    if sizes.is_empty() || sizes.len() != named.len() {
        return Err(
            "sizes must name small, medium or large, each once; leave it out for all three".to_owned()
        );
    }
    if let Some(stray) = price_by_size.keys().find(|size| !sizes.contains(size)) {
        return Err(
            format!("price_by_size has a price for {stray:?}, which is not among its sizes").to_lowercase()
        );
    }
    let mut priced = BTreeMap::new();
    for size in sizes {
        let Price(price) = price_by_size.get(&size).copied().unwrap_or(price);
        if !(1..=PRICE_MAX).contains(&price) {
            return Err(format!("the price {price} is out of range; write 1 to {PRICE_MAX} minor units"));
        }
        priced.insert(size, price);
    }
    Ok(priced)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(entry: &str) -> String {
        let good = "[[drink]]\nmenu='tea'\nname={en='Tea',ko='차'}\nprice=3000\nmaking_ms=2000\n";
        Menu::parse(&format!("{good}\n[[drink]]\n{entry}")).unwrap_err().to_string()
    }

    #[test]
    fn the_menu_inside_the_program_is_the_designs() {
        let menu = Menu::built_in();
        let prices: Vec<_> =
            menu.drinks().iter().map(|drink| (drink.menu.as_str(), drink.sizes[&Size::Large])).collect();
        assert_eq!(
            prices,
            [
                ("espresso", 3000),
                ("americano", 3500),
                ("cappuccino", 4000),
                ("latte", 4000),
                ("flat_white", 4500),
                ("macchiato", 4500),
                ("mocha", 4500),
                ("black_tea", 3500),
            ]
        );
        for drink in menu.drinks() {
            assert!((2000..=6000).contains(&drink.making_ms), "{drink:?}");
            assert_eq!((drink.sizes.len(), drink.usual_size()), (3, Size::Medium));
            assert_eq!(menu.find(&drink.menu), Some(drink));
        }
        assert_eq!(menu.find("gin"), None);
    }

    #[test]
    fn a_size_may_cost_more_and_a_drink_may_come_in_one_size() {
        let menu = Menu::parse(
            "[[drink]]\nmenu='a'\nname={en='A',ko='가'}\nprice=10\nmaking_ms=1\nprice_by_size={large=12}\n
             [[drink]]\nmenu='b'\nname={en='B',ko='나'}\nprice=10\nmaking_ms=1\nsizes=['large']",
        )
        .unwrap();
        assert_eq!(
            menu.find("a").unwrap().sizes,
            [(Size::Small, 10), (Size::Medium, 10), (Size::Large, 12)].into()
        );
        assert_eq!(menu.find("b").unwrap().usual_size(), Size::Large);
    }

    #[test]
    fn a_wrong_entry_is_named_with_what_would_be_right() {
        let name = "name={en='Latte',ko='라떼'}";
        for (entry, says) in [
            (
                format!("menu='latte'\n{name}\nprice='4000'\nmaking_ms=1"),
                "whole number of minor units, such as 3500",
            ),
            (format!("menu='latte'\n{name}\nprice=4000.5\nmaking_ms=1"), "whole number of minor units"),
            (format!("menu='latte'\n{name}\nmaking_ms=1"), "missing field `price`"),
            (format!("menu='latte'\n{name}\nmaking_ms=1"), "an entry looks like"),
            (
                format!("menu='latte'\n{name}\nprice=1\nprice_by_size={{large='2'}}\nmaking_ms=1"),
                "such as 3500",
            ),
            (format!("menu='latte'\n{name}\nprice=0\nmaking_ms=1"), "write 1 to 1000000000 minor units"),
            (format!("menu='latte'\n{name}\nprice=1\nmaking_ms=0"), "write 1 to 3600000 milliseconds"),
            (format!("menu='latte'\n{name}\nprice=1\nmaking_ms=1\ncolour='red'"), "unknown field `colour`"),
            (format!("menu='latte'\n{name}\nprice=1\nmaking_ms=1\nsizes=[]"), "small, medium or large"),
            (format!("menu='latte'\n{name}\nprice=1\nmaking_ms=1\nsizes=['huge']"), "unknown variant `huge`"),
            (
                format!(
                    "menu='latte'\n{name}\nprice=1\nmaking_ms=1\nsizes=['small']\nprice_by_size={{large=2}}"
                ),
                "not among its sizes",
            ),
            ("menu='latte'\nname={en='',ko='라떼'}\nprice=1\nmaking_ms=1".to_owned(), "name.en"),
        ] {
            let error = wrong(&entry);
            assert!(error.contains("drink 2 (latte)"), "{error}");
            assert!(error.contains(says), "{error}\nshould say {says}");
        }
        assert!(
            wrong(&format!("menu='Flat White'\n{name}\nprice=1\nmaking_ms=1"))
                .contains("such as \"flat_white\"")
        );
        assert!(wrong(&format!("menu='tea'\n{name}\nprice=1\nmaking_ms=1")).contains("twice"));
        assert!(wrong(&format!("{name}\nprice=1\nmaking_ms=1")).contains("no menu key"));
    }

    #[test]
    fn a_menu_has_five_hundred_drinks_at_most() {
        let drinks = |count: usize| {
            let drink = |n| format!("[[drink]]\nmenu='d{n}'\nname={{en='D',ko='D'}}\nprice=1\nmaking_ms=1\n");
            Menu::parse(&(0..count).map(drink).collect::<String>())
        };
        assert_eq!(drinks(DRINKS_MAX).unwrap().drinks().len(), DRINKS_MAX);
        for count in [DRINKS_MAX + 1, DRINKS_MAX + 2] {
            let error = drinks(count).unwrap_err().to_string();
            assert!(error.contains(&format!("it has {count} drinks; write 1 to 500")), "{error}");
        }
    }

    #[test]
    fn a_file_that_is_no_menu_is_refused() {
        for text in ["", "not toml", "[[drinks]]\nmenu='a'", "drink = 3"] {
            assert!(matches!(Menu::parse(text), Err(MenuError::Unreadable(_))), "{text}");
        }
    }
}
