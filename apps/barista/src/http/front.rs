//! `GET /`: the barista's display, and where things are.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::ACCEPT;
use axum::response::{IntoResponse, Response};
use cafe_web::screen::Language;
use cafe_web::{Problem, Staff};

use super::{App, display, sign_in};

const GREETING: &str = "This is the barista service of cafe.

GET  /                                          the barista's display, in a browser (staff)
GET  /board                                     the pickup board (?store=)
GET  /queue                                     the queue now, first in, first out (?store=)
GET  /queue/events                              the queue as it changes (server-sent events)
GET  /tickets                                   every ticket (staff)
GET  /tickets/{order_id}                        one ticket (staff)
POST /tickets/{order_id}/start                  and ready, pick-up, recall, reject (staff)
POST /tickets/{order_id}/lines/{line_id}/ready  and recall, reject (staff)
GET  /parked                                    what was set aside (staff)
GET  /health/ready  /metrics  /openapi.json  /asyncapi.json

Staff send the key in <data>/staff.key as `Authorization: Bearer <key>`.
";

/// The barista's display
///
/// For browsers (`Accept: text/html`) the display of what is to be made, once they are signed in, and before that what asks for
/// the staff key. A greeting for whoever else opens this address.
#[utoipa::path(get, path = "/", tag = "queue", responses(
    (status = 200, description = "The display, what asks for the staff key, or a greeting", content(
        (String = "text/plain"), (String = "text/html")
    ))
))]
pub(super) async fn front(
    State(app): State<App>,
    staff: Result<Staff, Problem>,
    language: Language,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let is_browser =
        headers.get(ACCEPT).is_some_and(|accept| accept.to_str().is_ok_and(|it| it.contains("text/html")));
    match (is_browser, staff) {
        (false, _) => Ok(GREETING.into_response()),
        (true, Ok(Staff)) => display::display(&app, language, &headers),
        (true, Err(_)) => sign_in::door(language),
    }
}
