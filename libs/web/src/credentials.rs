//! Who asks: what a request shows to prove that it may.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::header::{AUTHORIZATION, HOST, HeaderName, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use subtle::ConstantTimeEq;

use crate::cookies::cookies;
use crate::nearness::is_from_this_machine;
use crate::{Problem, StaffAccess, StaffKey};

/// Where a browser says that a request comes from (<https://www.w3.org/TR/fetch-metadata/>), if the connection is a secure one.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// A request by staff: it carries `Authorization: Bearer <staff key>`, or the cookie of a browser that was signed in. Anything
/// else is a 401 problem, and what another site has such a browser do is 403.
#[derive(Clone, Copy, Debug)]
pub struct Staff;

impl<S> FromRequestParts<S> for Staff
where
    S: Send + Sync,
    StaffAccess: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let access = StaffAccess::from_ref(state);
        match bearer(&parts.headers) {
            Some(presented) if access.key().matches(presented) => Ok(Self),
            Some(_) => Err(Problem::unauthorized(
                "This is not the staff key of this cafe; it is in <data>/staff.key.",
            )),
            None if !cookies(&parts.headers).any(|cookie| access.is_badge(cookie)) => {
                Err(Problem::unauthorized(
                    "Send the staff key, which is in <data>/staff.key, as `Authorization: Bearer <key>`.",
                ))
            }
            None if parts.method == Method::GET || is_from_here(&parts.headers) => Ok(Self),
            None => Err(Problem::new(
                StatusCode::FORBIDDEN,
                "another-site",
                "A page of another site cannot act for staff.",
            )
            .detail("Act from this service's own pages, or send the staff key.")),
        }
    }
}

/// A request by whoever watches over the cafe: from this machine itself, or by staff from anywhere. Anything else is a 401
/// problem. What a service counts, and why it cannot work, is nothing for whoever is on the same network.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watcher;

impl<S> FromRequestParts<S> for Watcher
where
    S: Send + Sync,
    StaffAccess: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        if is_from_this_machine(parts) {
            return Ok(Self);
        }
        Staff::from_request_parts(parts, state).await.map(|Staff| Self)
    }
}

/// What a request shows, whatever it may be: `Authorization: Bearer <secret>`, or else `?token=<secret>`, for links and
/// for browsers' event sources, which cannot send headers. Never rejects; the handler decides what the secret opens.
#[derive(Clone, Default)]
pub struct Presented(Option<String>);

impl Presented {
    /// Whether this is the staff key. It is accepted in the header and in the query alike.
    pub fn is_staff(&self, key: &StaffKey) -> bool {
        self.0.as_deref().is_some_and(|presented| key.matches(presented))
    }

    /// Whether this is `secret`. Takes the same time for every wrong one of the right length.
    pub fn is(&self, secret: &str) -> bool {
        self.0.as_deref().is_some_and(|presented| bool::from(presented.as_bytes().ct_eq(secret.as_bytes())))
    }

    /// Whether the request shows nothing at all.
    pub fn is_nothing(&self) -> bool {
        self.0.is_none()
    }
}

impl std::fmt::Debug for Presented {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.is_nothing() { "Presented(nothing)" } else { "Presented(a secret)" })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Presented {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        let in_query = || parts.uri.query()?.split('&').find_map(|pair| pair.strip_prefix("token="));
        Ok(Self(bearer(&parts.headers).or_else(in_query).map(str::to_owned)))
    }
}

/// The scheme's name is case-insensitive (RFC 9110, section 11.1).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, secret) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim())
}

/// Whether a page of this service sends it. A browser says so, or names the origin of the page, which then is the host that it
/// asks.
pub(crate) fn is_from_here(headers: &HeaderMap) -> bool {
    let value = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = value(&SEC_FETCH_SITE) {
        return site == "same-origin";
    }
    let origin = value(&ORIGIN).and_then(|origin| origin.split_once("://"));
    origin.is_some_and(|(_, origin)| Some(origin) == value(&HOST))
}
