//! The menu file.
//!
//! Whatever is in it, it is either a menu or refused with what is wrong. On a menu are 1 to 500 drinks, each with a key of its
//! own, under which it is found, sizes, prices and a time to make within their limits; all that can be ordered of it has a
//! price; and it reads back as it was when it is written out.

use cafe_events::{PaymentChoice, Size};
use cafe_order::menu::{DRINKS_MAX, Drink, MAKING_MS_MAX, Menu, PRICE_MAX};
use cafe_order::wish::{Item, LINES_MAX, QUANTITY_MAX, Wish};

/// Reads a menu, as far as it is a text.
pub fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    match Menu::parse(text) {
        Ok(menu) => {
            assert!((1..=DRINKS_MAX).contains(&menu.drinks().len()));
            for drink in menu.drinks() {
                assert_eq!(menu.find(&drink.menu), Some(drink));
                is_within_limits(drink);
                drink.sizes.iter().for_each(|(size, price)| can_be_ordered(&menu, drink, *size, *price));
            }
            let again = Menu::parse(&written(&menu)).expect("a menu can be written out");
            assert_eq!(again.drinks(), menu.drinks());
        }
        Err(error) => assert!(error.to_string().starts_with("the menu"), "{error}"),
    }
}

fn is_within_limits(drink: &Drink) {
    assert!((1..=MAKING_MS_MAX).contains(&drink.making_ms) && !drink.menu.is_empty());
    assert!([&drink.name.en, &drink.name.ko].iter().all(|name| !name.trim().is_empty()));
    assert!(drink.sizes.contains_key(&drink.usual_size()));
    assert!(drink.sizes.values().all(|price| (1..=PRICE_MAX).contains(price)));
}

/// As many as there can be in an order.
fn can_be_ordered(menu: &Menu, drink: &Drink, size: Size, price: i64) {
    let item = Item {
        menu: drink.menu.clone(),
        size: Some(size),
        quantity: QUANTITY_MAX,
        takeout: None,
        options: Vec::new(),
    };
    let payment = PaymentChoice { vendor: "simulator".to_owned(), token: None };
    let wish =
        Wish { items: vec![item; LINES_MAX], takeout: false, expected_total: None, payment, store: None };
    let priced = wish.price(menu, &["simulator".to_owned()]).expect("what is on the menu can be ordered");
    assert_eq!(priced.total, price * i64::from(QUANTITY_MAX) * LINES_MAX as i64);
}

fn written(menu: &Menu) -> String {
    let mut drinks = toml::value::Array::new();
    for drink in menu.drinks() {
        let mut entry = toml::Table::new();
        let name = [("en", &drink.name.en), ("ko", &drink.name.ko)];
        let name: toml::Table =
            name.into_iter().map(|(language, name)| (language.to_owned(), name.clone().into())).collect();
        let named = |size: &Size| format!("{size:?}").to_lowercase();
        let prices: toml::Table =
            drink.sizes.iter().map(|(size, price)| (named(size), (*price).into())).collect();
        let sizes: Vec<String> = drink.sizes.keys().map(named).collect();
        entry.insert("menu".to_owned(), drink.menu.clone().into());
        entry.insert("name".to_owned(), name.into());
        // Each size has its own.
        entry.insert("price".to_owned(), PRICE_MAX.into());
        entry.insert("price_by_size".to_owned(), prices.into());
        entry.insert("sizes".to_owned(), sizes.into());
        entry.insert("making_ms".to_owned(), (drink.making_ms as i64).into());
        drinks.push(entry.into());
    }
    toml::Table::from_iter([("drink".to_owned(), drinks.into())]).to_string()
}
