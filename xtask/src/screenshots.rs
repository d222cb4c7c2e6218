//! `cargo xtask screenshots`: every screen in every language, at the size that it is for, to be looked at.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use cafe_browser_tests::{Browser, Screen, css};
use cafe_system_tests::{Cafe, Service, http};

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
        let shots = Shots { cafe: Cafe::up(&[]), folder: &folder, language };
        shots.shop("phone", Screen::PHONE);
        shots.shop("tablet", Screen::TABLET);
        shots.board()?;
    }
    println!("the screens are in {}", folder.display());
    Ok(true)
}

/// Pictures of one cafe in one language.
struct Shots<'a> {
    cafe: Cafe,
    folder: &'a Path,
    language: &'a str,
}

impl Shots<'_> {
    fn open(&self, screen: Screen, service: Service, path: &str) -> Browser {
        let browser = Browser::open(screen);
        browser.language(self.language);
        browser.goto(&format!("http://127.0.0.1:{}{path}", self.cafe.port(service)));
        browser
    }

    fn take(&self, browser: &Browser, name: &str) {
        browser.screenshot(&self.folder.join(format!("{name}-{}.png", self.language)));
    }

    fn shop(&self, size: &str, screen: Screen) {
        let browser = self.open(screen, Service::Order, "/");
        let take = |state: &str| self.take(&browser, &format!("{size}-{state}"));
        take("shop");
        browser.click(css(".card[data-drink=latte]"));
        browser.see(css("#drink[open]"));
        take("drink");
        browser.click(css("#drink .primary"));
        for drink in ["cappuccino", "black_tea"] {
            browser.click(css(&format!(".card[data-drink={drink}]")));
            browser.click(css("#drink .primary"));
            browser.see_gone(css("#drink[open]"));
        }
        take("chosen");
        browser.click(css("#open-cart"));
        browser.see(css("#cart[open]"));
        take("cart");
        browser.click(css("#pay"));
        browser.see(css("main[data-status=paid]"));
        take("order");
    }

    fn board(&self) -> Result<()> {
        let order = r#"{"items":[{"menu":"latte"}],"payment":{"vendor":"simulator","token":"tok_ok"}}"#;
        for _ in 0..9 {
            http::post(self.cafe.port(Service::Order), "/orders", None, order)?;
        }
        let browser = self.open(Screen::TV, Service::Barista, "/board");
        browser.wait_for("all are there", |page| {
            page.run("return document.body.innerText", &[]).to_string().contains("0009")
        });
        for (place, ticket) in self.cafe.all(Service::Barista, "tickets").iter().enumerate().take(5) {
            let order_id = ticket["order_id"].as_str().unwrap_or_default();
            let does = if place < 3 { "ready" } else { "start" };
            let path = format!("/tickets/{order_id}/{does}");
            http::post(self.cafe.port(Service::Barista), &path, Some(&self.cafe.staff_key()), "")?;
        }
        browser.reload();
        self.take(&browser, "board");
        Ok(())
    }
}
