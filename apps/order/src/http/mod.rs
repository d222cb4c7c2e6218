//! The addresses of the order service; one file each.

mod access;
mod cancel;
mod drawings;
mod events;
mod follow;
mod list;
mod menu;
mod place;
mod shop;
mod show;
mod terms;
mod view;

use std::ops::Deref;
use std::sync::Arc;

use axum::Router;
use axum::extract::FromRef;
use cafe_clock::{Clock, Ids};
use cafe_delivery::Desk;
use cafe_events::OrderId;
use cafe_web::screen::{Frame, Language};
use cafe_web::{Problem, StaffAccess};
use tokio_util::sync::CancellationToken;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::backlog::Backlog;
use crate::hub::Hub;
use crate::order::Order;
use crate::tokens::Tokens;
use crate::{Config, Orders, store};

/// The payment vendor that moves no real money.
const SIMULATOR: &str = "simulator";

/// What the addresses work with. Cheap to clone.
#[derive(Clone)]
pub(crate) struct App(Arc<Parts>);

/// The parts of [`App`].
pub(crate) struct Parts {
    pub(crate) config: Config,
    pub(crate) desk: Desk<Orders>,
    pub(crate) menu: MenuPage,
    pub(crate) tokens: Tokens,
    pub(crate) staff: StaffAccess,
    pub(crate) hub: Arc<Hub>,
    pub(crate) backlog: Arc<Backlog>,
    pub(crate) clock: Clock,
    pub(crate) ids: Ids,
    pub(crate) stop: CancellationToken,
}

pub use access::who_asks;
pub use list::Page;
pub(crate) use menu::MenuPage;
pub use terms::Terms;

impl App {
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// The frame of a screen whose address is `root` away from the service's.
    fn frame(&self, language: Language, root: &'static str) -> Frame {
        let training = self.config.vendors.iter().all(|vendor| vendor == SIMULATOR);
        Frame { language, root, training }
    }

    /// The order as it is on disk; nothing if there is none, or if a restore lost what was ordered.
    async fn find(&self, order_id: OrderId) -> Result<Option<Order>, cafe_store::Error> {
        let order = self.desk.readers().read(move |db| store::find(db, order_id)).await?;
        Ok(order.filter(|order| order.placed.is_some()))
    }
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl FromRef<App> for StaffAccess {
    fn from_ref(app: &App) -> Self {
        app.staff.clone()
    }
}

/// Every address of this service, those that all services have included.
pub(crate) fn router(app: App) -> Router {
    let (router, document) = routes().split_for_parts();
    let common = cafe_web::common_routes(app.desk.clone(), app.staff.clone(), described(document));
    router.with_state(app).merge(common).merge(drawings::assets().routes())
}

/// The `OpenAPI` document of this service.
pub fn openapi() -> OpenApi {
    cafe_web::documented(described(routes().into_openapi()))
}

fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(shop::shop, place::place_at_front))
        .routes(routes!(follow::follow))
        .routes(routes!(follow::cancel))
        .routes(routes!(menu::menu))
        .routes(routes!(place::place, list::list))
        .routes(routes!(show::show))
        .routes(routes!(events::events))
        .routes(routes!(cancel::cancel))
}

fn described(mut document: OpenApi) -> OpenApi {
    "cafe: orders".clone_into(&mut document.info.title);
    document.info.description = Some("Takes orders, and shows customers what became of them.".to_owned());
    document
}

fn no_such_order() -> Problem {
    Problem::not_found("There is no such order.")
}
