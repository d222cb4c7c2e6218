//! `GET /o/{id}`: an order as its customer follows it on a screen, and `POST /o/{id}/cancel` from there.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use cafe_events::{OrderId, OrderLine, Party};
use cafe_web::screen::{Both, Frame, Language, money, page, words};
use cafe_web::{PathOf, Presented, Problem, Traceparent};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::App;
use super::view::{CancelView, OrderView};
use crate::backlog::Flow;
use crate::order::{LineState, Order, PaymentOutcome, Placed, Status};
use crate::{Answer, Request};

/// An order as its customer follows it.
#[derive(Template)]
#[template(path = "order.html")]
struct Followed<'a> {
    frame: Frame,
    words: Words,
    order: OrderView<'a>,
    token: String,
    title: String,
    /// What is called out, once it is paid.
    number: Option<&'a str>,
    headline: &'static str,
    detail: Option<String>,
    steps: Vec<StepShown>,
    lines: Vec<LineShown<'a>>,
    total: String,
    refunded: Option<String>,
    cancel: Option<&'static str>,
    can_cancel: bool,
}

/// A step of an order's way.
struct StepShown {
    name: &'static str,
    at: Option<String>,
    is_done: bool,
    is_now: bool,
}

/// A line of it.
struct LineShown<'a> {
    name: &'a str,
    quantity: u32,
    detail: String,
    price: String,
    state: Option<&'static str>,
}

/// What a status is called.
struct Said {
    headline: &'static str,
    step: &'static str,
}

/// There is no such order, or it is not for whoever asks.
#[derive(Template)]
#[template(path = "missing.html")]
struct Missing {
    frame: Frame,
    headline: &'static str,
    detail: &'static str,
    shop: &'static str,
}

/// What the page says, besides what depends on the order.
#[derive(Clone, Copy)]
struct Words {
    your_number: &'static str,
    order: &'static str,
    total: &'static str,
    refunded: &'static str,
    cancel: &'static str,
    done: &'static str,
    lost: &'static str,
    shop: &'static str,
}

const WORDS: Both<Words> = Both {
    ko: Words {
        your_number: "주문 번호",
        order: "주문하신 메뉴",
        total: "합계",
        refunded: "돌려드린 금액",
        cancel: "주문 취소",
        done: "완료",
        lost: "매장과 연결이 끊겼습니다. 다시 연결하고 있습니다. 아래 내용은 지난 소식일 수 있습니다.",
        shop: "메뉴로 돌아가기",
    },
    en: Words {
        your_number: "Your number",
        order: "What you ordered",
        total: "Total",
        refunded: "Given back",
        cancel: "Cancel the order",
        done: "done",
        lost: "The cafe cannot be reached; trying again. What is shown below may be out of date.",
        shop: "Back to the menu",
    },
};

/// An order, on a screen
///
/// The page that a customer follows an order on, in Korean or English. It changes as the order does.
#[utoipa::path(
    get,
    path = "/o/{id}",
    tag = "shop",
    operation_id = "follow_order",
    params(
        ("id" = Uuid, Path, description = "The order's id."),
        ("lang" = Option<String>, Query, description = "The language of the page: `ko` or `en`."),
    ),
    security(("order_token_in_query" = [])),
    responses(
        (status = 200, description = "The page.", body = String, content_type = "text/html; charset=utf-8"),
        (status = 404, description = "There is no such order, or this is not its token; a page says so.", body = String, content_type = "text/html; charset=utf-8"),
    )
)]
pub(super) async fn follow(
    State(app): State<App>,
    PathOf(order_id): PathOf<OrderId>,
    presented: Presented,
    language: Language,
) -> Result<Response, Problem> {
    let frame = app.frame(language, "../");
    if app.admit(order_id, &presented).is_err() {
        return missing(frame);
    }
    let Some(order) = app.find(order_id).await? else { return missing(frame) };
    let flow = app.backlog.flow(app.clock.now());
    let token = app.tokens.token(order_id);
    match Followed::new(frame, order_id, &order, flow, token, &app.config.zone) {
        Some(followed) => page(frame, &followed),
        None => missing(frame),
    }
}

/// Cancels an order, from its page
///
/// As `POST /orders/{id}/cancel`, for a form; whatever comes of it, the page tells.
#[utoipa::path(
    post,
    path = "/o/{id}/cancel",
    tag = "shop",
    operation_id = "cancel_followed_order",
    params(("id" = Uuid, Path, description = "The order's id.")),
    security(("order_token_in_query" = [])),
    responses(
        (status = 303, description = "Back to the page."),
        (status = 404, description = "There is no such order, or this is not its token; a page says so.", body = String, content_type = "text/html; charset=utf-8"),
    )
)]
pub(super) async fn cancel(
    State(app): State<App>,
    PathOf(order_id): PathOf<OrderId>,
    presented: Presented,
    Traceparent(traceparent): Traceparent,
    language: Language,
) -> Result<Response, Problem> {
    if app.admit(order_id, &presented).is_err() {
        return missing(app.frame(language, "../../"));
    }
    let request = Request::Cancel { order_id, by: Party::Customer, reason: None };
    match app.desk.ask(request, traceparent).await? {
        Answer::CancelAsked { .. } | Answer::Refused(_) => {
            let token = app.tokens.token(order_id);
            Ok((StatusCode::SEE_OTHER, [(LOCATION, format!("../{order_id}?token={token}"))]).into_response())
        }
        _ => missing(app.frame(language, "../../")),
    }
}

fn missing(frame: Frame) -> Result<Response, Problem> {
    let missing = Missing {
        frame,
        headline: frame
            .language
            .of(&Both { ko: "주문을 찾을 수 없습니다", en: "There is no such order" }),
        detail: frame.language.of(&Both {
            ko: "주소가 끝까지 맞는지 확인하시거나, 매장에 문의해 주세요.",
            en: "Please look whether the address is complete, or ask at the counter.",
        }),
        shop: frame.language.of(&WORDS).shop,
    };
    let mut response = page(frame, &missing)?;
    *response.status_mut() = StatusCode::NOT_FOUND;
    Ok(response)
}

impl<'a> Followed<'a> {
    fn new(
        frame: Frame,
        order_id: OrderId,
        order: &'a Order,
        flow: Flow,
        token: String,
        zone: &TimeZone,
    ) -> Option<Self> {
        let (language, placed) = (frame.language, order.placed.as_ref()?);
        let view = OrderView::of(order_id, order, flow)?;
        let words = language.of(&WORDS);
        let number = is_number_known(order).then_some(&*placed.number);
        let headline = said(view.status, language).headline;
        let refunded = order.payment.refunded;
        Some(Self {
            frame,
            words,
            token,
            title: number.map_or_else(|| headline.to_owned(), |number| format!("{number} · {headline}")),
            number,
            headline,
            detail: detail(order, placed, view.payment_delayed, language),
            steps: steps(order, language, zone),
            lines: placed.lines.iter().map(|line| LineShown::new(line, order, placed, language)).collect(),
            total: money(placed.total, placed.currency),
            refunded: (refunded > 0).then(|| money(refunded, placed.currency)),
            cancel: view.cancel.map(|cancel| cancel_words(cancel, view.status, language)),
            can_cancel: matches!(view.status, Status::Placed | Status::Paid) && view.cancel.is_none(),
            order: view,
        })
    }
}

impl<'a> LineShown<'a> {
    fn new(line: &'a OrderLine, order: &Order, placed: &Placed, language: Language) -> Self {
        let (size, place) = (words::size(line.size, language), words::place(line.takeout, language));
        Self {
            name: language.name_of(&line.name),
            quantity: line.quantity,
            detail: format!("{size} · {place}"),
            price: money(line.price, placed.currency),
            state: line_state(order.line_state(line.line_id), language),
        }
    }
}

/// A number is called out only for what is paid.
fn is_number_known(order: &Order) -> bool {
    order.payment.outcome == Some(PaymentOutcome::Approved) || !order.ticket.steps.is_empty()
}

/// What a status is called: in a sentence to the customer, and as a step of an order's way.
fn said(status: Status, language: Language) -> Said {
    let said = |headline: Both<&'static str>, step: Both<&'static str>| Said {
        headline: language.of(&headline),
        step: language.of(&step),
    };
    match status {
        Status::Placed => said(
            Both { ko: "결제를 확인하고 있습니다", en: "Checking your payment" },
            Both { ko: "주문", en: "Ordered" },
        ),
        Status::Paid => said(
            Both { ko: "주문을 받았습니다", en: "Your order is in the queue" },
            Both { ko: "결제 완료", en: "Paid" },
        ),
        Status::Making => said(
            Both { ko: "만들고 있습니다", en: "Your order is being made" },
            Both { ko: "만드는 중", en: "Being made" },
        ),
        Status::Ready => said(
            Both { ko: "나왔습니다. 가져가세요", en: "Ready: please pick it up" },
            Both { ko: "나왔습니다", en: "Ready" },
        ),
        Status::PickedUp => {
            said(Both { ko: "맛있게 드세요", en: "Enjoy" }, Both { ko: "가져가셨습니다", en: "Picked up" })
        }
        Status::Declined => said(
            Both { ko: "결제가 거절되었습니다", en: "Your payment was declined" },
            Both { ko: "결제 거절", en: "Declined" },
        ),
        Status::Expired => said(
            Both { ko: "결제 시간이 지났습니다", en: "It was not paid in time" },
            Both { ko: "시간 초과", en: "Expired" },
        ),
        Status::Cancelled => {
            said(Both { ko: "취소되었습니다", en: "Cancelled" }, Both { ko: "취소", en: "Cancelled" })
        }
        Status::Refunded => said(
            Both {
                ko: "만들지 못해 환불해 드렸습니다", en: "It could not be made; your money went back"
            },
            Both { ko: "환불", en: "Refunded" },
        ),
        Status::Uncollected => said(
            Both { ko: "찾아가지 않아 마감되었습니다", en: "Nobody came for it" },
            Both { ko: "마감", en: "Not collected" },
        ),
    }
}

fn detail(order: &Order, placed: &Placed, is_delayed: bool, language: Language) -> Option<String> {
    let sentence = |both: Both<&'static str>| Some(language.of(&both).to_owned());
    match order.status() {
        Status::Placed if is_delayed => sentence(Both {
            ko: "결제 확인이 평소보다 오래 걸리고 있습니다. 다시 결제하지 마세요. 결제는 한 번만 됩니다.",
            en: "Payments take longer than usual. Please do not pay again: you are charged once, or not at all.",
        }),
        Status::Placed => {
            sentence(Both { ko: "다시 결제하지 마세요.", en: "Please do not pay again." })
        }
        Status::Declined | Status::Expired => {
            sentence(Both { ko: "결제되지 않았습니다.", en: "Nothing was charged." })
        }
        Status::Making => {
            let is_made = |line: &&OrderLine| order.line_state(line.line_id) == LineState::Ready;
            let (made, all) = (placed.lines.iter().filter(is_made).count(), placed.lines.len());
            (all > 1).then(|| match language {
                Language::Ko => format!("{all}가지 중 {made}가지가 나왔습니다"),
                Language::En => format!("{made} of {all} made"),
            })
        }
        _ => None,
    }
}

/// The way of an order that comes to no other end.
const WAY: [Status; 4] = [Status::Placed, Status::Paid, Status::Making, Status::Ready];

/// The way that an order takes, as far as it came, and what is still before it.
fn steps(order: &Order, language: Language, zone: &TimeZone) -> Vec<StepShown> {
    let (status, reached) = (order.status(), order.steps());
    let at = |step: Status| reached.iter().rev().find(|(reached, _)| *reached == step).map(|(_, at)| *at);
    let way_ends = status.is_final() && status != Status::PickedUp;
    let on_the_way = WAY.into_iter().filter(|step| !way_ends || at(*step).is_some());
    let end = status.is_final().then_some(status);
    on_the_way
        .chain(end)
        .map(|step| StepShown {
            name: said(step, language).step,
            at: at(step).map(|at| time_of_day(at, zone)),
            is_done: status == Status::PickedUp || (step != status && is_before(step, status, at(step))),
            is_now: step == status,
        })
        .collect()
}

/// A step that was reached and taken back (made again, say) is not done.
fn is_before(step: Status, now: Status, at: Option<Timestamp>) -> bool {
    let place = |status| WAY.iter().position(|step| *step == status);
    at.is_some() && place(step).zip(place(now)).is_none_or(|(step, now)| step < now)
}

fn line_state(state: LineState, language: Language) -> Option<&'static str> {
    match state {
        LineState::Waiting => None,
        LineState::Ready => Some(language.of(&Both { ko: "나왔습니다", en: "made" })),
        LineState::Rejected => Some(language.of(&Both { ko: "만들 수 없음", en: "cannot be made" })),
    }
}

fn cancel_words(cancel: CancelView, status: Status, language: Language) -> &'static str {
    language.of(&match cancel {
        CancelView::Requested if status == Status::Cancelled => {
            Both { ko: "결제하신 금액은 돌려드립니다.", en: "What you paid is given back." }
        }
        CancelView::Requested => Both { ko: "취소하고 있습니다.", en: "It is being cancelled." },
        CancelView::Refused => Both {
            ko: "취소가 너무 늦었습니다. 매장에 문의해 주세요.",
            en: "It was too late to cancel. Please ask at the counter.",
        },
    })
}

fn time_of_day(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%H:%M").to_string()
}
