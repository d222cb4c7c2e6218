//! The barista's display: what is to be made, first in first out, on a screen for staff.

use askama::Template;
use axum::http::HeaderMap;
use axum::http::header::SET_COOKIE;
use axum::response::Response;
use cafe_events::Size;
use cafe_web::Problem;
use cafe_web::screen::{Asset, Both, Frame, Language, page, words};
use serde::Serialize;

use super::{App, frame};

/// Its style and its scripts, and those of its door.
pub(super) const ASSETS: [Asset; 5] = [
    Asset { name: "display.css", content: include_str!("../../assets/display.css") },
    Asset { name: "display.js", content: include_str!("../../assets/display.js") },
    Asset { name: "display_cards.js", content: include_str!("../../assets/display_cards.js") },
    Asset { name: "display_acts.js", content: include_str!("../../assets/display_acts.js") },
    Asset { name: "sign_in.js", content: include_str!("../../assets/sign_in.js") },
];

/// Everything in a language; `{n}`, `{t}` and `{s}` stand for a number, a time and seconds. The scripts get it too.
#[derive(Clone, Copy, Serialize)]
struct Words {
    title: &'static str,
    to_make: &'static str,
    nothing: &'static str,
    unknown: &'static str,
    ready: &'static str,
    more: &'static str,
    drinks: &'static str,
    started: &'static str,
    start: &'static str,
    done: &'static str,
    picked_up: &'static str,
    recall: &'static str,
    reject: &'static str,
    undo: &'static str,
    was_done: &'static str,
    was_picked_up: &'static str,
    was_rejected: &'static str,
    was_recalled: &'static str,
    again: &'static str,
    cannot: &'static str,
    for_here: &'static str,
    to_go: &'static str,
    made: &'static str,
    minutes: &'static str,
    late: &'static str,
    which: &'static str,
    why: &'static str,
    reject_title: &'static str,
    reject_note: &'static str,
    reject_reasons: [&'static str; 3],
    recall_title: &'static str,
    recall_note: &'static str,
    recall_reasons: [&'static str; 3],
    other_reason: &'static str,
    back: &'static str,
    collected: &'static str,
    faster: &'static str,
    not_now: &'static str,
    failed: &'static str,
    keys: &'static str,
    sound_on: &'static str,
    switch_on: &'static str,
    mute: &'static str,
    is_muted: &'static str,
    age: &'static str,
    alarm: &'static str,
    board: &'static str,
    sign_out: &'static str,
    needs_script: &'static str,
    statuses: Statuses,
}

/// How far a ticket is, by the names of [`Status`](crate::ticket::Status).
#[derive(Clone, Copy, Serialize)]
struct Statuses {
    queued: &'static str,
    making: &'static str,
    ready: &'static str,
    picked_up: &'static str,
    rejected: &'static str,
    cancelled: &'static str,
    uncollected: &'static str,
}

const WORDS: Both<Words> = Both {
    ko: Words {
        title: "바리스타 화면",
        to_make: "만들 주문",
        nothing: "만들 주문이 없습니다",
        unknown: "주문을 불러오고 있습니다",
        ready: "픽업 대기",
        more: "외 {n}건",
        drinks: "남은 음료",
        started: "만드는 중",
        start: "시작",
        done: "완료",
        picked_up: "전달",
        recall: "다시 만들기",
        reject: "못 만듦",
        undo: "되돌리기",
        was_done: "{n}번 완료",
        was_picked_up: "{n}번 전달",
        was_rejected: "{n}번: 못 만드는 음료의 금액을 돌려드립니다",
        was_recalled: "{n}번을 다시 만듭니다",
        again: "다시",
        cannot: "못 만듦",
        for_here: "매장",
        to_go: "포장",
        made: "완성",
        minutes: "{n}분",
        late: "지연",
        which: "음료",
        why: "이유",
        reject_title: "{n}번: 못 만드는 음료",
        reject_note: "고른 음료의 금액을 손님에게 돌려드립니다. 되돌릴 수 없습니다.",
        reject_reasons: ["재료 소진", "기계 고장", "손님 요청"],
        recall_title: "{n}번: 다시 만들 음료",
        recall_note: "추가 금액 없이 다시 만듭니다.",
        recall_reasons: ["쏟음", "주문과 다름", "맛이나 온도"],
        other_reason: "다른 이유",
        back: "닫기",
        collected: "최근에 전달한 주문",
        faster: "{n}번은 다른 화면에서 먼저 처리했습니다: {s}",
        not_now: "{n}번은 지금 그렇게 할 수 없습니다: {s}",
        failed: "{n}번을 처리하지 못했습니다. 연결을 확인하고 다시 눌러 주세요.",
        keys: "키보드: 1–9 완료, Enter 맨 앞 완료, Backspace 되돌리기",
        sound_on: "소리 켜짐",
        switch_on: "소리를 켜려면 누르세요",
        mute: "소리 끄기",
        is_muted: "소리 꺼짐",
        age: "{s}초 전 소식",
        alarm: "연결 끊김: {t} 이후의 주문은 보이지 않을 수 있습니다",
        board: "픽업 현황",
        sign_out: "이 기기에서 나가기",
        needs_script: "이 화면은 자바스크립트가 켜져 있어야 합니다.",
        statuses: Statuses {
            queued: "대기",
            making: "만드는 중",
            ready: "픽업 대기",
            picked_up: "전달함",
            rejected: "못 만듦",
            cancelled: "취소됨",
            uncollected: "찾아가지 않음",
        },
    },
    en: Words {
        title: "Barista's display",
        to_make: "To make",
        nothing: "Nothing to make",
        unknown: "Asking for the orders",
        ready: "Ready",
        more: "+ {n} more",
        drinks: "Drinks left",
        started: "being made",
        start: "Start",
        done: "Done",
        picked_up: "Handed over",
        recall: "Make again",
        reject: "Cannot make",
        undo: "Undo",
        was_done: "{n} is done",
        was_picked_up: "{n} is handed over",
        was_rejected: "{n}: the money for what cannot be made goes back",
        was_recalled: "{n} is made again",
        again: "again",
        cannot: "cannot be made",
        for_here: "for here",
        to_go: "to go",
        made: "made",
        minutes: "{n} min",
        late: "late",
        which: "Drinks",
        why: "Why",
        reject_title: "{n}: what cannot be made",
        reject_note: "The customer gets the money for these drinks back. This cannot be undone.",
        reject_reasons: ["Sold out", "Machine broken", "Customer asked"],
        recall_title: "{n}: what is to be made again",
        recall_note: "It is made again at no charge.",
        recall_reasons: ["Spilled", "Not as ordered", "Taste or temperature"],
        other_reason: "Another reason",
        back: "Close",
        collected: "Handed over lately",
        faster: "{n} was done on another screen first: {s}",
        not_now: "{n} cannot do that now: {s}",
        failed: "{n} could not be changed. Look at the connection, and touch again.",
        keys: "Keys: 1–9 done, Enter the first one done, Backspace undo",
        sound_on: "Sound on",
        switch_on: "Touch to switch sound on",
        mute: "Mute",
        is_muted: "Muted",
        age: "news {s} s old",
        alarm: "No connection: orders since {t} may not be shown",
        board: "Pickup board",
        sign_out: "Sign this device out",
        needs_script: "This screen needs JavaScript.",
        statuses: Statuses {
            queued: "queued",
            making: "being made",
            ready: "ready",
            picked_up: "handed over",
            rejected: "cannot be made",
            cancelled: "cancelled",
            uncollected: "not collected",
        },
    },
};

#[derive(Template)]
#[template(path = "display.html")]
struct Display<'a> {
    frame: Frame,
    words: Words,
    /// What the scripts say, as JSON.
    said: String,
    store: &'a str,
    /// By this service's clock, in ms since 1970: ages are told by it.
    now_ms: i64,
}

/// What the scripts say.
#[derive(Serialize)]
struct Said {
    #[serde(flatten)]
    words: Words,
    language: &'static str,
    sizes: Sizes,
}

#[derive(Serialize)]
struct Sizes {
    small: &'static str,
    medium: &'static str,
    large: &'static str,
}

/// The display of a browser that is signed in; it stays so for as long again.
pub(super) fn display(app: &App, language: Language, headers: &HeaderMap) -> Result<Response, Problem> {
    let (frame, words) = (frame(language), language.of(&WORDS));
    let size = |size| words::size(size, language);
    let said = Said {
        words,
        language: language.tag(),
        sizes: Sizes { small: size(Size::Small), medium: size(Size::Medium), large: size(Size::Large) },
    };
    let said = serde_json::to_string(&said).map_err(|error| Problem::internal(error.to_string()))?;
    let now_ms = app.clock.now().as_millisecond();
    let mut response = page(frame, &Display { frame, words, said, store: &app.store, now_ms })?;
    response.headers_mut().append(SET_COOKIE, app.staff.renewed(headers));
    Ok(response)
}
