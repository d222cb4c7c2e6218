//! The payment service's endpoints; one file per resource.

mod front;
mod payments;
mod refund;
mod view;
mod webhooks;

use axum::Router;
use axum::extract::FromRef;
use cafe_delivery::Desk;
use cafe_events::OrderId;
use cafe_web::{Problem, StaffAccess};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::Cashier;
use crate::payment::Payment;
use crate::store;
use crate::vendor::Vendors;

pub use webhooks::attempt_of;

/// What the handlers share.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) desk: Desk<Cashier>,
    pub(crate) vendors: Vendors,
    pub(crate) staff: StaffAccess,
}

impl App {
    async fn payment(&self, order_id: OrderId) -> Result<Payment, Problem> {
        let payment = self.desk.readers().read(move |db| store::payment(db, order_id)).await?;
        payment.ok_or_else(|| Problem::not_found("There is no payment for such an order."))
    }
}

impl FromRef<App> for StaffAccess {
    fn from_ref(app: &App) -> Self {
        app.staff.clone()
    }
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "cafe payment",
        description = "The payment service of cafe: it hears orders, asks a payment vendor, and gives money back."
    ),
    tags(
        (name = "payments", description = "What staff see and do; needs the staff key"),
        (name = "vendors", description = "For the payment vendors"),
    )
)]
struct Document;

/// Every endpoint of the service.
pub(crate) fn router(app: App) -> Router {
    let (router, document) = endpoints().split_for_parts();
    let common = cafe_web::common_routes(app.desk.clone(), app.staff.clone(), document);
    router.with_state(app).merge(common)
}

/// The service's own endpoints as an `OpenAPI` document.
pub(crate) fn document() -> utoipa::openapi::OpenApi {
    endpoints().into_openapi()
}

fn endpoints() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(front::front))
        .routes(routes!(payments::list))
        .routes(routes!(payments::one))
        .routes(routes!(refund::refund))
        .routes(routes!(webhooks::notify))
}

/// There is no payment for such an order, or no such vendor.
#[derive(utoipa::IntoResponses)]
#[response(status = 404)]
struct NotFound;
