use cafe_events::{Event, Party, PaymentCancelled, PaymentEvent};

use crate::cafe::{Cafe, Reply, Taken, declined, started};

const BROWSER: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");

async fn screen(cafe: &Cafe, path: &str, language: &str) -> Reply {
    cafe.send("GET", path, &[BROWSER, ("accept-language", language)], b"").await
}

fn text(reply: &Reply) -> String {
    assert_eq!(reply.header("content-type"), "text/html; charset=utf-8", "{reply:?}");
    String::from_utf8(reply.body.to_vec()).unwrap()
}

fn address(taken: &Taken) -> String {
    format!("/o/{}?token={}", taken.id, taken.token)
}

#[tokio::test]
async fn the_shop_speaks_the_customers_language_and_remembers_a_choice() {
    let cafe = Cafe::open();
    let korean = screen(&cafe, "/", "ko-KR,ko;q=0.9,en;q=0.5").await;
    let shown = text(&korean);
    for there in ["lang=\"ko\"", "아메리카노", "홍차", "₩3,500", "담기", "연습 모드"] {
        assert!(shown.contains(there), "{there}: {shown}");
    }
    let english = text(&screen(&cafe, "/?lang=en", "ko").await);
    for there in ["lang=\"en\"", "Americano", "Black tea", "Add", "TRAINING"] {
        assert!(english.contains(there), "{there}: {english}");
    }
    assert!(korean.header("set-cookie").starts_with("lang=ko;"));
    let chosen =
        cafe.send("GET", "/", &[BROWSER, ("cookie", "lang=en"), ("accept-language", "ko")], b"").await;
    assert!(text(&chosen).contains("Americano"));
}

#[tokio::test]
async fn nothing_on_a_screen_comes_from_elsewhere_and_none_is_framed_or_kept() {
    let cafe = Cafe::open();
    let taken = cafe.place().await;
    for path in ["/".to_owned(), address(&taken), "/o/01a21f65-e060-737e-8123-d735c485d4dd".to_owned()] {
        let reply = screen(&cafe, &path, "ko").await;
        let policy = reply.header("content-security-policy");
        for rule in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"] {
            assert!(policy.contains(rule) && !policy.contains("unsafe"), "{policy}");
        }
        assert_eq!(reply.header("referrer-policy"), "no-referrer");
        assert_eq!(reply.header("cache-control"), "no-store");
        let shown = text(&reply);
        for forbidden in ["style=", "onclick", "<style", "http://", "https://"] {
            assert!(!shown.contains(forbidden), "{forbidden}: {shown}");
        }
    }
}

#[tokio::test]
async fn every_file_that_a_screen_names_is_there() {
    let cafe = Cafe::open();
    let taken = cafe.place().await;
    for path in ["/".to_owned(), address(&taken)] {
        let shown = text(&screen(&cafe, &path, "en").await);
        let named: Vec<_> = shown.split('"').filter_map(|part| part.split_once("assets/")).collect();
        assert!(named.len() >= 4, "{shown}");
        for (_, name) in named {
            assert_eq!(cafe.get(&format!("/assets/{name}")).await.status, 200, "{name}");
        }
    }
}

#[tokio::test]
async fn a_number_is_shown_once_it_is_paid_and_not_before() {
    let cafe = Cafe::open();
    let taken = cafe.place().await;
    let waiting = text(&screen(&cafe, &address(&taken), "en").await);
    assert!(!waiting.contains("0001") && waiting.contains("Please do not pay again"), "{waiting}");
    cafe.say(&taken, 1, &taken.approved());
    cafe.until(&taken, "paid").await;
    let paid = text(&screen(&cafe, &address(&taken), "ko").await);
    assert!(paid.contains("0001") && paid.contains("주문 취소"), "{paid}");
    cafe.say(&taken, 1, &taken.queued());
    cafe.say(&taken, 2, &started());
    cafe.until(&taken, "making").await;
    let making = text(&screen(&cafe, &address(&taken), "en").await);
    assert!(making.contains("0 of 2 made") && !making.contains("Cancel the order"), "{making}");
}

#[tokio::test]
async fn what_was_not_paid_says_that_nothing_was_charged() {
    let cafe = Cafe::open();
    let taken = cafe.place().await;
    cafe.say(&taken, 1, &declined());
    cafe.until(&taken, "declined").await;
    let shown = text(&screen(&cafe, &address(&taken), "en").await);
    assert!(shown.contains("declined") && shown.contains("Nothing was charged"), "{shown}");
    assert!(!shown.contains("0001") && !shown.contains("Cancel the order"), "{shown}");
    assert_eq!(
        shown.matches("class=\"done\"").count(),
        1,
        "ordered, and what came then is no success: {shown}"
    );
}

#[tokio::test]
async fn an_order_is_cancelled_from_its_page() {
    let cafe = Cafe::open();
    let taken = cafe.place().await;
    let cancel = format!("/o/{}/cancel?token={}", taken.id, taken.token);
    let reply = cafe.send("POST", &cancel, &[BROWSER], b"").await;
    assert_eq!(reply.status, 303);
    assert_eq!(reply.header("location"), format!("../{}?token={}", taken.id, taken.token));
    assert!(text(&screen(&cafe, &address(&taken), "en").await).contains("It is being cancelled"));
    let cancelled = PaymentEvent::Cancelled(PaymentCancelled { by: Party::Customer, reason: None });
    cafe.say(&taken, 1, &Event::Payment(cancelled));
    cafe.until(&taken, "cancelled").await;
    let shown = text(&screen(&cafe, &address(&taken), "ko").await);
    assert!(shown.contains("취소되었습니다") && !shown.contains("주문 취소"), "{shown}");
}

#[tokio::test]
async fn whoever_has_not_its_token_learns_nothing_of_an_order() {
    let cafe = Cafe::open();
    let (taken, other) = (cafe.place().await, cafe.place().await);
    let unknown = "/o/01a21f65-e060-737e-8123-d735c485d4dd?token=x".to_owned();
    let not_its_own = format!("/o/{}?token={}", taken.id, other.token);
    for path in [unknown, not_its_own, format!("/o/{}", taken.id)] {
        let reply = screen(&cafe, &path, "en").await;
        assert_eq!(reply.status, 404, "{path}");
        assert!(text(&reply).contains("There is no such order"));
        let cancel = path.replace('?', "/cancel?");
        let cancelled = cafe.send("POST", &cancel, &[BROWSER], b"").await;
        assert!(cancelled.status.is_client_error(), "{cancelled:?}");
    }
    assert_eq!(cafe.order(&taken).await["cancel"], serde_json::Value::Null);
}
