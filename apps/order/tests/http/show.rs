use serde_json::Value;

use crate::cafe::{Cafe, Reply, started};

#[tokio::test]
async fn an_order_opens_to_its_token_and_to_staff() {
    let cafe = Cafe::open();
    let taken = cafe.place().await;
    let path = taken.path();
    let by_header = cafe.get_with(&path, &taken.token).await;
    let by_query = cafe.get(&format!("{path}?token={}", taken.token)).await;
    let by_staff = cafe.get_with(&path, &cafe.staff_key()).await;
    for reply in [&by_header, &by_query, &by_staff] {
        assert_eq!((reply.status.as_u16(), reply.header("cache-control")), (200, "no-store"), "{reply:?}");
        assert_eq!(reply.json()["number"], "0001");
        assert_eq!(reply.json()["token"], serde_json::Value::Null, "the token is told once");
    }
}

#[tokio::test]
async fn nobody_else_learns_whether_there_is_such_an_order() {
    let cafe = Cafe::open();
    let (one, other) = (cafe.place().await, cafe.place().await);
    let nowhere = "/orders/01890a5d-ac96-774b-bcce-b302099a8057";
    for path in [one.path().as_str(), nowhere] {
        let nothing = cafe.get(path).await;
        assert_eq!((nothing.status.as_u16(), nothing.header("www-authenticate")), (401, "Bearer"));
        let wrong = cafe.get_with(path, &other.token).await;
        assert_eq!(wrong.status, 401);
        assert_eq!(but_for_trace(&wrong), but_for_trace(&cafe.get_with(nowhere, "guess").await));
    }
    assert_eq!(cafe.get_with(nowhere, &cafe.staff_key()).await.status, 404, "staff may know");
    assert_eq!(cafe.get_with("/orders/latte", &one.token).await.status, 400);
}

#[tokio::test]
async fn a_token_opens_its_order_after_a_restart() {
    let mut cafe = Cafe::open();
    let taken = cafe.place().await;
    cafe.reopen_after(|_| {}).await;
    assert_eq!(cafe.order(&taken).await["id"], taken.id.to_string());
}

#[tokio::test]
async fn an_order_is_followed_whoever_is_heard_first() {
    let cafe = Cafe::open();
    let taken = cafe.place().await;
    cafe.say(&taken, 1, &taken.queued());
    cafe.say(&taken, 2, &started());
    assert_eq!(cafe.until(&taken, "making").await["versions"]["payment"], 0);
    cafe.say(&taken, 1, &taken.approved());
    let order = loop {
        let order = cafe.until(&taken, "making").await;
        if order["versions"]["payment"] == 1 {
            break order;
        }
    };
    let steps: Vec<_> =
        order["steps"].as_array().unwrap().iter().map(|step| step["status"].clone()).collect();
    assert_eq!(steps, ["placed", "paid", "making"]);
}

/// What a problem says, without the name of the request that met it.
fn but_for_trace(reply: &Reply) -> Value {
    let mut problem = reply.json();
    problem.as_object_mut().unwrap().remove("trace_id").unwrap();
    problem
}
