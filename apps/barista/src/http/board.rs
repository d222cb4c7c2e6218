//! `GET /board`: what is being made and what can be collected, on a screen for everybody who waits.

mod number;

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use cafe_clock::since;
use cafe_web::screen::{Asset, Both, Frame, Language, page};
use cafe_web::{Problem, QueryOf};
use jiff::Timestamp;
use serde::Deserialize;

use super::{App, frame};
use crate::store;
use crate::ticket::{Status, Ticket};
use number::{date, spoken};

/// Numbers of each region that are sent; no screen has room for more, and the rest is counted.
const LISTED_LIMIT: u32 = 100;
/// A ticket this old is of another day, even when no ticket of a later day is on the board.
const A_DAY: Duration = Duration::from_hours(12);

/// Its style and its scripts.
pub(super) const ASSETS: [Asset; 3] = [
    Asset { name: "board.css", content: include_str!("../../assets/board.css") },
    Asset { name: "board.js", content: include_str!("../../assets/board.js") },
    Asset { name: "board_calls.js", content: include_str!("../../assets/board_calls.js") },
];

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct BoardQuery {
    /// Whose board; the cafe's own store where none is named.
    store: Option<String>,
    /// In which language, `ko` or `en`; otherwise as the browser prefers.
    #[serde(rename = "lang")]
    #[expect(dead_code, reason = "`Language` reads it; here it is allowed, and documented")]
    language: Option<String>,
}

/// Everything in a language; `{n}`, `{t}` and `{s}` stand for a number, a time and seconds.
#[derive(Clone, Copy)]
struct Words {
    title: &'static str,
    preparing: &'static str,
    nothing_preparing: &'static str,
    ready: &'static str,
    nothing_ready: &'static str,
    more: &'static str,
    call: &'static str,
    switch_on: &'static str,
    is_on: &'static str,
    mute: &'static str,
    is_muted: &'static str,
    age: &'static str,
    alarm: &'static str,
}

const WORDS: Both<Words> = Both {
    ko: Words {
        title: "픽업 현황",
        preparing: "준비 중",
        nothing_preparing: "준비 중인 주문이 없습니다",
        ready: "나왔습니다",
        nothing_ready: "찾아가실 주문이 없습니다",
        more: "외 {n}건",
        call: "{n}번 고객님, 주문하신 음료가 나왔습니다",
        switch_on: "소리를 켜려면 누르세요",
        is_on: "소리 켜짐",
        mute: "소리 끄기",
        is_muted: "소리 꺼짐",
        age: "{s}초 전 소식",
        alarm: "연결 끊김: {t} 이후의 변경은 보이지 않을 수 있습니다",
    },
    en: Words {
        title: "Pickup board",
        preparing: "Preparing",
        nothing_preparing: "Nothing is being made",
        ready: "Ready",
        nothing_ready: "Nothing to collect",
        more: "+ {n} more",
        call: "Order {n} is ready",
        switch_on: "Touch to switch sound on",
        is_on: "Sound on",
        mute: "Mute",
        is_muted: "Muted",
        age: "news {s} s old",
        alarm: "No connection: this board may be out of date since {t}",
    },
};

#[derive(Template)]
#[template(path = "board.html")]
struct Board<'a> {
    frame: Frame,
    words: Words,
    /// What those read who do not read `words`.
    also: Words,
    /// What is called out, in both languages.
    calls: Both<&'static str>,
    store: &'a str,
    /// It was asked for by name.
    store_is_named: bool,
    preparing: Region,
    ready: Region,
}

/// Numbers in the order they are shown in.
struct Region {
    places: Vec<Place>,
    /// How many there are, listed or not.
    total: usize,
}

/// A ticket on the board.
struct Place {
    number: String,
    spoken: String,
    /// Its business day and how that is written, where it is not the one that is going on.
    day: Option<(String, String)>,
    /// Tells this time that it became ready from every other.
    call: String,
}

/// The pickup board
///
/// A page for a screen that customers see: the numbers of a store's orders that are being made, first in, first out, and of
/// those that are ready, the newest first. It keeps itself up to date and calls out what becomes ready.
#[utoipa::path(get, path = "/board", tag = "queue", params(BoardQuery), responses(
    (status = 200, description = "The board", body = String, content_type = "text/html"),
))]
pub(super) async fn board(
    State(app): State<App>,
    QueryOf(query): QueryOf<BoardQuery>,
    language: Language,
) -> Result<Response, Problem> {
    let store = query.store.clone().unwrap_or_else(|| app.store.to_string());
    let of_store = store.clone();
    let read = app.desk.readers().read(move |db| {
        let preparing = store::preparing(db, &of_store, LISTED_LIMIT)?;
        let ready = store::ready(db, &of_store, LISTED_LIMIT)?;
        Ok((preparing, ready, store::open_in_store(db, &of_store)?))
    });
    let (preparing, ready, counts) = read.await?;
    let today = Today::of(preparing.iter().chain(&ready).map(|(_, ticket)| ticket), app.clock.now());
    let total = |are_ready: bool| -> usize {
        let counted = counts.iter().filter(|(status, _)| (status == Status::Ready.name()) == are_ready);
        counted.map(|(_, count)| *count as usize).sum()
    };
    let frame = frame(language);
    let screen = Board {
        frame,
        words: language.of(&WORDS),
        also: language.other().of(&WORDS),
        calls: Both { ko: WORDS.ko.call, en: WORDS.en.call },
        store: &store,
        store_is_named: query.store.is_some(),
        ready: today.region(&ready, total(true), language),
        preparing: today.region(&preparing, total(false), language),
    };
    page(frame, &screen)
}

/// Which business day is going on, as far as a barista can tell: days begin where the order service says.
struct Today {
    newest_day: String,
    now: Timestamp,
}

impl Today {
    fn of<'a>(shown: impl Iterator<Item = &'a Arc<Ticket>>, now: Timestamp) -> Self {
        Self { newest_day: shown.map(|ticket| ticket.day.clone()).max().unwrap_or_default(), now }
    }

    fn includes(&self, ticket: &Ticket) -> bool {
        ticket.day == self.newest_day && since(self.now, ticket.queued_at) < A_DAY
    }

    fn region(&self, tickets: &store::Page, total: usize, language: Language) -> Region {
        let places: Vec<Place> = tickets.iter().map(|(_, ticket)| self.place(ticket, language)).collect();
        // Rows that were read one after the other may differ.
        Region { total: total.max(places.len()), places }
    }

    fn place(&self, ticket: &Ticket, language: Language) -> Place {
        let ready_at_ms = ticket.ready_at.map_or(0, Timestamp::as_millisecond);
        Place {
            number: ticket.number.clone(),
            spoken: spoken(&ticket.number),
            day: (!self.includes(ticket)).then(|| (ticket.day.clone(), date(&ticket.day, language))),
            call: format!("{}-{ready_at_ms}", ticket.sequence),
        }
    }
}

impl Region {
    /// Numbers have at least four digits, and five on a very good day.
    fn has_long_numbers(&self) -> bool {
        self.places.iter().any(|place| place.number.chars().count() > 4)
    }
}
