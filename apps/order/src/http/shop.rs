//! `GET /`: the shop, on a phone or a larger screen; programs are greeted and told where things are.

use askama::Template;
use axum::extract::State;
use axum::http::header::{ACCEPT, VARY};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use cafe_events::Size;
use cafe_web::Problem;
use cafe_web::screen::{self, Both, Frame, Language, money, page, words};

use super::App;
use super::drawings::picture;
use crate::Config;
use crate::menu::Drink;
use crate::wish::{LINES_MAX, QUANTITY_MAX};

const GREETING: &str = "Welcome to the cafe. GET /menu shows what there is, POST /orders orders it; \
    an empty POST answers with an example. /openapi.json describes the rest.\n";

/// The shop.
#[derive(Template)]
#[template(path = "shop.html")]
struct Shop<'a> {
    frame: Frame,
    words: Words,
    here: &'static str,
    to_go: &'static str,
    drinks: Vec<DrinkCard<'a>>,
    unit: String,
    decimals: u32,
    vendor: &'a str,
    lines_max: usize,
    quantity_max: u32,
}

/// A drink as it is offered.
struct DrinkCard<'a> {
    key: &'a str,
    name: &'a str,
    picture: &'static str,
    /// Its price, or from which one on.
    price: String,
    sizes: Vec<SizeChoice>,
}

/// A size of it.
struct SizeChoice {
    key: &'static str,
    name: &'static str,
    amount: i64,
    price: String,
    is_usual: bool,
}

/// What the shop says.
#[derive(Clone, Copy)]
struct Words {
    title: &'static str,
    welcome: &'static str,
    needs_script: &'static str,
    my_order: &'static str,
    where_to: &'static str,
    here_in: &'static str,
    to_go_in: &'static str,
    menu: &'static str,
    size: &'static str,
    quantity: &'static str,
    fewer: &'static str,
    more: &'static str,
    close: &'static str,
    add: &'static str,
    added: &'static str,
    cart: &'static str,
    empty: &'static str,
    remove: &'static str,
    not_on_the_menu: &'static str,
    total: &'static str,
    training_card: &'static str,
    card_approves: &'static str,
    card_declines: &'static str,
    card_is_slow: &'static str,
    card_is_silent: &'static str,
    pay: &'static str,
    back: &'static str,
    paying: &'static str,
    trying: &'static str,
    unsure: &'static str,
    send_again: &'static str,
    busy: &'static str,
    stuck: &'static str,
    price_changed: &'static str,
    refused: &'static str,
    full: &'static str,
}

const WORDS: Both<Words> = Both {
    ko: Words {
        title: "주문 · cafe",
        welcome: "어서 오세요",
        needs_script: "이 화면에서 주문하려면 자바스크립트가 켜져 있어야 합니다.",
        my_order: "내 주문 보기",
        where_to: "어디서 드시나요?",
        here_in: "머그잔에 드립니다",
        to_go_in: "일회용 컵에 드립니다",
        menu: "메뉴",
        size: "크기",
        quantity: "수량",
        fewer: "하나 빼기",
        more: "하나 더",
        close: "닫기",
        add: "담기",
        added: "담았습니다",
        cart: "담은 메뉴",
        empty: "아직 담은 메뉴가 없습니다.",
        remove: "삭제",
        not_on_the_menu: "지금은 없는 메뉴입니다. 삭제해야 결제할 수 있습니다.",
        total: "합계",
        training_card: "연습용 카드",
        card_approves: "승인되는 카드",
        card_declines: "거절되는 카드",
        card_is_slow: "느린 카드",
        card_is_silent: "답이 오지 않는 카드",
        pay: "결제하기",
        back: "더 고르기",
        paying: "주문을 보내고 있습니다…",
        trying: "매장과 연결되지 않아 다시 보내고 있습니다. 다시 주문하지 마세요. 결제는 한 번만 됩니다.",
        unsure: "지난번 주문이 접수되었는지 확인되지 않았습니다. 다시 보내도 결제는 한 번만 됩니다.",
        send_again: "다시 보내기",
        busy: "지금은 주문이 많아 받지 못했습니다. 결제되지 않았습니다. 잠시 후 다시 눌러 주세요.",
        stuck: "지금은 결제가 되지 않아 주문을 받지 못했습니다. 결제되지 않았습니다.",
        price_changed: "그사이 가격이 바뀌었습니다. 결제되지 않았습니다. 새 가격을 확인해 주세요.",
        refused: "주문을 받지 못했습니다. 결제되지 않았습니다. 담은 메뉴를 확인해 주세요.",
        full: "한 번에 더 담을 수 없습니다.",
    },
    en: Words {
        title: "Order · cafe",
        welcome: "Welcome",
        needs_script: "To order on this screen, JavaScript has to be switched on.",
        my_order: "My order",
        where_to: "For here or to go?",
        here_in: "in a mug",
        to_go_in: "in a paper cup",
        menu: "Menu",
        size: "Size",
        quantity: "Quantity",
        fewer: "One fewer",
        more: "One more",
        close: "Close",
        add: "Add",
        added: "Added",
        cart: "Your order",
        empty: "Nothing is in your order yet.",
        remove: "Remove",
        not_on_the_menu: "Not on the menu any more. Remove it to pay.",
        total: "Total",
        training_card: "Training card",
        card_approves: "A card that is approved",
        card_declines: "A card that is declined",
        card_is_slow: "A slow card",
        card_is_silent: "A card without an answer",
        pay: "Pay",
        back: "Choose more",
        paying: "Sending your order…",
        trying: "The cafe cannot be reached; sending again. Please do not order again: you are charged once.",
        unsure: "It is not certain that your last order arrived. Sent again, it is still charged once.",
        send_again: "Send again",
        busy: "There is too much to do at the moment. Nothing was charged. Please try again in a while.",
        stuck: "Payments do not work at the moment, so your order was not taken. Nothing was charged.",
        price_changed: "Prices have changed meanwhile. Nothing was charged. Please look at the new ones.",
        refused: "Your order was not taken. Nothing was charged. Please look at it again.",
        full: "No more fit into one order.",
    },
};

/// The shop, for people; a greeting, for programs
///
/// A browser gets the shop in Korean or English (`?lang=`, or as it prefers), everyone else a line of text.
#[utoipa::path(
    get,
    path = "/",
    tag = "shop",
    params(("lang" = Option<String>, Query, description = "The language of the page: `ko` or `en`.")),
    responses((status = 200, description = "The shop, or a greeting.", content(
        (String = "text/plain; charset=utf-8"),
        (String = "text/html; charset=utf-8"),
    )))
)]
pub(super) async fn shop(
    State(app): State<App>,
    language: Language,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let accepts = headers.get(ACCEPT).and_then(|accepts| accepts.to_str().ok()).unwrap_or_default();
    if !accepts.contains("text/html") {
        return Ok(([(VARY, HeaderValue::from_static("accept"))], GREETING).into_response());
    }
    let frame = app.frame(language, "");
    page(frame, &Shop::new(frame, &app.config))
}

impl<'a> Shop<'a> {
    fn new(frame: Frame, config: &'a Config) -> Self {
        let card = |drink| DrinkCard::new(drink, frame.language, config);
        Self {
            frame,
            words: frame.language.of(&WORDS),
            here: words::place(false, frame.language),
            to_go: words::place(true, frame.language),
            drinks: config.menu.drinks().iter().map(card).collect(),
            unit: screen::unit(config.currency),
            decimals: screen::decimals(config.currency),
            vendor: config.vendors.first().map_or("", String::as_str),
            lines_max: LINES_MAX,
            quantity_max: QUANTITY_MAX,
        }
    }
}

impl<'a> DrinkCard<'a> {
    fn new(drink: &'a Drink, language: Language, config: &Config) -> Self {
        let choice = |(size, amount): (&Size, &i64)| SizeChoice {
            key: size_key(*size),
            name: words::size(*size, language),
            amount: *amount,
            price: money(*amount, config.currency),
            is_usual: *size == drink.usual_size(),
        };
        let prices = || drink.sizes.values().copied();
        let (lowest, highest) = (prices().min().unwrap_or(0), prices().max().unwrap_or(0));
        Self {
            key: &drink.menu,
            name: language.name_of(&drink.name),
            picture: picture(&drink.menu),
            price: if lowest < highest {
                from_on(&money(lowest, config.currency), language)
            } else {
                money(lowest, config.currency)
            },
            sizes: drink.sizes.iter().map(choice).collect(),
        }
    }
}

fn from_on(price: &str, language: Language) -> String {
    match language {
        Language::Ko => format!("{price}부터"),
        Language::En => format!("from {price}"),
    }
}

/// As orders name it.
fn size_key(size: Size) -> &'static str {
    match size {
        Size::Small => "small",
        Size::Medium => "medium",
        Size::Large => "large",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::menu::Menu;

    fn shown(menu: &str, language: Language) -> String {
        let mut config = Config::new("data");
        config.menu = Menu::parse(menu).unwrap();
        let frame = Frame { language, root: "", training: true };
        Shop::new(frame, &config).render().unwrap()
    }

    const TEA: &str = "[[drink]]\nmenu='tea'\nname={en='Tea',ko='차'}\nprice=1234500\nmaking_ms=1\n";

    #[test]
    fn a_drink_has_its_price_or_says_from_which_one_on() {
        let one = shown(TEA, Language::En);
        assert!(one.contains("₩1,234,500") && !one.contains("from ₩"), "{one}");
        let sized = shown(&format!("{TEA}price_by_size={{large=2000000}}"), Language::En);
        assert!(sized.contains("from ₩1,234,500") && sized.contains("₩2,000,000"), "{sized}");
    }

    #[test]
    fn a_name_is_shown_as_it_is_written() {
        let menu = "[[drink]]\nmenu='gold'\nname={en='<b>&\"',ko='금'}\nprice=1\nmaking_ms=1";
        assert!(shown(menu, Language::Ko).contains("금"));
        let english = shown(menu, Language::En);
        assert!(!english.contains("<b>") && english.contains("&#60;b&#62;&#38;"), "{english}");
    }
}
