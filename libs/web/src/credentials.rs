//! Who asks: what a request shows to prove that it may.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use subtle::ConstantTimeEq;

use crate::nearness::is_from_this_machine;
use crate::{Problem, StaffKey};

/// A request by staff: it carries `Authorization: Bearer <staff key>`. Anything else is a 401 problem.
#[derive(Clone, Copy, Debug)]
pub struct Staff;

impl<S> FromRequestParts<S> for Staff
where
    S: Send + Sync,
    StaffKey: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let key = StaffKey::from_ref(state);
        match bearer(&parts.headers) {
            Some(presented) if key.matches(presented) => Ok(Self),
            Some(_) => Err(Problem::unauthorized(
                "This is not the staff key of this cafe; it is in <data>/staff.key.",
            )),
            None => Err(Problem::unauthorized(
                "Send the staff key, which is in <data>/staff.key, as `Authorization: Bearer <key>`.",
            )),
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
    StaffKey: FromRef<S>,
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
