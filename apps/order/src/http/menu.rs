//! `GET /menu`: what can be ordered and what it costs.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use cafe_events::{Currency, Name, Size};
use cafe_web::Cacheable;
use serde::Serialize;
use utoipa::ToSchema;

use super::App;
use crate::menu::{Drink, Menu};

/// The menu as it is sent, made once.
pub(crate) struct MenuPage(Cacheable);

/// What can be ordered.
#[derive(Serialize, ToSchema)]
#[schema(as = Menu)]
struct MenuView<'a> {
    /// Of every price here.
    currency: Currency,
    /// In the order in which they are shown.
    drinks: Vec<DrinkView<'a>>,
}

/// A drink.
#[derive(Serialize, ToSchema)]
#[schema(as = Drink)]
struct DrinkView<'a> {
    /// What an order calls it.
    menu: &'a str,
    /// How it is called.
    name: &'a Name,
    /// Its sizes, smallest first.
    sizes: Vec<SizeView>,
    /// What is made when an order names no size.
    usual_size: Size,
    /// How long one takes to make, in milliseconds.
    making_ms: u64,
}

/// A size of a drink.
#[derive(Serialize, ToSchema)]
#[schema(as = PricedSize)]
struct SizeView {
    /// Which.
    size: Size,
    /// What one costs, in minor units.
    price: i64,
}

impl MenuPage {
    pub(crate) fn new(menu: &Menu, currency: Currency) -> Self {
        let view = MenuView { currency, drinks: menu.drinks().iter().map(DrinkView::of).collect() };
        Self(Cacheable::new(serde_json::to_vec(&view).unwrap_or_default(), "application/json"))
    }
}

impl<'a> DrinkView<'a> {
    fn of(drink: &'a Drink) -> Self {
        Self {
            menu: &drink.menu,
            name: &drink.name,
            sizes: drink.sizes.iter().map(|(size, price)| SizeView { size: *size, price: *price }).collect(),
            usual_size: drink.usual_size(),
            making_ms: drink.making_ms,
        }
    }
}

/// Shows the menu
#[utoipa::path(
    get,
    path = "/menu",
    tag = "shop",
    params(("If-None-Match" = Option<String>, Header, description = "The `ETag` of the menu that is known already.")),
    responses(
        (status = 200, body = MenuView, description = "The menu.", headers(("ETag" = String, description = "Changes with the menu."))),
        (status = 304, description = "It has not changed."),
    )
)]
pub(super) async fn menu(State(app): State<App>, headers: HeaderMap) -> Response {
    app.menu.0.answer(&headers)
}
