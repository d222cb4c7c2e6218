//! The addresses that every service has.

mod asyncapi;
mod health;
mod metrics;
mod openapi;
mod parked;

use std::sync::Arc;

use axum::Router;
use axum::extract::FromRef;
use bytes::Bytes;
use cafe_delivery::{Desk, Parked, ParkedOutcome, Status, Tables, TurnError};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::{StaffAccess, documented};

pub use parked::Page as ParkedQuery;

/// `/health/live`, `/health/ready`, `/metrics`, `/openapi.json`, `/asyncapi.json` and `/parked`, to be merged with the
/// service's own routes, whose document is `openapi`. What is served at `/openapi.json` is [`documented`].
pub fn common_routes<D: Tables>(desk: Desk<D>, staff: StaffAccess, openapi: OpenApi) -> Router {
    routes_over(Arc::new(desk), staff, openapi)
}

fn routes_over(delivery: Arc<dyn Delivery>, staff: StaffAccess, openapi: OpenApi) -> Router {
    crate::install_metrics();
    let document = Bytes::from(serde_json::to_vec(&documented(openapi)).unwrap_or_default());
    routes().split_for_parts().0.with_state(Common { delivery, staff, document })
}

/// The documents of these addresses.
pub(crate) fn document() -> OpenApi {
    routes().into_openapi()
}

fn routes() -> OpenApiRouter<Common> {
    OpenApiRouter::new()
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .routes(routes!(metrics::metrics))
        .routes(routes!(openapi::openapi))
        .routes(routes!(asyncapi::asyncapi))
        .routes(routes!(parked::list))
        .routes(routes!(parked::retry))
        .routes(routes!(parked::drop))
}

/// What these addresses work with.
#[derive(Clone)]
struct Common {
    delivery: Arc<dyn Delivery>,
    staff: StaffAccess,
    document: Bytes,
}

impl FromRef<Common> for StaffAccess {
    fn from_ref(common: &Common) -> Self {
        common.staff.clone()
    }
}

/// A desk, whatever its service decides: the documents of generic handlers cannot be derived.
trait Delivery: Send + Sync {
    fn service(&self) -> &'static str;
    fn status(&self) -> Status;
    fn parked(&self, after: i64, limit: u32) -> BoxFuture<'_, Result<Vec<Parked>, cafe_store::Error>>;
    fn retry_parked(&self, id: i64) -> BoxFuture<'_, Result<ParkedOutcome, TurnError>>;
    fn drop_parked(&self, id: i64) -> BoxFuture<'_, Result<ParkedOutcome, TurnError>>;
}

impl<D: Tables> Delivery for Desk<D> {
    fn service(&self) -> &'static str {
        D::SOURCE.name()
    }

    fn status(&self) -> Status {
        Desk::status(self)
    }

    fn parked(&self, after: i64, limit: u32) -> BoxFuture<'_, Result<Vec<Parked>, cafe_store::Error>> {
        Desk::parked(self, after, limit).boxed()
    }

    fn retry_parked(&self, id: i64) -> BoxFuture<'_, Result<ParkedOutcome, TurnError>> {
        Desk::retry_parked(self, id).boxed()
    }

    fn drop_parked(&self, id: i64) -> BoxFuture<'_, Result<ParkedOutcome, TurnError>> {
        Desk::drop_parked(self, id).boxed()
    }
}

#[cfg(test)]
mod tests;
