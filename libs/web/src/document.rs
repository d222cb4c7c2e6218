//! What every service's `OpenAPI` document says beside its own addresses.

use utoipa::PartialSchema;
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, ContentBuilder, OpenApi, Ref, RefOr, Response};

use crate::problem::{MEDIA_TYPE, Problem};

/// Completes a service's document. Doing so twice changes nothing more.
///
/// - The addresses of [`common_routes`](crate::common_routes) are added.
/// - Every operation gets the problems that the shared code may answer, by what it takes: a body, parameters, a secret.
///   An operation documents its own problems, such as 404 and 409, and only by status and description.
/// - Every answer from 400 on is a [`Problem`], with `Retry-After` and `WWW-Authenticate` where they belong.
/// - The security schemes are `staff_key`, `order_token` and, for links, `order_token_in_query`.
#[must_use]
pub fn documented(mut service: OpenApi) -> OpenApi {
    service.merge(crate::common::document());
    let components = service.components.get_or_insert_with(Components::default);
    add_schemas(components);
    add_security_schemes(components);
    for item in service.paths.paths.values_mut() {
        for (changes, operation) in operations(item) {
            add_common_problems(operation, changes);
            complete_problems(operation);
        }
    }
    service
}

fn add_schemas(components: &mut Components) {
    let mut schemas = vec![(Problem::NAME.to_owned(), Problem::schema())];
    <Problem as utoipa::ToSchema>::schemas(&mut schemas);
    components.schemas.extend(schemas);
}

fn add_security_schemes(components: &mut Components) {
    let bearer = |description: &str| {
        SecurityScheme::Http(
            HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(description)).build(),
        )
    };
    let in_query = ApiKeyValue::with_description("token", "The order's token, for links and event sources.");
    components.add_security_scheme("staff_key", bearer("The key in `<data>/staff.key`."));
    components.add_security_scheme("order_token", bearer("The token that placing the order answered with."));
    components.add_security_scheme("order_token_in_query", SecurityScheme::ApiKey(ApiKey::Query(in_query)));
}

/// Each operation of an address, and whether it changes anything.
fn operations(item: &mut PathItem) -> impl Iterator<Item = (bool, &mut Operation)> {
    let reads = [&mut item.get, &mut item.head].map(|operation| (false, operation));
    let changes =
        [&mut item.post, &mut item.put, &mut item.patch, &mut item.delete].map(|operation| (true, operation));
    reads.into_iter().chain(changes).filter_map(|(changes, operation)| Some((changes, operation.as_mut()?)))
}

fn add_common_problems(operation: &mut Operation, changes: bool) {
    let takes_body = operation.request_body.is_some();
    let takes_parameters = operation.parameters.as_ref().is_some_and(|parameters| !parameters.is_empty());
    let takes_secret = operation.security.as_ref().is_some_and(|schemes| !schemes.is_empty());
    let common = [
        (takes_body || takes_parameters, "400", "A parameter cannot be read, or the body is not JSON."),
        (takes_secret, "401", "The key or token is missing or wrong."),
        (takes_body, "408", "The body did not arrive in time."),
        (takes_body, "413", "The body is too long."),
        (takes_body, "415", "The body is not sent as JSON."),
        (takes_body, "422", "The body is JSON, but not what is expected; `errors` names the fields."),
        (true, "500", "A fault of the service; it is in its log."),
        (true, "503", "Too much to do, or the service is stopping. Nothing has happened."),
        (
            changes,
            "504",
            "Whether it was done cannot be known; ask again, with the same key if there is one.",
        ),
    ];
    for (_, status, description) in common.into_iter().filter(|(applies, ..)| *applies) {
        let response = || RefOr::T(Response::new(description));
        operation.responses.responses.entry(status.to_owned()).or_insert_with(response);
    }
}

fn complete_problems(operation: &mut Operation) {
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else { continue };
        if !status.starts_with(['4', '5']) {
            continue;
        }
        if response.content.is_empty() {
            let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name(Problem::NAME))).build();
            response.content.insert(MEDIA_TYPE.to_owned(), problem.into());
        }
        let header = match status.as_str() {
            "401" => ("WWW-Authenticate", header::<String>("Always `Bearer`.")),
            "429" | "503" | "504" => ("Retry-After", header::<u32>("After how many seconds to try again.")),
            _ => continue,
        };
        response.headers.insert(header.0.to_owned(), header.1.into());
    }
}

fn header<T: PartialSchema>(description: &str) -> Header {
    HeaderBuilder::new().schema(Some(T::schema())).description(Some(description)).build()
}
