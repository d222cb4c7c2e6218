//! `GET /`: what there is, and where things are.

use axum::extract::State;
use axum::http::header::{ACCEPT, VARY};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{Html, IntoResponse, Response};
use bytes::Bytes;
use cafe_events::{Currency, Size};

use super::App;
use crate::Config;
use crate::menu::Drink;

const GREETING: &str = "Welcome to the cafe. GET /menu shows what there is, POST /orders orders it; \
    an empty POST answers with an example. /openapi.json describes the rest.\n";
const PAGE: &str = include_str!("front.html");

/// Currencies without a minor unit, and those with a thousand of them (ISO 4217); all others have a hundred.
const UNDIVIDED: [&str; 10] = ["CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND", "XAF", "XOF", "XPF"];
const IN_THOUSANDTHS: [&str; 7] = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];

/// The page for browsers, made once.
pub(crate) struct FrontPage(Bytes);

impl FrontPage {
    pub(crate) fn new(config: &Config) -> Self {
        let drinks = config.menu.drinks();
        let menu: String = drinks.iter().map(|drink| row(drink, config.currency)).collect();
        let first = drinks.first().map_or("", |drink| &drink.menu);
        let page = PAGE
            .replace("{{address}}", &format!("http://{}", config.listen))
            .replace("{{drink}}", first)
            .replace("{{menu}}", &menu);
        Self(page.into())
    }
}

/// Greets, and says where things are
///
/// A browser gets a page, everyone else a line of text.
#[utoipa::path(
    get,
    path = "/",
    tag = "shop",
    responses((status = 200, description = "A greeting.", content(
        (String = "text/plain; charset=utf-8"),
        (String = "text/html; charset=utf-8"),
    )))
)]
pub(super) async fn front(State(app): State<App>, headers: HeaderMap) -> Response {
    let accepts = headers.get(ACCEPT).and_then(|accepts| accepts.to_str().ok()).unwrap_or_default();
    let mut response = if accepts.contains("text/html") {
        Html(app.front.0.clone()).into_response()
    } else {
        GREETING.into_response()
    };
    response.headers_mut().insert(VARY, HeaderValue::from_static("accept"));
    response
}

fn row(drink: &Drink, currency: Currency) -> String {
    let (korean, english) = (escaped(&drink.name.ko), escaped(&drink.name.en));
    let prices = prices(drink, currency);
    format!(
        "  <li><b>{korean}</b> <span lang=\"en\">{english}</span><i></i><span class=\"price\">{prices}</span></li>\n"
    )
}

/// One price, or each size's where they differ.
fn prices(drink: &Drink, currency: Currency) -> String {
    let mut prices: Vec<i64> = drink.sizes.values().copied().collect();
    prices.dedup();
    match prices[..] {
        [price] => amount(price, currency),
        _ => drink.sizes.iter().map(|(size, price)| sized(*size, *price, currency)).collect(),
    }
}

fn sized(size: Size, price: i64, currency: Currency) -> String {
    let letter = match size {
        Size::Small => "S",
        Size::Medium => "M",
        Size::Large => "L",
    };
    format!(" <span><small>{letter}</small> {}</span>", amount(price, currency))
}

/// As people write it: `₩3,500`, `USD 4.50`.
fn amount(price: i64, currency: Currency) -> String {
    let code = currency.code();
    let decimals = match code {
        _ if UNDIVIDED.contains(&code) => 0,
        _ if IN_THOUSANDTHS.contains(&code) => 3,
        _ => 2,
    };
    let one = 10_i64.pow(decimals);
    let whole = grouped(price / one);
    let fraction = if decimals == 0 {
        String::new()
    } else {
        format!(".{:0width$}", price % one, width = decimals as usize)
    };
    if currency == Currency::KRW { format!("₩{whole}") } else { format!("{code} {whole}{fraction}") }
}

fn grouped(number: i64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::menu::Menu;

    fn page(menu: &str, currency: &str) -> String {
        let mut config = Config::new("data");
        config.menu = Menu::parse(menu).unwrap();
        config.currency = Currency::try_from(currency.to_owned()).unwrap();
        String::from_utf8(FrontPage::new(&config).0.to_vec()).unwrap()
    }

    #[test]
    fn a_drink_has_its_price_or_one_for_each_size() {
        let tea = "[[drink]]\nmenu='tea'\nname={en='Tea',ko='차'}\nprice=1234500\nmaking_ms=1\n";
        assert!(page(tea, "KRW").contains("₩1,234,500"));
        assert!(page(tea, "USD").contains("USD 12,345.00") && page(tea, "KWD").contains("KWD 1,234.500"));
        let sized = page(&format!("{tea}price_by_size={{large=2000000}}"), "KRW");
        assert!(sized.contains("S</small> ₩1,234,500") && sized.contains("L</small> ₩2,000,000"), "{sized}");
    }

    #[test]
    fn a_name_is_shown_as_it_is_written_and_the_first_order_is_of_this_menu() {
        let menu = "[[drink]]\nmenu='gold'\nname={en='<b>&\"{{address}}',ko='금'}\nprice=1\nmaking_ms=1";
        let page = page(menu, "KRW");
        assert!(page.contains("&lt;b&gt;&amp;&quot;{{address}}"), "{page}");
        assert!(page.contains(r#"{"menu":"gold"}"#) && page.contains("curl http://127.0.0.1:3000/orders"));
    }
}
