use serde_json::{Value, json};

use crate::cafe::{Cafe, Reply, wish};

#[tokio::test]
async fn real_answers_are_as_documented() {
    let cafe = Cafe::open();
    let document = cafe.get("/openapi.json").await.json();
    let taken = cafe.place().await;
    let key = cafe.staff_key();
    let (token, staff) = (format!("Bearer {}", taken.token), format!("Bearer {key}"));
    cafe.say(&taken, 1, &taken.approved());
    cafe.until(&taken, "paid").await;

    let check = |method: &str, path: &str, reply: &Reply| assert_documented(&document, method, path, reply);
    check("get", "/", &cafe.get("/").await);
    check("get", "/menu", &cafe.get("/menu").await);
    check("post", "/orders", &cafe.post("/orders", &[("idempotency-key", "k")], &wish()).await);
    check("post", "/orders", &cafe.post("/orders", &[("idempotency-key", "k")], &wish()).await);
    check("post", "/orders", &cafe.post("/orders", &[("idempotency-key", "")], &wish()).await);
    check("post", "/orders", &cafe.send("POST", "/orders", &[], b"").await);
    check("post", "/orders", &cafe.send("POST", "/orders", &[], b"latte").await);
    check("post", "/", &cafe.post("/", &[], &json!({})).await);
    check("get", "/orders", &cafe.get_with("/orders?limit=1", &key).await);
    check("get", "/orders", &cafe.get_with("/orders?limit=0", &key).await);
    check("get", "/orders", &cafe.get("/orders").await);
    check("get", "/orders/{id}", &cafe.get_with(&taken.path(), &taken.token).await);
    check("get", "/orders/{id}", &cafe.get(&taken.path()).await);
    check("get", "/orders/{id}", &cafe.get_with("/orders/01890a5d-ac96-774b-bcce-b302099a8057", &key).await);
    check("get", "/orders/{id}", &cafe.get_with("/orders/latte", &key).await);
    let cancel = format!("{}/cancel", taken.path());
    check("post", "/orders/{id}/cancel", &cafe.post(&cancel, &[("authorization", &token)], &json!({})).await);
    check(
        "post",
        "/orders/{id}/cancel",
        &cafe.post(&cancel, &[("authorization", &staff)], &json!({"a": 1})).await,
    );
    check("post", "/orders/{id}/cancel", &cafe.post(&cancel, &[], &json!({})).await);
}

#[test]
fn the_document_can_be_had_without_a_server() {
    let document = serde_json::to_value(cafe_order::openapi()).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3."));
    for path in
        ["/", "/menu", "/orders", "/orders/{id}", "/orders/{id}/events", "/orders/{id}/cancel", "/parked"]
    {
        assert!(document["paths"][path].is_object(), "{path}");
    }
    let cancel = &document["paths"]["/orders/{id}/cancel"]["post"]["requestBody"];
    assert_ne!(cancel["required"], true, "a reason is optional: {cancel}");
    let validator =
        jsonschema::validator_for(&schema(&document, &json!({"$ref": "#/components/schemas/Wish"})));
    assert!(validator.unwrap().is_valid(&wish()), "the example is as documented");
}

fn assert_documented(document: &Value, method: &str, path: &str, reply: &Reply) {
    let answer = &document["paths"][path][method]["responses"][reply.status.as_str()];
    let context = format!("{method} {path} {}", reply.status);
    assert!(answer.is_object(), "{context} is not documented");
    let media_type = reply.header("content-type");
    let content = &answer["content"][media_type];
    assert!(content.is_object(), "{context} as {media_type} is not documented");
    if media_type.ends_with("json") {
        let validator = jsonschema::validator_for(&schema(document, &content["schema"])).unwrap();
        let errors: Vec<_> = validator.iter_errors(&reply.json()).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{context}: {errors:?}\n{}", reply.json());
    }
}

/// A schema that stands alone, with everything that it may refer to.
fn schema(document: &Value, schema: &Value) -> Value {
    json!({ "allOf": [schema], "components": document["components"] })
}
