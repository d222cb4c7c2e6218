use serde_json::{Value, json};

use crate::cafe::{Cafe, Reply, wish};

type Change = fn(&mut Value);

#[tokio::test]
async fn an_empty_body_is_answered_with_an_example_that_works() {
    let cafe = Cafe::open();
    let json = &[("content-type", "application/json")][..];
    for (headers, body) in [(&[][..], ""), (json, ""), (json, " \r\n\t")] {
        let reply = cafe.send("POST", "/orders", headers, body.as_bytes()).await;
        assert_eq!(reply.status, 422, "{reply:?}");
        assert_eq!(reply.header("content-type"), "application/problem+json");
        let example = reply.json()["example"].clone();
        assert_eq!(cafe.post("/orders", &[], &example).await.status, 201, "{example}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_an_order_is_named() {
    let cafe = Cafe::open();
    let wrong: &[(&str, &str, Change)] = &[
        ("items[0].menu", "espresso, americano", |body| body["items"][0]["menu"] = "gin".into()),
        ("items[0].menu", "a string", |body| body["items"][0]["menu"] = 3.into()),
        ("items[0].size", "small", |body| body["items"][0]["size"] = "huge".into()),
        ("items[1].quantity", "1 to 99", |body| body["items"][1]["quantity"] = 0.into()),
        ("items[1].quantity", "1 to 99", |body| body["items"][1]["quantity"] = (-1).into()),
        ("items[1].quantity", "1 to 99", |body| body["items"][1]["quantity"] = 100.into()),
        ("items[1].quantity", "1 to 99", |body| body["items"][1]["quantity"] = 1e9.into()),
        ("items[1].quantity", "1 to 99", |body| body["items"][1]["quantity"] = 1_000_000_000.into()),
        ("items[1].quantity", "1 to 99", |body| body["items"][1]["quantity"] = 1.5.into()),
        ("items[1].quantity", "1 to 99", |body| body["items"][1]["quantity"] = "2".into()),
        ("items[1].quantity", "1 to 99", |body| body["items"][1]["quantity"] = json!([2])),
        ("items[1].price", "menu", |body| body["items"][1]["price"] = 1.into()),
        ("items[0].options", "no options", |body| body["items"][0]["options"] = json!(["oat"])),
        ("items", "1 to 50", |body| body["items"] = json!([])),
        ("items", "1 to 50", |body| body["items"] = vec![json!({"menu": "latte"}); 51].into()),
        ("items", "a list", |body| body["items"] = "latte".into()),
        ("items", "missing", |body| drop(body.as_object_mut().unwrap().remove("items"))),
        ("payment", "missing", |body| drop(body.as_object_mut().unwrap().remove("payment"))),
        ("payment.vendor", "simulator", |body| body["payment"]["vendor"] = "bank".into()),
        ("payment.token", "printable", |body| body["payment"]["token"] = "x".repeat(257).into()),
        ("payment.pin", "not known", |body| body["payment"]["pin"] = 1.into()),
        ("takeout", "true or false", |body| body["takeout"] = "yes".into()),
        ("total", "not known", |body| body["total"] = 1.into()),
        ("store", "A-Z", |body| body["store"] = "a b".into()),
    ];
    for (field, says, change) in wrong {
        let mut body = wish();
        change(&mut body);
        let reply = cafe.post("/orders", &[], &body).await;
        assert_eq!(reply.status, 422, "{body}: {reply:?}");
        assert!(reply.fields().iter().any(|named| named == field), "{field}: {}", reply.json());
        assert!(reply.json().to_string().contains(says), "{field} should say {says}: {}", reply.json());
        assert!(reply.json()["example"]["items"].is_array());
    }
    assert_eq!(cafe.announced(), [], "nothing was taken");
}

#[tokio::test]
async fn what_is_no_order_at_all_is_refused() {
    let cafe = Cafe::open();
    let json = ("content-type", "application/json");
    let send =
        async |headers: &[(&str, &str)], body: &[u8]| cafe.send("POST", "/orders", headers, body).await;
    assert_problem(&send(&[json], b"{\"items\":").await, 400);
    assert_problem(&send(&[json], b"{\"takeout\":\"\xff\xfe\"}").await, 400);
    assert_problem(&send(&[json], b"[]").await, 422);
    assert_problem(&send(&[json], b"null").await, 422);
    assert_problem(&send(&[("content-type", "text/plain")], b"latte, please").await, 415);
    assert_problem(&send(&[json], &vec![b' '; 10 << 20]).await, 413);
    assert_eq!(cafe.place().await.number, "0001", "and the next one is served");
}

#[tokio::test]
async fn a_wrong_idempotency_key_is_named() {
    let cafe = Cafe::open();
    let long = "k".repeat(256);
    for key in ["", &long] {
        let reply = cafe.post("/orders", &[("idempotency-key", key)], &wish()).await;
        assert_problem(&reply, 400);
        assert_eq!(reply.fields(), ["Idempotency-Key"]);
    }
}

fn assert_problem(reply: &Reply, status: u16) {
    assert_eq!(
        (reply.status.as_u16(), reply.header("content-type")),
        (status, "application/problem+json"),
        "{reply:?}"
    );
    assert!(reply.json()["detail"].is_string() || !reply.fields().is_empty(), "{reply:?}");
}
