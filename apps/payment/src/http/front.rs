//! `GET /`: where things are, until there are screens.

const GREETING: &str = "This is the payment service of cafe.

GET  /payments                     every payment (staff)
GET  /payments/{order_id}          one payment (staff)
POST /payments/{order_id}/refund   give money back (staff)
POST /webhooks/{vendor}            a vendor says that there is news
GET  /parked                       what was set aside (staff)
GET  /health/ready  /metrics  /openapi.json  /asyncapi.json

Staff send the key in <data>/staff.key as `Authorization: Bearer <key>`.
";

/// Where things are
///
/// A greeting for whoever opens this address.
#[utoipa::path(get, path = "/", tag = "payments", responses(
    (status = 200, description = "A greeting", body = String, content_type = "text/plain")
))]
pub(super) async fn front() -> &'static str {
    GREETING
}
