//! `GET /menu`: what can be ordered and what it costs.

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use cafe_events::{Currency, Name, Size};
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::App;
use crate::menu::{Drink, Menu};

/// The menu as it is sent, made once.
pub(crate) struct MenuPage {
    json: Bytes,
    etag: HeaderValue,
}

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
        let json = serde_json::to_vec(&view).unwrap_or_default();
        let hash = URL_SAFE_NO_PAD.encode(&Sha256::digest(&json)[..12]);
        let etag =
            HeaderValue::from_str(&format!("\"{hash}\"")).unwrap_or(HeaderValue::from_static("\"menu\""));
        Self { json: json.into(), etag }
    }

    /// Whether the caller has this very menu already (RFC 9110, section 13.1.2).
    fn is_known(&self, headers: &HeaderMap) -> bool {
        let known = headers.get(IF_NONE_MATCH).and_then(|tags| tags.to_str().ok()).unwrap_or_default();
        let tag = |known: &str| known.trim().trim_start_matches("W/").as_bytes() == self.etag.as_bytes();
        known.trim() == "*" || known.split(',').any(tag)
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
    let page = &app.menu;
    let caching = [(ETAG, page.etag.clone()), (CACHE_CONTROL, HeaderValue::from_static("no-cache"))];
    if page.is_known(&headers) {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    (caching, [(CONTENT_TYPE, "application/json")], page.json.clone()).into_response()
}
