//! `cargo xtask screenshots`: every screen in every language, at the size that it is for, to be looked at.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use cafe_browser_tests::{Browser, Counter, Customer, Screen, css};

use crate::{shell, test};

const LANGUAGES: [&str; 2] = ["ko", "en"];

/// Where to.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The folder they are written to
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<bool> {
    cafe_rig::prepare_browser()?;
    test::build_program()?;
    let folder = arguments.to.clone().unwrap_or_else(|| shell::target().join("screenshots"));
    std::fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    for language in LANGUAGES {
        let shots = Shots { folder: &folder, language };
        shots.shop("phone", Screen::PHONE);
        shots.shop("tablet", Screen::TABLET);
        shots.board();
        shots.display("tablet", Screen::TABLET);
        shots.display("phone", Screen::PHONE);
    }
    println!("the screens are in {}", folder.display());
    Ok(true)
}

/// Pictures in one language.
struct Shots<'a> {
    folder: &'a Path,
    language: &'a str,
}

impl Shots<'_> {
    fn take(&self, browser: &Browser, name: &str) {
        browser.screenshot(&self.folder.join(format!("{name}-{}.png", self.language)));
    }

    fn shop(&self, size: &str, screen: Screen) {
        let customer = Customer::enters(&[], screen, self.language);
        let take = |state: &str| self.take(&customer.phone, &format!("{size}-{state}"));
        take("shop");
        customer.looks_at("latte");
        take("drink");
        customer.takes_it();
        customer.adds("cappuccino");
        customer.adds("black_tea");
        take("chosen");
        customer.opens_the_cart();
        take("cart");
        customer.pays_with("tok_ok");
        customer.sees("paid");
        take("order");
    }

    fn display(&self, size: &str, screen: Screen) {
        let counter = Counter::open();
        let door = Browser::open(screen);
        door.goto(&format!("{}/?lang={}", counter.origin(), self.language));
        self.take(&door, &format!("{size}-door"));
        let display = counter.display(screen, self.language);
        for items in [
            r#"[{"menu":"latte","size":"large","quantity":2,"takeout":true},{"menu":"americano"}]"#,
            r#"[{"menu":"mocha"}]"#,
            r#"[{"menu":"latte","takeout":true}]"#,
            r#"[{"menu":"cappuccino","quantity":3},{"menu":"black_tea","size":"small"},{"menu":"latte","size":"large"}]"#,
            r#"[{"menu":"americano","size":"large","takeout":true}]"#,
            r#"[{"menu":"latte"},{"menu":"americano"}]"#,
        ] {
            counter.order(items);
        }
        display.see(css("#tickets > :nth-child(6)"));
        display.click(css("#tickets > :nth-child(2) .done"));
        display.see(css("#ready .ticket"));
        display.click(css("#tickets > :nth-child(1) li:first-child button"));
        display.see(css("#tickets li.ready"));
        self.take(&display, &format!("{size}-display"));
        display.click(css("#tickets > :nth-child(3) .reject"));
        self.take(&display, &format!("{size}-reject"));
    }

    fn board(&self) {
        let counter = Counter::open();
        let orders = counter.orders(11);
        for (place, order) in orders.iter().enumerate().take(5) {
            counter.staff(order, if place < 3 { "ready" } else { "start" });
        }
        self.take(&counter.board(Screen::TV, &format!("?lang={}", self.language)), "board");
    }
}
