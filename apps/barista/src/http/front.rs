//! `GET /`: where things are, until there are screens.

const GREETING: &str = "This is the barista service of cafe.

GET  /queue                                     the queue now, first in, first out (?store=)
GET  /board                                     the pickup board (?store=)
GET  /queue/events                              the queue as it changes (server-sent events)
GET  /tickets                                   every ticket (staff)
GET  /tickets/{order_id}                        one ticket (staff)
POST /tickets/{order_id}/start                  and ready, pick-up, recall, reject (staff)
POST /tickets/{order_id}/lines/{line_id}/ready  and recall, reject (staff)
GET  /parked                                    what was set aside (staff)
GET  /health/ready  /metrics  /openapi.json  /asyncapi.json

Staff send the key in <data>/staff.key as `Authorization: Bearer <key>`.
";

/// Where things are
///
/// A greeting for whoever opens this address.
#[utoipa::path(get, path = "/", tag = "queue", responses(
    (status = 200, description = "A greeting", body = String, content_type = "text/plain")
))]
pub(super) async fn front() -> &'static str {
    GREETING
}
