use std::path::Path;
use std::time::Duration;

use cafe_failures::{clock, disk, tried};
use cafe_store::Connection;

use crate::cafe::Cafe;

#[tokio::test]
async fn numbers_begin_again_at_midnight_where_the_cafe_is() {
    tried(&clock::MIDNIGHT);
    // 10:00 in UTC is 19:00 in Seoul.
    let cafe = Cafe::open_with(|config| config.zone = jiff::tz::TimeZone::get("Asia/Seoul").unwrap());
    cafe.place().await;
    cafe.clock.advance(Duration::from_millis(5 * 3_600_000 - 1));
    let before = cafe.place().await;
    cafe.clock.advance(Duration::from_millis(1));
    let after = cafe.place().await;
    assert_eq!((before.number.as_str(), before.view["day"].as_str()), ("0002", Some("2026-11-23")));
    assert_eq!((after.number.as_str(), after.view["day"].as_str()), ("0001", Some("2026-11-24")));
}

#[tokio::test]
async fn a_clock_that_steps_back_over_midnight_repeats_no_number() {
    tried(&clock::STEPS_BACK);
    let mut cafe = Cafe::open();
    cafe.reopen_after(|file| sql(file, "INSERT INTO day_numbers VALUES ('main', '2026-11-24', 7, 0)")).await;
    let taken = cafe.place().await;
    assert_eq!((taken.number.as_str(), taken.view["day"].as_str()), ("0008", Some("2026-11-24")));
}

#[tokio::test]
async fn after_9999_comes_10000() {
    tried(&clock::MIDNIGHT);
    let mut cafe = Cafe::open();
    cafe.reopen_after(|file| sql(file, "INSERT INTO day_numbers VALUES ('main', '2026-11-23', 9998, 0)"))
        .await;
    assert_eq!([cafe.place().await.number, cafe.place().await.number], ["9999", "10000"]);
}

#[tokio::test]
async fn numbers_go_on_after_a_restart() {
    let mut cafe = Cafe::open();
    cafe.place().await;
    cafe.reopen_after(|_| {}).await;
    assert_eq!(cafe.place().await.number, "0002");
}

#[tokio::test]
async fn numbers_skip_ahead_once_after_an_older_copy_was_restored() {
    tried(&disk::ORDER_RESTORED);
    let mut cafe = Cafe::open();
    cafe.place().await;
    let now = cafe.clock.now();
    cafe.reopen_after(|file| {
        cafe_delivery::mark_restored(&mut open(file), "another-log", now).unwrap();
    })
    .await;
    assert_eq!([cafe.place().await.number, cafe.place().await.number], ["1002", "1003"]);
}

fn open(file: &Path) -> Connection {
    use cafe_delivery::Tables;
    let migrations: Vec<_> =
        cafe_delivery::MIGRATIONS.iter().chain(cafe_order::Orders::MIGRATIONS).copied().collect();
    Connection::open(file, &migrations).unwrap()
}

fn sql(file: &Path, sql: &str) {
    open(file).batch(sql).unwrap();
}
