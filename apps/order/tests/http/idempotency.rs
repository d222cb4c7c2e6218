use std::time::Duration;

use cafe_failures::{clock, customer, tried};
use cafe_order::Config;
use cafe_order::menu::{DEFAULT, Menu};
use futures_util::future::join_all;

use crate::cafe::{Cafe, PATIENCE, Taken, wish};

const KEY: [(&str, &str); 1] = [("idempotency-key", "table-7")];

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_at_once_are_one_order() {
    tried(&customer::SENDS_A_HUNDRED_TIMES);
    let cafe = Cafe::open();
    let body = wish();
    let replies = join_all((0..100).map(|_| cafe.post("/orders", &KEY, &body))).await;
    assert!(replies.iter().all(|reply| reply.status == 201));
    assert!(replies.iter().all(|reply| reply.body == replies[0].body), "the same answer");
    let first: Vec<_> =
        replies.iter().filter(|reply| reply.header("idempotent-replayed").is_empty()).collect();
    assert_eq!(first.len(), 1);
    assert_eq!(replies.iter().filter(|reply| reply.header("idempotent-replayed") == "true").count(), 99);
    assert_eq!(cafe.announced().len(), 1);
    assert_eq!(cafe.place().await.number, "0002", "no number was skipped");
}

#[tokio::test]
async fn the_answer_is_the_same_after_a_restart_and_after_the_order_went_on() {
    tried(&customer::SENDS_AGAIN);
    let mut cafe = Cafe::open();
    let first = cafe.post("/orders", &KEY, &wish()).await;
    let taken = Taken::of(&first);
    cafe.reopen_after(|_| {}).await;
    cafe.say(&taken, 1, &taken.approved());
    cafe.until(&taken, "paid").await;
    let again = cafe.post("/orders", &KEY, &wish()).await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (first.status, "true"));
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(again.body, first.body);
    assert_eq!(cafe.announced().len(), 1, "the others hear of it once");
    let orders = cafe.get_with("/orders", &cafe.staff_key()).await.json();
    assert_eq!(orders["orders"].as_array().map(Vec::len), Some(1), "{orders}");
}

#[tokio::test]
async fn how_the_body_is_written_does_not_matter() {
    let cafe = Cafe::open();
    let first = Taken::of(&cafe.post("/orders", &KEY, &wish()).await);
    let other_way = br#" {"payment": {"token":"tok_ok", "vendor":"simulator"}, "takeout" : true,
        "items":[{"quantity":2,"size":"large","menu":"americano"},{"menu":"latte"}]} "#;
    let headers = [("content-type", "application/json"), KEY[0]];
    let reply = cafe.send("POST", "/orders", &headers, other_way).await;
    assert_eq!((reply.status.as_u16(), Taken::of(&reply).id), (201, first.id));
}

#[tokio::test]
async fn a_default_that_is_written_out_does_not_matter() {
    let cafe = Cafe::open();
    let first = Taken::of(&cafe.post("/orders", &KEY, &wish()).await);
    let mut written_out = wish();
    written_out["store"] = "main".into();
    written_out["items"][0]["takeout"] = true.into();
    written_out["items"][1]["size"] = "medium".into();
    written_out["items"][1]["options"] = serde_json::json!([]);
    let reply = cafe.post("/orders", &KEY, &written_out).await;
    assert_eq!((reply.status.as_u16(), Taken::of(&reply).id), (201, first.id));
    written_out["items"][1]["takeout"] = false.into();
    assert_eq!(cafe.post("/orders", &KEY, &written_out).await.status, 422);
}

#[tokio::test]
async fn an_order_that_was_taken_is_answered_also_when_its_drink_has_left_the_menu_or_comes_in_other_sizes() {
    tried(&customer::SENDS_AGAIN);
    let mut cafe = Cafe::open();
    let first = Taken::of(&cafe.post("/orders", &KEY, &wish()).await);
    for change in [
        |config: &mut Config| {
            config.menu = Menu::parse(&DEFAULT.replace("\"americano\"", "\"long_black\"")).unwrap();
        },
        |config: &mut Config| {
            config.menu =
                Menu::parse(&DEFAULT.replacen("price = 3500", "price = 3500\nsizes = [\"small\"]", 1))
                    .unwrap();
        },
    ] {
        cafe.reopen_with(change).await;
        let again = cafe.post("/orders", &KEY, &wish()).await;
        assert_eq!(
            (again.status.as_u16(), again.header("idempotent-replayed")),
            (201, "true"),
            "{:?}",
            again.json()
        );
        assert_eq!(Taken::of(&again).id, first.id);
        let new = cafe.post("/orders", &[("idempotency-key", "another")], &wish()).await;
        assert_eq!(new.status, 422, "nothing that is not on the menu is taken");
        assert!(new.fields()[0].starts_with("items[0]."), "{:?}", new.fields());
    }
    assert_eq!(cafe.announced().len(), 1);
}

#[tokio::test]
async fn another_body_under_the_same_key_is_refused() {
    tried(&customer::CHANGES_THE_BODY);
    let cafe = Cafe::open();
    cafe.post("/orders", &KEY, &wish()).await;
    let mut other = wish();
    other["items"][0]["quantity"] = 3.into();
    let reply = cafe.post("/orders", &KEY, &other).await;
    assert_eq!(reply.status, 422);
    assert_eq!(reply.json()["type"], "urn:cafe:problem:idempotency-key-used");
    assert_eq!(cafe.announced().len(), 1);
}

#[tokio::test]
async fn a_key_belongs_to_its_store() {
    let cafe = Cafe::open();
    let here = Taken::of(&cafe.post("/orders", &KEY, &wish()).await);
    let mut elsewhere = wish();
    elsewhere["store"] = "airport".into();
    let there = Taken::of(&cafe.post("/orders", &KEY, &elsewhere).await);
    assert_ne!(here.id, there.id);
    assert_eq!([here.number, there.number], ["0001", "0001"], "each store counts for itself");
}

#[tokio::test]
async fn a_key_lives_a_day_also_when_the_clock_steps_on_by_another() {
    tried(&clock::STEPS_ON);
    let cafe = Cafe::open();
    let first = Taken::of(&cafe.post("/orders", &KEY, &wish()).await);
    cafe.clock.advance(Duration::from_hours(24));
    cafe.clock.step(Duration::from_hours(24).as_millis() as i64);
    let again = Taken::of(&cafe.post("/orders", &KEY, &wish()).await);
    assert_eq!(again.id, first.id);
    // Payment has spoken, so that the shop stays open.
    cafe.say(&first, 1, &first.approved());
    cafe.until(&first, "paid").await;
    cafe.clock.advance(Duration::from_secs(1));
    let forgotten = async {
        while Taken::of(&cafe.post("/orders", &KEY, &wish()).await).id == first.id {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, forgotten).await.expect("the key is forgotten after two days");
}
