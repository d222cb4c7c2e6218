//! `GET /board`.

use cafe_events::PaymentApproved;

use crate::samples;
use crate::service::{Cafe, until};

#[tokio::test]
async fn numbers_are_in_order_what_is_ready_the_newest_first() {
    let cafe = Cafe::open().await;
    let mut orders = Vec::new();
    for number in ["0007", "0008", "0009", "0010"] {
        orders.push(cafe.approved("main", numbered(number)).await);
        until_on_board(&cafe, "/board", number).await;
    }
    cafe.staff(orders[1], "start").await;
    cafe.staff(orders[2], "ready").await;
    // Of two that were ready in the same millisecond the later ticket is the newer.
    cafe.staff(orders[3], "ready").await;
    let board = cafe.text("/board").await;
    assert_eq!(numbers(&board, "preparing"), ["0007", "0008"]);
    assert_eq!(numbers(&board, "ready"), ["0010", "0009"]);

    cafe.staff(orders[2], "pick-up").await;
    cafe.staff(orders[3], "recall").await;
    let board = cafe.text("/board").await;
    assert_eq!(numbers(&board, "preparing"), ["0007", "0008", "0010"]);
    assert_eq!(numbers(&board, "ready"), Vec::<&str>::new());
    cafe.close().await;
}

#[tokio::test]
async fn it_speaks_the_readers_language_first_and_calls_in_both() {
    let cafe = Cafe::open().await;
    cafe.queued(1).await;
    let (korean, english) = (cafe.text("/board?lang=ko").await, cafe.text("/board?lang=en").await);
    assert!(korean.contains(r#"<html lang="ko">"#), "{korean}");
    assert!(korean.contains(r#"나왔습니다 <span class="also" lang="en">Ready</span>"#), "{korean}");
    assert!(english.contains(r#"<html lang="en">"#), "{english}");
    assert!(english.contains(r#"Ready <span class="also" lang="ko">나왔습니다</span>"#), "{english}");
    for board in [korean, english] {
        assert!(board.contains(r#"data-call-ko="{n}번 고객님, 주문하신 음료가 나왔습니다""#), "{board}");
        assert!(board.contains(r#"data-call-en="Order {n} is ready""#), "{board}");
        assert!(board.contains(r#"data-spoken="1""#), "{board}");
    }
    cafe.close().await;
}

#[tokio::test]
async fn a_board_shows_its_own_store_only() {
    let cafe = Cafe::open().await;
    cafe.approved("main", numbered("0007")).await;
    cafe.approved("harbour", numbered("0008")).await;
    until_on_board(&cafe, "/board", "0007").await;
    until_on_board(&cafe, "/board?store=harbour", "0008").await;
    assert_eq!(numbers(&cafe.text("/board").await, "preparing"), ["0007"]);
    let harbour = cafe.text("/board?store=harbour").await;
    assert_eq!(numbers(&harbour, "preparing"), ["0008"]);
    assert!(harbour.contains(r#"data-news="queue/events?store=harbour""#), "{harbour}");
    assert!(harbour.contains(r#"<span class="store">harbour</span>"#), "{harbour}");
    cafe.close().await;
}

#[tokio::test]
async fn a_number_of_another_day_has_its_date() {
    let cafe = Cafe::open().await;
    cafe.approved("main", PaymentApproved { day: "2026-11-22".to_owned(), ..numbered("0042") }).await;
    cafe.approved("main", numbered("0043")).await;
    until_on_board(&cafe, "/board", "0043").await;
    until_on_board(&cafe, "/board", "0042").await;
    let (korean, english) = (cafe.text("/board?lang=ko").await, cafe.text("/board?lang=en").await);
    assert!(korean.contains(r#"0042</span> <time datetime="2026-11-22">11월 22일</time>"#), "{korean}");
    assert!(english.contains(r#"0042</span> <time datetime="2026-11-22">22 Nov</time>"#), "{english}");
    assert!(english.contains("0043</span></li>"), "{english}");
    cafe.close().await;
}

#[tokio::test]
async fn what_others_wrote_is_text_and_never_part_of_the_page() {
    let cafe = Cafe::open().await;
    let number = "<b>\"'&";
    cafe.approved("main", numbered(number)).await;
    let board = until_on_board(&cafe, "/board", "&#60;b&#62;&#34;&#39;&#38;").await;
    assert!(!board.contains("<b>"), "{board}");
    let board = cafe.text("/board?store=%22%3E%3Cscript%3E%26lang%3Dko").await;
    assert!(board.contains(r#"data-news="queue/events?store=%22%3E%3Cscript%3E%26lang%3Dko""#), "{board}");
    assert!(board.contains("&#34;&#62;&#60;script&#62;&#38;lang=ko</span>"), "{board}");
    cafe.close().await;
}

#[tokio::test]
async fn more_than_are_listed_are_counted() {
    let cafe = Cafe::open().await;
    cafe.approved_many(120).await;
    let board = until("all of them", || async {
        let board = cafe.text("/board").await;
        board.contains(r#"data-total="120""#).then_some(board)
    })
    .await;
    assert_eq!(numbers(&board, "preparing").len(), 100);
    cafe.close().await;
}

#[tokio::test]
async fn everybody_may_see_it_and_it_says_nothing_about_anybody() {
    let cafe = Cafe::open().await;
    let order_id = cafe.queued(1).await;
    cafe.staff(order_id, "ready").await;
    let answer = cafe.without_key("GET", "/board").await;
    assert_eq!(answer.status, 200);
    let board = answer.body.as_str().unwrap();
    let words = [&order_id.to_string(), "token", "Americano", "아메리카노", "charge-1", "3500", "simulator"];
    for word in words {
        assert!(!board.contains(word), "{word}: {board}");
    }
    // What a browser is told not to run would not work.
    for inline in ["<style", " style=", " onclick=", "<script>"] {
        assert!(!board.contains(inline), "{inline}: {board}");
    }
    cafe.close().await;
}

#[tokio::test]
async fn it_and_all_it_loads_are_light() {
    let cafe = Cafe::open().await;
    cafe.approved_many(100).await;
    let mut bytes = until_on_board(&cafe, "/board", r#"data-total="100""#).await.len();
    for asset in ["screen.css", "live.js", "cup.svg", "board.css", "board.js", "board_calls.js", "sound.js"] {
        assert_eq!(cafe.without_key("GET", &format!("/assets/{asset}")).await.status, 200, "{asset}");
        bytes += cafe.text(&format!("/assets/{asset}")).await.len();
    }
    assert!(bytes < 60_000, "{bytes} bytes");
    cafe.close().await;
}

#[tokio::test]
async fn a_misspelt_parameter_is_refused() {
    let cafe = Cafe::open().await;
    assert_eq!(cafe.get("/board?sotre=harbour").await.status, 400);
    cafe.close().await;
}

/// The numbers of a region, in order.
fn numbers<'a>(board: &'a str, region: &str) -> Vec<&'a str> {
    let (_, rest) = board.split_once(&format!(r#"id="{region}" data-part"#)).expect("the region is there");
    let (region, _) = rest.split_once("</section>").expect("the region ends");
    let items = region.split(r#"<span class="number">"#).skip(1);
    items.map(|item| item.split_once('<').expect("the number ends").0).collect()
}

async fn until_on_board(cafe: &Cafe, path: &str, what: &str) -> String {
    until(what, || async { Some(cafe.text(path).await).filter(|board| board.contains(what)) }).await
}

fn numbered(number: &str) -> PaymentApproved {
    PaymentApproved { number: number.to_owned(), ..samples::approved(1) }
}
