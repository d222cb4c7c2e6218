//! In which language a screen speaks.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::ACCEPT_LANGUAGE;
use axum::http::request::Parts;
use cafe_events::Name;

use crate::cookies::cookies;

/// A language of the screens. As an extractor: what `?lang=` asks for, else what was chosen before (the cookie `lang`), else
/// what the browser prefers (`Accept-Language`; RFC 9110, section 12.5.4), else Korean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Korean.
    Ko,
    /// English.
    En,
}

/// The same in every language: what lacks one does not build.
#[derive(Clone, Copy, Debug)]
pub struct Both<T> {
    /// In Korean.
    pub ko: T,
    /// In English.
    pub en: T,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Ko, Self::En];

    /// Its tag (RFC 5646).
    pub fn tag(self) -> &'static str {
        self.of(&Both { ko: "ko", en: "en" })
    }

    /// How it calls itself.
    pub fn name(self) -> &'static str {
        self.of(&Both { ko: "한국어", en: "English" })
    }

    /// What is said in this language.
    pub fn of<T: Copy>(self, both: &Both<T>) -> T {
        match self {
            Self::Ko => both.ko,
            Self::En => both.en,
        }
    }

    /// What a thing is called in this language.
    pub fn name_of(self, thing: &Name) -> &str {
        self.of(&Both { ko: &*thing.ko, en: &*thing.en })
    }

    /// The one that is not spoken.
    #[must_use]
    pub fn other(self) -> Self {
        self.of(&Both { ko: Self::En, en: Self::Ko })
    }

    /// The language that a tag such as `en-GB` is of.
    fn tagged(tag: &str) -> Option<Self> {
        let language = tag.split(['-', '_']).next().unwrap_or_default();
        Self::ALL.into_iter().find(|known| language.eq_ignore_ascii_case(known.tag()))
    }

    fn asked_for(query: &str) -> Option<Self> {
        query.split('&').find_map(|pair| pair.strip_prefix("lang=")).and_then(Self::tagged)
    }

    fn chosen(headers: &HeaderMap) -> Option<Self> {
        cookies(headers).find_map(|pair| pair.strip_prefix("lang=")).and_then(Self::tagged)
    }

    fn preferred(headers: &HeaderMap) -> Option<Self> {
        let ranges = headers.get(ACCEPT_LANGUAGE)?.to_str().ok()?;
        let known = ranges.split(',').filter_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let language = Self::tagged(parts.next()?)?;
            let weight = parts.find_map(|part| part.strip_prefix("q="));
            let weight = weight.map_or(Some(1.0), |weight| weight.parse::<f32>().ok())?;
            (weight > 0.0).then_some((language, weight))
        });
        // The first of those with the highest weight.
        known.reduce(|best, other| if other.1 > best.1 { other } else { best }).map(|(language, _)| language)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Language {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let asked = Self::asked_for(parts.uri.query().unwrap_or_default());
        let found =
            asked.or_else(|| Self::chosen(&parts.headers)).or_else(|| Self::preferred(&parts.headers));
        Ok(found.unwrap_or(Self::Ko))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;
    use axum::http::header::COOKIE;

    use super::*;

    async fn spoken(uri: &str, cookie: Option<&str>, accepts: Option<&str>) -> Language {
        let mut request = Request::get(uri);
        for (name, value) in [(COOKIE, cookie), (ACCEPT_LANGUAGE, accepts)] {
            request = value.into_iter().fold(request, |request, value| request.header(&name, value));
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        Language::from_request_parts(&mut parts, &()).await.unwrap()
    }

    #[tokio::test]
    async fn what_is_asked_for_comes_before_what_was_chosen_and_that_before_what_the_browser_prefers() {
        assert_eq!(spoken("/?lang=en", Some("lang=ko"), Some("ko")).await, Language::En);
        assert_eq!(spoken("/?a=b&lang=ko", None, Some("en")).await, Language::Ko);
        assert_eq!(spoken("/", Some("a=b; lang=en"), Some("ko")).await, Language::En);
        assert_eq!(spoken("/", None, Some("fr, en-GB;q=0.8, ko;q=0.5")).await, Language::En);
        assert_eq!(spoken("/", None, Some("en;q=0.2, ko-KR;q=0.9")).await, Language::Ko);
    }

    #[tokio::test]
    async fn whoever_speaks_neither_is_spoken_to_in_korean() {
        for accepts in [None, Some("fr"), Some("en;q=0"), Some("en;q=often"), Some(",;=")] {
            assert_eq!(spoken("/?lang=fr", Some("lang=xx"), accepts).await, Language::Ko, "{accepts:?}");
        }
    }
}
