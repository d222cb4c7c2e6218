//! The barista service's endpoints; one file per resource.

mod asked;
mod board;
mod display;
mod front;
mod queue;
mod sign_in;
mod tickets;
mod view;

use std::sync::Arc;

use axum::Router;
use axum::extract::FromRef;
use cafe_clock::Clock;
use cafe_delivery::Desk;
use cafe_web::StaffAccess;
use cafe_web::screen::{Assets, Frame, Language};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::Barista;
use crate::feed::Feed;

pub use queue::last_seen;

/// Screens that watch the queue at once.
pub(crate) const SEATS: usize = 256;

/// What the handlers share.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) desk: Desk<Barista>,
    pub(crate) clock: Clock,
    pub(crate) feed: Feed,
    /// Tells this process's numbers of changes from those of its predecessors.
    pub(crate) epoch: Arc<str>,
    pub(crate) staff: StaffAccess,
    pub(crate) store: Arc<str>,
    pub(crate) seats: Arc<Semaphore>,
    pub(crate) stop: CancellationToken,
}

impl FromRef<App> for StaffAccess {
    fn from_ref(app: &App) -> Self {
        app.staff.clone()
    }
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "cafe barista",
        description = "The barista service of cafe: paid orders become tickets, and drinks are made first in, first out."
    ),
    tags(
        (name = "queue", description = "What is to be made; for everybody"),
        (name = "tickets", description = "What staff do; needs the staff key"),
    )
)]
struct Document;

/// Every endpoint of the service.
pub(crate) fn router(app: App) -> Router {
    let (router, document) = endpoints().split_for_parts();
    let common = cafe_web::common_routes(app.desk.clone(), app.staff.clone(), document);
    router.with_state(app).merge(common).merge(assets().routes())
}

/// The frame of a screen of this service: all of them are at its root, and it does not know the vendors.
fn frame(language: Language) -> Frame {
    Frame { language, root: "", training: false }
}

fn assets() -> Assets {
    Assets::new(&[&board::ASSETS[..], &display::ASSETS].concat())
}

/// The service's own endpoints as an `OpenAPI` document.
pub(crate) fn document() -> utoipa::openapi::OpenApi {
    endpoints().into_openapi()
}

fn endpoints() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(front::front))
        .routes(routes!(board::board))
        .routes(routes!(queue::queue))
        .routes(routes!(queue::events))
        .routes(routes!(sign_in::sign_in))
        .routes(routes!(sign_in::sign_out))
        .routes(routes!(tickets::list))
        .routes(routes!(tickets::one))
        .routes(routes!(tickets::start))
        .routes(routes!(tickets::ready))
        .routes(routes!(tickets::pick_up))
        .routes(routes!(tickets::recall))
        .routes(routes!(tickets::reject))
        .routes(routes!(tickets::line_ready))
        .routes(routes!(tickets::line_recall))
        .routes(routes!(tickets::line_reject))
}
