//! `POST /sign-in` and `POST /sign-out`: a browser of staff, and how it comes in.

use askama::Template;
use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use cafe_web::screen::{Both, Frame, Language, page};
use cafe_web::{JsonBody, Problem};
use serde::Deserialize;

use super::{App, frame};

/// What a browser shows to be let in.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SignIn {
    /// The staff key, which is in `<data>/staff.key`.
    #[schema(max_length = 1_000)]
    key: String,
}

/// What is shown to a browser that is not signed in.
#[derive(Template)]
#[template(path = "sign_in.html")]
struct Door {
    frame: Frame,
    words: Words,
}

#[derive(Clone, Copy)]
struct Words {
    title: &'static str,
    what: &'static str,
    key: &'static str,
    where_it_is: &'static str,
    wrong: &'static str,
    away: &'static str,
    enter: &'static str,
    board: &'static str,
    needs_script: &'static str,
}

const WORDS: Both<Words> = Both {
    ko: Words {
        title: "바리스타 화면",
        what: "이 기기를 직원용 화면으로 쓰려면 직원 키를 한 번만 입력하세요.",
        key: "직원 키",
        where_it_is: "cafe를 실행한 컴퓨터의 데이터 폴더에 있는 staff.key 파일의 내용입니다.",
        wrong: "직원 키가 아닙니다. staff.key 파일의 내용을 그대로 입력하세요.",
        away: "매장과 연결되지 않습니다. 잠시 뒤에 다시 눌러 주세요.",
        enter: "이 기기에서 쓰기",
        board: "픽업 현황 보기",
        needs_script: "이 화면은 자바스크립트가 켜져 있어야 합니다.",
    },
    en: Words {
        title: "Barista's display",
        what: "To use this device as a screen for staff, enter the staff key once.",
        key: "Staff key",
        where_it_is: "It is what is in the file staff.key, in the data folder of the computer that runs cafe.",
        wrong: "That is not the staff key. Enter just what is in the file staff.key.",
        away: "The cafe cannot be reached. Touch again in a moment.",
        enter: "Use this device",
        board: "Show the pickup board",
        needs_script: "This screen needs JavaScript.",
    },
};

pub(super) fn door(language: Language) -> Result<Response, Problem> {
    let frame = frame(language);
    page(frame, &Door { frame, words: language.of(&WORDS) })
}

/// Sign a browser in
///
/// For this service's front page: the browser is given a cookie that stands for the staff key, on this service's pages only.
#[utoipa::path(post, path = "/sign-in", tag = "tickets", request_body = SignIn, responses(
    (status = 204, description = "It is signed in: it has the cookie."),
    (status = 403, description = "That is not the staff key, or it does not come from a page of this service."),
))]
pub(super) async fn sign_in(
    State(app): State<App>,
    headers: HeaderMap,
    JsonBody(SignIn { key }): JsonBody<SignIn>,
) -> Result<Response, Problem> {
    let cookie = app.staff.sign_in(key.trim(), &headers).ok_or_else(|| {
        Problem::new(StatusCode::FORBIDDEN, "not-signed-in", "The browser is not signed in.")
            .detail("Send the staff key, which is in <data>/staff.key, from a page of this service.")
    })?;
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, cookie)]).into_response())
}

/// Sign a browser out
#[utoipa::path(post, path = "/sign-out", tag = "tickets", responses(
    (status = 204, description = "It has no cookie any more."),
))]
pub(super) async fn sign_out(State(app): State<App>) -> Response {
    (StatusCode::NO_CONTENT, [(SET_COOKIE, app.staff.sign_out())]).into_response()
}
