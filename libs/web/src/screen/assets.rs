//! Styles, scripts and drawings: all of them are inside the program.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::Problem;

/// A file inside the program.
#[derive(Clone, Copy, Debug)]
pub struct Asset {
    /// Its name, which tells its type: `screen.css`, `live.js`, `latte.svg`.
    pub name: &'static str,
    /// What is in it.
    pub content: &'static str,
}

/// What every screen has.
const COMMON: [Asset; 3] = [
    Asset { name: "screen.css", content: include_str!("../../assets/screen.css") },
    Asset { name: "live.js", content: include_str!("../../assets/live.js") },
    Asset { name: "cup.svg", content: include_str!("../../assets/cup.svg") },
];

/// The files of a service's screens, at `assets/{name}`. A browser asks each time whether its copy is still right: a page never
/// runs with the script of another version. Cheap to clone.
#[derive(Clone)]
pub struct Assets(Arc<BTreeMap<&'static str, Stored>>);

struct Stored {
    content: &'static str,
    media_type: HeaderValue,
    etag: HeaderValue,
}

impl Assets {
    /// Those that every screen has, and a service's own.
    pub fn new(own: &[Asset]) -> Self {
        let stored = COMMON.iter().chain(own).map(|asset| (asset.name, Stored::new(asset)));
        Self(Arc::new(stored.collect()))
    }

    /// Whether there is a file of that name.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// `GET /assets/{name}`.
    pub fn routes(self) -> Router {
        Router::new().route("/assets/{name}", get(asset)).with_state(self)
    }
}

async fn asset(
    State(assets): State<Assets>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let stored = assets.0.get(&*name).ok_or_else(|| Problem::not_found("There is no such file."))?;
    let is_known = headers.get(IF_NONE_MATCH).is_some_and(|known| *known == stored.etag);
    let about = [(ETAG, stored.etag.clone()), (CACHE_CONTROL, HeaderValue::from_static("no-cache"))];
    if is_known {
        return Ok((StatusCode::NOT_MODIFIED, about).into_response());
    }
    let of_type = [
        (CONTENT_TYPE, stored.media_type.clone()),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    Ok((about, of_type, stored.content).into_response())
}

impl Stored {
    fn new(asset: &Asset) -> Self {
        let hash = URL_SAFE_NO_PAD.encode(&Sha256::digest(asset.content)[..12]);
        let etag = HeaderValue::try_from(format!("\"{hash}\"")).unwrap_or(HeaderValue::from_static("\"\""));
        Self { content: asset.content, media_type: media_type(asset.name), etag }
    }
}

fn media_type(name: &str) -> HeaderValue {
    HeaderValue::from_static(match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    })
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use tower::ServiceExt;

    use super::*;

    async fn ask(name: &str, known: Option<&HeaderValue>) -> Response {
        let request = Request::get(format!("/assets/{name}"));
        let request = known.into_iter().fold(request, |request, etag| request.header(IF_NONE_MATCH, etag));
        Assets::new(&[]).routes().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn a_file_is_sent_once_and_then_only_when_it_has_changed() {
        let first = ask("screen.css", None).await;
        assert_eq!(first.status(), StatusCode::OK);
        assert_eq!(first.headers()[CONTENT_TYPE], "text/css; charset=utf-8");
        let again = ask("screen.css", first.headers().get(ETAG)).await;
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(ask("../Cargo.toml", None).await.status(), StatusCode::NOT_FOUND);
    }
}
