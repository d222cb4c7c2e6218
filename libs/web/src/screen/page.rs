//! A page as it is sent.

use askama::Template;
use axum::http::HeaderValue;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, SET_COOKIE, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::response::{Html, IntoResponse, Response};

use super::{Both, Language};
use crate::Problem;

/// Everything comes from the service itself, nothing is inline, and no other page can frame it.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
);

/// What `frame.html` shows around a screen.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    /// In which language.
    pub language: Language,
    /// From the screen's address to the service's root: `""`, `"../"`.
    pub root: &'static str,
    /// No real money moves: only the simulator is paid through.
    pub training: bool,
}

impl Frame {
    /// What a screen shows that nobody touches and that its browser does not keep on.
    pub fn may_go_dark(&self) -> &'static str {
        self.language.of(&Both {
            ko: "화면이 꺼질 수 있습니다 (HTTPS로 열면 켜져 있습니다)",
            en: "May go dark (over HTTPS it stays on)",
        })
    }

    /// What is shown while no real money moves.
    pub fn training_note(&self) -> &'static str {
        self.language
            .of(&Both {
                ko: "연습 모드 · 실제로 결제되지 않습니다", en: "TRAINING · no real money moves"
            })
    }
}

/// Answers with a screen, in its language, which the browser is to remember.
///
/// # Errors
/// It cannot be rendered.
pub fn page(frame: Frame, screen: &impl Template) -> Result<Response, Problem> {
    let html = screen.render().map_err(|error| Problem::internal(error.to_string()))?;
    let mut response = Html(html).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // An order's token is in its address.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(VARY, HeaderValue::from_static("accept, accept-language, cookie"));
    let cookie = frame.language.of(&Both {
        ko: "lang=ko; Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly",
        en: "lang=en; Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly",
    });
    headers.insert(SET_COOKIE, HeaderValue::from_static(cookie));
    Ok(response)
}
