//! Styles, scripts and drawings: all of them are inside the program.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::X_CONTENT_TYPE_OPTIONS;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use axum::routing::get;

use crate::{Cacheable, Problem};

/// A file inside the program.
#[derive(Clone, Copy, Debug)]
pub struct Asset {
    /// Its name, which tells its type: `screen.css`, `live.js`, `latte.svg`.
    pub name: &'static str,
    /// What is in it.
    pub content: &'static str,
}

/// What every screen has.
const COMMON: [Asset; 8] = [
    Asset { name: "screen.css", content: include_str!("../../assets/screen.css") },
    Asset { name: "live.js", content: include_str!("../../assets/live.js") },
    Asset { name: "awake.js", content: include_str!("../../assets/awake.js") },
    Asset { name: "fresh.js", content: include_str!("../../assets/fresh.js") },
    Asset { name: "kept.js", content: include_str!("../../assets/kept.js") },
    Asset { name: "chime.js", content: include_str!("../../assets/chime.js") },
    Asset { name: "sound.js", content: include_str!("../../assets/sound.js") },
    Asset { name: "cup.svg", content: include_str!("../../assets/cup.svg") },
];

/// The files of a service's screens, at `assets/{name}`. A browser asks each time whether its copy is still right: a page never
/// runs with the script of another version. Cheap to clone.
#[derive(Clone)]
pub struct Assets(Arc<BTreeMap<&'static str, Cacheable>>);

impl Assets {
    /// Those that every screen has, and a service's own.
    pub fn new(own: &[Asset]) -> Self {
        let file = |asset: &Asset| (asset.name, Cacheable::new(asset.content, media_type(asset.name)));
        Self(Arc::new(COMMON.iter().chain(own).map(file).collect()))
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
    let file = assets.0.get(&*name).ok_or_else(|| Problem::not_found("There is no such file."))?;
    let mut response = file.answer(&headers);
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(response)
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH};
    use axum::http::{Request, StatusCode};
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
